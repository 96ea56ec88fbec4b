"""The options that commands share, each written once, and the run that they describe."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

from repair.errors import UsageError

if TYPE_CHECKING:
    from repair.session import Session

Input = Literal["text", "markdown", "html", "jsonl", "parquet", "warc"]
Caution = Literal["low", "normal", "high"]
Colour = Literal["auto", "always", "never"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """What every command that judges articles can be told."""

    id_field: Annotated[str | None, typer.Option(metavar="NAME", help="Field that holds the id. [id]")] = None
    text_field: Annotated[str | None, typer.Option(metavar="NAME", help="Field that holds the text. [text]")] = None
    caution: Annotated[
        Caution | None, typer.Option("--caution", help="low finds and rewrites more, high less. [normal]")
    ] = None
    without: Annotated[
        list[str] | None, typer.Option(metavar="NAMES", help="Switch sources of suggestions off: lexicon,wordnet,...")
    ] = None
    ignore: Annotated[list[str] | None, typer.Option(metavar="WORDING", help="Never report this. Repeatable.")] = None
    lexicons: Annotated[list[Path] | None, typer.Option("--lexicon", help="A further lexicon. Repeatable.")] = None
    min_confidence: Annotated[float | None, typer.Option(min=0, max=1, help="Report findings from here on.")] = None
    min_rewrite: Annotated[float | None, typer.Option(min=0, max=1, help="Rewrite from here on.")] = None
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Settings, instead of the nearest file.")
    ] = None
    no_config: Annotated[bool, typer.Option("--no-config", help="Use no configuration file.")] = False
    quiet: Annotated[
        int, typer.Option("-q", "--quiet", count=True, help="No remarks; -qq: no errors of inputs either.")
    ] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Running(Judging):
    """What a run over many inputs can be told beside."""

    input: Annotated[Input | None, typer.Option("--input", help="Read every PATH as this, whatever its ending.")] = None
    html: Annotated[
        Literal["extract", "in-place"],
        typer.Option("--html", help="The main text, or the page with its text nodes edited."),
    ] = "extract"
    ignore_files: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="Skip these files. Repeatable.")] = None
    drop_if: Annotated[
        list[str] | None,
        typer.Option("--drop-if", metavar="CONDITION", help='Leave out articles: "verdict>=spun", "density>0.1".'),
    ] = None
    keep_if: Annotated[
        list[str] | None, typer.Option("--keep-if", metavar="CONDITION", help="Leave out all others.")
    ] = None
    errors: Annotated[
        Path | None, typer.Option("--errors", metavar="FILE", help="Put records that can't be read here, with reasons.")
    ] = None
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=0, help="Worker processes; 0: one for each core.")] = 1
    batch: Annotated[int, typer.Option("--batch", min=1, help="Articles that go to a worker together.")] = 16
    stats: Annotated[
        Path | None, typer.Option("--stats", metavar="FILE", help="Write counts, seconds, version and hashes as JSON.")
    ] = None
    log_format: Annotated[
        Literal["text", "json"], typer.Option("--log-format", help="What stderr gets: lines for people, or JSON.")
    ] = "text"
    verbose: Annotated[
        int, typer.Option("-v", "--verbose", count=True, help="Surroundings and evidence, and clean articles.")
    ] = 0
    color: Annotated[Colour, typer.Option("--color", help="When to colour; NO_COLOR is obeyed.")] = "auto"
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit 0 also when findings remain.")] = False


def shares(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command, after its own options, those of the dataclass that its parameter ``options`` is of."""
    own = inspect.signature(command, eval_str=True).parameters
    kind = own["options"].annotation
    hints = get_type_hints(kind, include_extras=True)
    shared = [
        inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=hints[f.name])
        for f in fields(kind)
    ]
    names = {parameter.name for parameter in shared}

    @functools.wraps(command)
    def run(**given: Any) -> None:
        options = kind(**{name: given.pop(name) for name in names})
        command(**given, options=options)

    rest = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own.values() if p.name != "options"]
    parameters = [*rest, *shared]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    del run.__wrapped__
    return run


def session(options: Judging | Mapping[str, Any]) -> Session:
    """The run that a command's options describe. Raises UsageError where they make no sense."""
    given = options if isinstance(options, Mapping) else {f.name: getattr(options, f.name) for f in fields(options)}
    if "jobs" in given:
        from repair.session import one_thread

        one_thread()
    from repair.config import Config, check_sources, load, load_file
    from repair.display import Paint, wants_colour
    from repair.filters import Filter
    from repair.session import Session, rejects_file

    if given["no_config"] and given["config"]:
        raise UsageError("--config and --no-config exclude each other; choose one")
    file = given["config"]
    config = Config() if given["no_config"] else load_file(file) if file else load()
    names = tuple(name.strip() for one in given.get("without") or () for name in one.split(",") if name.strip())
    try:
        check_sources(names)
    except ValueError as error:
        raise UsageError(f"--without takes names {error}, not {','.join(names)!a}") from None
    keys = ("caution", "ignore", "ignore_files", "lexicons", "id_field", "text_field", "min_confidence", "min_rewrite")
    config = config.with_options(without=names, **{key: given.get(key) for key in keys})
    for path in config.lexicons:
        if not path.is_file():
            raise UsageError(f"{path}: no such lexicon; check the spelling")
    run = Session(config, given.get("quiet", 0), given.get("verbose", 0))
    run.paint = Paint(wants_colour(given.get("color", "auto"), sys.stdout))
    if "jobs" in given:
        run.filter = Filter.parse(given["drop_if"] or (), given["keep_if"] or ())
        run.jobs, run.batch = given["jobs"] or _cores(), given["batch"]
        run.html_in_place = given["html"] == "in-place"
        run.log_json = given["log_format"] == "json"
        if given["errors"]:
            run.rejects = rejects_file(given["errors"])
    return run


def _cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
