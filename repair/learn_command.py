"""``repair learn``: spun texts and their sources, of which the swaps go into the user's lexicon once confirmed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from repair.errors import InputError, UsageError

if TYPE_CHECKING:
    from repair.proposals import Proposal
    from repair.read import Item
    from repair.rows import Row
    from repair.session import Session

Pair = tuple[str, str, str]  # name, spun text, source text
ENDINGS = (".gz", ".txt", ".text", ".md", ".markdown", ".html", ".htm", ".xhtml")


def learn(
    spun: Annotated[str, typer.Argument(metavar="SPUN", help="A file, a folder, or jsonl that holds both texts.")],
    original: Annotated[
        str | None, typer.Argument(metavar="[ORIGINAL]", help="Its source: a file, or a folder with the same names.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only show.")] = False,
    format: Annotated[
        Literal["text", "tsv"], typer.Option("--format", help="What to print; tsv is a lexicon, and is not written.")
    ] = "text",
    min_count: Annotated[int, typer.Option(metavar="N", min=1, help="Propose what was met so often.")] = 1,
    spun_field: Annotated[str, typer.Option(metavar="NAME", help="jsonl field of the spun text.")] = "spun",
    original_field: Annotated[str, typer.Option(metavar="NAME", help="jsonl field of its source.")] = "original",
    id_field: Annotated[str | None, typer.Option(metavar="NAME", help="jsonl field of the id. [id]")] = None,
    file: Annotated[Path | None, typer.Option("--file", metavar="FILE", help="This lexicon. [your own]")] = None,
    quiet: Annotated[int, typer.Option("-q", "--quiet", count=True, help="No remarks.")] = 0,
) -> None:
    """Align spun texts with their sources and learn the swaps.

    Texts are paired by name (folders), by id (two jsonl files), or stand in one line (one jsonl file). What is shown is
    in base form, with its count, the weight it would get and its first place. Pairs that do not match are told and
    passed over, with exit code 3.
    """
    from repair.config import Config, user_lexicon
    from repair.display import counted, plain
    from repair.learning import Learning, weighed
    from repair.proposals import Proposer
    from repair.rows import HEADER
    from repair.rows import format as line_of
    from repair.session import Session

    run = Session(Config(id_field=id_field), quiet)
    given = _two(run, spun, original) if original else _one(run, spun, spun_field, original_field)
    proposer, pairs = Proposer(), 0
    for name, ours, theirs in given:
        try:
            alignment = proposer.add(name, ours, theirs)
        except InputError as error:
            run.failed(error)
            continue
        pairs += 1
        if alignment.lost:
            run.say(f"{plain(name)}: {counted(alignment.lost, 'word')} without a counterpart in the source")
    found = list(proposer.proposals(min_count))
    learning = Learning(file or user_lexicon())
    rows = weighed([proposal.lesson for proposal in found], learning.rows())
    if format == "tsv":
        print("\n".join([HEADER, *map(line_of, sorted(_noted(found, rows), key=lambda row: row.order))]))
    elif found:
        print("\n".join(_table(found, rows)))
    met = f"{counted(len(found), 'swap')}, met {counted(sum(proposal.count for proposal in found), 'time')}"
    run.say(f"{counted(pairs, 'pair')}, {run.tally.unreadable:,} rejected: {met}")
    if found and format != "tsv" and not dry_run:
        if yes or _confirmed(f"Write them to {plain(str(learning.lexicon))}?"):
            new = learning.add(proposal.lesson for proposal in found)
            run.say(f"{learning.lexicon}: {counted(new, 'row')} added; `repair lexicon undo` takes the lesson back")
        else:
            run.say("nothing was written; --yes writes")
    raise typer.Exit(run.code(0, exit_zero=True))


def _confirmed(question: str) -> bool:
    """Asks a person; where there is none, the answer is no."""
    return sys.stdin.isatty() and typer.confirm(question, err=True)


def _table(found: list[Proposal], rows: list[Row]) -> Iterator[str]:
    from repair.display import plain

    for proposal, row in zip(found, rows, strict=True):
        before, here, after = map(plain, proposal.context)
        swap = plain(f"{proposal.observed} → {proposal.original}")
        yield f"{proposal.count:4}  {swap:44} {row.kind:9} {row.weight:.2f}  {before}[{here}]{after}"


def _noted(found: list[Proposal], rows: list[Row]) -> Iterator[Row]:
    """The rows with the first place of each in the note."""
    from dataclasses import replace

    from repair.display import plain

    for proposal, row in zip(found, rows, strict=True):
        before, here, after = map(plain, proposal.context)
        yield replace(row, note=f"{proposal.count} times, as in: {before}[{here}]{after}")


def _one(run: Session, path: str, spun_field: str, original_field: str) -> Iterator[Pair]:
    """The pairs of jsonl with both fields."""
    from repair.read import Fields, Line, Missing, find, read

    for source in find([path]):
        if isinstance(source, Missing):
            run.failed(source.error)
            continue
        if source.format != "jsonl":
            raise UsageError(f"{source.name}: name its source too, or give jsonl with both texts")
        for item in read(source, Fields(run.config.id_field, spun_field)):
            if item.error:
                run.failed(item.error)
            elif item.article and isinstance(item.form, Line):
                theirs = item.form.row.get(original_field)
                place = f"{source.name}:{item.line}"
                if isinstance(theirs, str):
                    yield place if item.id == place else f"{place} ({item.id})", item.article.text, theirs
                else:
                    cure = f"no text in the field {original_field!a}; name it with --original-field"
                    run.failed(InputError(f"{place}: {cure}", "missing-field"))


def _two(run: Session, spun: str, original: str) -> Iterator[Pair]:
    """The pairs that two files or folders make; what is left over on either side is told."""
    single = Path(spun).is_file() and Path(original).is_file()
    theirs = {_name(item, single): (item.id, text) for item, text in _texts(run, original)}
    alone: list[tuple[str, str]] = []
    for item, text in _texts(run, spun):
        if other := theirs.pop(_name(item, single), None):
            yield item.id, text, other[1]
        else:
            alone.append((item.id, original))
    for id, folder in [*alone, *((id, spun) for id, _ in theirs.values())]:
        run.failed(InputError(f"{id}: nothing in {folder} has this name; pair by file name or id", "unpaired"))


def _texts(run: Session, path: str) -> Iterator[tuple[Item, str]]:
    """The articles of one side."""
    from repair.read import Fields, Missing, find, read

    for source in find([path]):
        if isinstance(source, Missing):
            run.failed(source.error)
            continue
        for item in read(source, Fields(run.config.id_field)):
            if item.error:
                run.failed(item.error)
            elif item.article:
                yield item, item.article.text


def _name(item: Item, single: bool) -> str:
    """What pairs an article with its source: a line's id or number; a file's place below its folder, without ending."""
    if item.line is not None:
        return str(item.line) if item.id == f"{item.source.name}:{item.line}" else f"id {item.id}"
    inside = item.source.inside or PurePath(item.source.name)
    while inside.suffix.lower() in ENDINGS:
        inside = inside.with_suffix("")
    return "" if single else inside.as_posix()
