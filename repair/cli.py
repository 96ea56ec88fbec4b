"""The command ``repair``. Light to import: everything that reads articles is imported when a command runs."""

from __future__ import annotations

import io
import os
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from repair.errors import ArtifactError, InputError, RepairError, UsageError
from repair.lexicon_commands import lexicon

if TYPE_CHECKING:
    from repair.session import Session

Input = Literal["text", "markdown", "html", "jsonl"]
Colour = Literal["auto", "always", "never"]
Caution = Literal["low", "normal", "high"]

USAGE, UNREADABLE, INTERNAL, INTERRUPTED, CLOSED_PIPE = 2, 3, 4, 130, 141
SHOWN = ("missed", "wrong", "alarm", "harm", "clean")


class Commands(TyperGroup):
    """The one place where what goes wrong becomes a message and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except RepairError as error:
            codes = {InputError: UNREADABLE, ArtifactError: INTERNAL}
            code = codes.get(type(error), USAGE)
            _complain(str(error))
        except KeyboardInterrupt:
            _complain("interrupted; what was finished is kept, the rest is as it was")
            code = INTERRUPTED
        except BrokenPipeError:
            # Whoever read our output has enough. Python would complain again when it flushes stdout at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = CLOSED_PIPE
        except Exception as error:
            if type(error).__module__.startswith(("typer", "click")):
                raise
            if "REPAIR_TRACEBACK" in os.environ:
                raise
            _complain(f"internal error: {type(error).__name__}: {error}; set REPAIR_TRACEBACK=1 for a report to us")
            code = INTERNAL
        raise typer.Exit(code)


app = typer.Typer(
    cls=Commands,
    name="repair",
    help="Finds and undoes the wording that article spinners and round-trip translation leave in text.",
    no_args_is_help=True,
    rich_markup_mode=None,  # rich takes longer to import than everything else here
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(lexicon, name="lexicon")

READING, JUDGING, GENERAL = "Reading", "Judging", "General"
Paths = Annotated[list[str], typer.Argument(metavar="PATH...", help="Files, folders, globs, or - for stdin.")]
InputOption = Annotated[Input | None, typer.Option("--input", help="Read every PATH as this, whatever its ending.")]
IdField = Annotated[str | None, typer.Option(metavar="NAME", help="jsonl field that holds the id. [id]")]
TextField = Annotated[str | None, typer.Option(metavar="NAME", help="jsonl field that holds the text. [text]")]
IgnoreFiles = Annotated[list[str] | None, typer.Option(metavar="GLOB", help="Skip these files. Repeatable.")]
CautionOption = Annotated[
    Caution | None, typer.Option("--caution", help="low finds and rewrites more, high less. [normal]")
]
Without = Annotated[
    list[str] | None, typer.Option(metavar="NAMES", help="Switch sources of suggestions off: lexicon,wordnet,...")
]
Ignore = Annotated[list[str] | None, typer.Option(metavar="WORDING", help="Never report this. Repeatable.")]
Lexicons = Annotated[list[Path] | None, typer.Option("--lexicon", help="A further lexicon. Repeatable.")]
MinConfidence = Annotated[float | None, typer.Option(min=0, max=1, help="Report findings from here on.")]
MinRewrite = Annotated[float | None, typer.Option(min=0, max=1, help="Rewrite from here on.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings, instead of the nearest file.")
]
NoConfig = Annotated[bool, typer.Option("--no-config", help="Use no configuration file.")]
Quiet = Annotated[int, typer.Option("-q", "--quiet", count=True, help="No remarks; -qq: no errors of inputs either.")]
Verbose = Annotated[
    int, typer.Option("-v", "--verbose", count=True, help="Surroundings and evidence, and clean articles.")
]
ColourOption = Annotated[Colour, typer.Option("--color", help="When to colour; NO_COLOR is obeyed.")]
ExitZero = Annotated[bool, typer.Option("--exit-zero", help="Exit 0 also when findings remain.")]


@app.callback(invoke_without_command=True)
def common(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Finds and undoes the wording that article spinners and round-trip translation leave in text.

    Exit codes: 0 nothing found, 1 findings remain, 2 usage or configuration, 3 an input could not be read, 4 internal
    error, 130 interrupted.
    """
    if version:
        from repair import __version__

        print(f"mt-repair {__version__}")
        raise typer.Exit


@app.command()
def check(
    paths: Paths,
    format: Annotated[Literal["text", "jsonl", "github"], typer.Option("--format", help="What to print.")] = "text",
    input: InputOption = None,
    id_field: IdField = None,
    text_field: TextField = None,
    ignore_files: IgnoreFiles = None,
    caution: CautionOption = None,
    without: Without = None,
    ignore: Ignore = None,
    lexicons: Lexicons = None,
    min_confidence: MinConfidence = None,
    min_rewrite: MinRewrite = None,
    config: ConfigFile = None,
    no_config: NoConfig = False,
    quiet: Quiet = 0,
    verbose: Verbose = 0,
    color: ColourOption = "auto",
    exit_zero: ExitZero = False,
) -> None:
    """Report what reads like a machine's wording. Never writes."""
    from repair.display import error_row, github, json_line, report_text

    run = _session(locals())
    for item, report in run.checked(run.items(paths, input)):
        lines: list[str] = []
        if format == "jsonl":
            if item.error:
                lines = [json_line(error_row(item.id, item.error))]
            elif report:
                lines = [json_line(report.to_dict(item.id))]
        elif report and item.article and format == "github":
            lines = list(github(item.source.name, item.article.text, report))
        elif report and item.article and (report.findings or report.verdict.label != "clean" or verbose):
            lines = list(report_text(item.id, item.article.text, report, run.paint, verbose=verbose > 0))
        if lines:
            run.progress.clear()
            print("\n".join(lines))
    run.say(run.tally.summary("would be replaced"))
    raise typer.Exit(run.code(run.tally.findings, exit_zero))


@app.command()
def fix(
    paths: Paths,
    write: Annotated[bool, typer.Option("-w", "--write", help="Replace the files themselves.")] = False,
    backup: Annotated[str, typer.Option(metavar="SUFFIX", help="With -w: keep the old file under this suffix.")] = "",
    diff: Annotated[bool, typer.Option("--diff", help="Print what would change, as a unified diff.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Write into this folder.")
    ] = None,
    input: InputOption = None,
    id_field: IdField = None,
    text_field: TextField = None,
    ignore_files: IgnoreFiles = None,
    caution: CautionOption = None,
    without: Without = None,
    ignore: Ignore = None,
    lexicons: Lexicons = None,
    min_confidence: MinConfidence = None,
    min_rewrite: MinRewrite = None,
    config: ConfigFile = None,
    no_config: NoConfig = False,
    quiet: Quiet = 0,
    verbose: Verbose = 0,
    color: ColourOption = "auto",
    exit_zero: ExitZero = False,
) -> None:
    """Print the cleaned text, or write it where told: -w, -o, or --diff to see it first."""
    from repair.output import InPlace, Output, ToDiff, ToFolder, ToStdout

    if write + diff + (output is not None) > 1:
        raise UsageError("-w, --diff and -o exclude each other; choose one")
    if backup and not write:
        raise UsageError("--backup keeps what -w replaces; add -w, or drop it")
    if backup and (os.sep in backup or "/" in backup or "\0" in backup):
        raise UsageError("--backup takes a suffix such as .bak, not a path")
    if write and "-" in paths:
        raise UsageError("stdin can't be written in place; drop -w, or name a file")
    run = _session(locals())
    put: Output = ToStdout(run)
    if write:
        put = InPlace(run, backup)
    elif diff:
        put = ToDiff(run)
    elif output:
        put = ToFolder(run, output)
    results = run.fixed(run.items(paths, input))
    for source, group in groupby(results, key=lambda result: result[0].source):
        try:
            put(source, group)
        except InputError as error:
            run.failed(error)
    run.say(run.tally.summary("would be replaced" if diff else "replaced"))
    remain = run.tally.findings - (0 if diff else run.tally.replacements)
    raise typer.Exit(run.code(remain, exit_zero))


@app.command()
def explain(
    path: Annotated[str, typer.Argument(metavar="PATH", help="A file, or - for stdin.")],
    at: Annotated[str, typer.Option("--at", metavar="LINE:COL", help="The place, both from 1, in characters.")],
    id: Annotated[str | None, typer.Option("--id", help="Which article of a jsonl file. [the first]")] = None,
    format: Annotated[Literal["text", "jsonl"], typer.Option("--format", help="What to print.")] = "text",
    input: InputOption = None,
    id_field: IdField = None,
    text_field: TextField = None,
    caution: CautionOption = None,
    without: Without = None,
    ignore: Ignore = None,
    lexicons: Lexicons = None,
    min_confidence: MinConfidence = None,
    min_rewrite: MinRewrite = None,
    config: ConfigFile = None,
    no_config: NoConfig = False,
    quiet: Quiet = 0,
    color: ColourOption = "auto",
) -> None:
    """Show every candidate at a place, its scores, and why it won or lost."""
    from dataclasses import asdict

    from repair.display import Places, explain_text, json_line

    line, colon, column = at.partition(":")
    if not (colon and line.isascii() and line.isdigit() and column.isascii() and column.isdigit() and len(at) < 20):
        raise UsageError(f"--at takes LINE:COL, such as 3:14, not {at!a}")
    run = _session(locals())
    items = (item for item in run.items([path], input) if item.article and id in (None, item.id))
    article = next((item.article for item in items), None)
    if article is None:
        if not run.tally.unreadable:
            raise UsageError(f"{path}: no article {id!a} there; `repair check --format jsonl` prints the ids")
        raise typer.Exit(UNREADABLE)
    offset = Places(article.text).offset(int(line), int(column))
    if offset is None:
        raise UsageError(f"{path}: the article has no place {at}; `repair check` prints places")
    candidates = run.repairer().explain(article, offset)
    if format == "jsonl":
        print("\n".join(json_line(asdict(candidate)) for candidate in candidates))
    else:
        print("\n".join(explain_text(article.text, candidates, run.paint)))
    if not candidates:
        run.say(f"nothing was considered at {at}: no source proposes another wording there")


@app.command()
def evaluate(
    gold: Annotated[Path, typer.Argument(metavar="GOLD", help="Annotated articles, jsonl.")],
    clean: Annotated[Path | None, typer.Option(metavar="FILE", help="jsonl articles that hold no artifact.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    show: Annotated[str, typer.Option(metavar="KINDS", help=f"List cases too: {','.join(SHOWN)}")] = "",
    id_field: IdField = None,
    text_field: TextField = None,
    caution: CautionOption = None,
    without: Without = None,
    ignore: Ignore = None,
    lexicons: Lexicons = None,
    min_confidence: MinConfidence = None,
    min_rewrite: MinRewrite = None,
    config: ConfigFile = None,
    no_config: NoConfig = False,
    quiet: Quiet = 0,
) -> None:
    """Score the findings on your own annotated articles.

    GOLD has a line for each article: {"id", "text", "units": [{"start", "end", "observed", "originals": [...],
    "optional": false}]}. A unit is one replaced word or phrase, in code points, end exclusive. precision and recall
    count findings that meet a unit; top1 and top5 units whose original is among the first suggestions; edit_... what
    would be rewritten; clean_... how much is found in clean text (--clean).
    """
    from repair.display import json_line, plain
    from repair.evaluate import read_gold, score, score_clean
    from repair.report import Article

    kinds = [kind.strip() for kind in show.split(",") if kind.strip()]
    if unknown := set(kinds) - set(SHOWN):
        raise UsageError(f"--show takes {', '.join(SHOWN)}, not {min(unknown)!a}")
    run = _session(locals())
    articles = read_gold(gold)
    reports = run.repairer().check_stream(Article(article.text, article.id) for article in articles)
    figures = score(articles, dict(zip((article.id for article in articles), reports, strict=True)))
    lists = figures.pop("lists")
    if clean:
        checked = (report for _, report in run.checked(run.items([str(clean)], "jsonl")) if report)
        figures |= score_clean(checked)
        lists["clean"] = figures.pop("clean_list")
    print(json_line(figures) if json else "\n".join(f"{name:28} {value}" for name, value in figures.items()))
    for kind in kinds:
        cases = lists.get(kind, [])
        print("\n  ".join([f"\n{kind} ({len(cases)})", *map(plain, cases)]))
    raise typer.Exit(run.code(0, exit_zero=True))


@app.command()
def review(
    paths: Paths,
    plain: Annotated[
        bool, typer.Option("--plain", help="Line by line, for screen readers and dumb terminals.")
    ] = False,
    web: Annotated[
        bool, typer.Option("--web", help="In the browser, on a page that only this machine can open.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="With --web: listen there. [any free one]")] = 0,
    browser: Annotated[bool, typer.Option(help="With --web: open the browser.")] = True,
    finish: Annotated[bool, typer.Option("--apply", help="Ask nothing; take the decisions from the journal.")] = False,
    journal: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep decisions here. [beside each article, .review]")
    ] = None,
    write: Annotated[bool, typer.Option("-w", "--write", help="At the end, replace the files themselves.")] = False,
    backup: Annotated[str, typer.Option(metavar="SUFFIX", help="With -w: keep the old file under this suffix.")] = "",
    diff: Annotated[bool, typer.Option("--diff", help="At the end, print what the decisions change.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="At the end, write into this folder.")
    ] = None,
    input: InputOption = None,
    id_field: IdField = None,
    text_field: TextField = None,
    ignore_files: IgnoreFiles = None,
    caution: CautionOption = None,
    without: Without = None,
    ignore: Ignore = None,
    lexicons: Lexicons = None,
    min_confidence: MinConfidence = None,
    min_rewrite: MinRewrite = None,
    config: ConfigFile = None,
    no_config: NoConfig = False,
    quiet: Quiet = 0,
    color: ColourOption = "auto",
    exit_zero: ExitZero = False,
) -> None:
    """Decide each suggestion with one key, in the terminal or in the browser; every decision is kept at once.

    Decisions are kept beside the article (article.txt.review); the next review goes on from there. Articles are only
    changed by -w.
    """
    from repair.review_command import run

    options = locals()
    raise typer.Exit(run(_session(options), paths, input, options))


def _session(options: dict[str, Any]) -> Session:
    """The run that a command's options describe."""
    from repair.config import Config, check_sources, load, load_file
    from repair.display import Paint, wants_colour
    from repair.session import Session

    if options["no_config"] and options["config"]:
        raise UsageError("--config and --no-config exclude each other; choose one")
    file = options["config"]
    config = Config() if options["no_config"] else load_file(file) if file else load()
    names = tuple(name.strip() for given in options.get("without") or () for name in given.split(",") if name.strip())
    try:
        check_sources(names)
    except ValueError as error:
        raise UsageError(f"--without takes names {error}, not {','.join(names)!a}") from None
    keys = ("caution", "ignore", "ignore_files", "lexicons", "id_field", "text_field", "min_confidence", "min_rewrite")
    config = config.with_options(without=names, **{key: options.get(key) for key in keys})
    for path in config.lexicons:
        if not path.is_file():
            raise UsageError(f"{path}: no such lexicon; check the spelling")
    paint = Paint(wants_colour(options.get("color", "auto"), sys.stdout))
    return Session(config, options.get("quiet", 0), options.get("verbose", 0), paint)


def _complain(message: str) -> None:
    from repair.display import plain

    print(f"repair: {plain(message)}", file=sys.stderr)


def main() -> None:
    """The entry point."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What is piped on is UTF-8 with plain line ends on every system; a terminal keeps its encoding.
            options: dict[str, Any] = {} if stream.isatty() else {"encoding": "utf-8", "newline": "\n"}
            stream.reconfigure(errors="backslashreplace", **options)
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
