"""``repair lexicon``: keeps lexicon files valid and edits the user's own one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from typer.core import TyperGroup

from repair.errors import LexiconError, UsageError

if TYPE_CHECKING:
    from repair.rows import Row

Kind = Literal["noun", "verb", "adjective", "adverb", "function", "name", "ignore"]

lexicon = typer.Typer(
    cls=TyperGroup, help="Keep lexicons valid; add to your own one.", no_args_is_help=True, rich_markup_mode=None
)
File = Annotated[Path | None, typer.Option("--file", metavar="FILE", help="This lexicon. [your own]")]
Note = Annotated[str, typer.Option(metavar="TEXT", help="For people.")]


@lexicon.command()
def check(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="[PATH...]", help="Files. [the shipped ones]")] = None,
    sort: Annotated[bool, typer.Option("--sort", help="Sort the files first, where their rows are valid.")] = False,
) -> None:
    """Refuse duplicates, loops, idle and broken rows, and files that are not sorted; say line and cure."""
    from repair.display import counted, plain
    from repair.rows import problems, read, shipped, write

    files = [file for path in paths or shipped() for file in (sorted(path.glob("*.tsv")) if path.is_dir() else [path])]
    if not files:
        raise UsageError("no lexicon there; name .tsv files or a folder that holds some")
    if sort:
        for file in files:
            rows = read(file)
            if rows != sorted(rows, key=lambda row: row.order):
                write(file, rows)
    found = problems(files)
    for problem in found:
        print(plain(str(problem)))
    print(f"{counted(len(files), 'lexicon')}, {counted(len(found), 'problem')}", file=sys.stderr)
    raise typer.Exit(int(bool(found)))


@lexicon.command()
def add(
    observed: Annotated[str, typer.Argument(help="The wording found, in base form.")],
    original: Annotated[str, typer.Argument(help="The wording the source had, in base form.")],
    kind: Annotated[Kind, typer.Option(help="How both are inflected.")] = "noun",
    weight: Annotated[float, typer.Option(min=0, max=1, help="How much the wording alone speaks for a swap.")] = 0.9,
    context: Annotated[str, typer.Option(metavar="TERMS", help="+word must, -word must not stand near.")] = "",
    note: Note = "",
    file: File = None,
) -> None:
    """Add a swap to your lexicon, which the command always reads."""
    from repair.rows import Row

    _insert([Row(observed, original, kind, weight, tuple(context.split()), note, "user")], file)


@lexicon.command()
def ignore(
    phrase: Annotated[str, typer.Argument(help="The wording to leave alone.")], note: Note = "", file: File = None
) -> None:
    """Never report a wording."""
    from repair.rows import Row

    _insert([Row(phrase, phrase, "ignore", 1.0, (), note, "user")], file)


@lexicon.command(name="import")
def import_(
    export: Annotated[Path, typer.Argument(metavar="FILE", help="CSV: tortured_phrase,expected_phrase,num_papers.")],
    file: File = None,
) -> None:
    """Add the Problematic Paper Screener's phrases to your lexicon; those that are there already stay as they are."""
    from repair.screener import read

    _insert(list(read(export)), file, skip=True)


@lexicon.command()
def show(
    learned: Annotated[bool, typer.Option("--learned", help="What your decisions taught, with their counts.")] = False,
    file: File = None,
) -> None:
    """Print your lexicon, or what was learned into it."""
    from repair.config import user_lexicon
    from repair.display import counted, plain
    from repair.learning import Learning
    from repair.rows import HEADER, format

    learning = Learning(file or user_lexicon())
    held = learning.rows()
    if not learned:
        print("\n".join([HEADER, *map(format, held)]))
        print(f"{learning.lexicon}: {counted(len(held), 'row')}", file=sys.stderr)
        return
    weights = {(row.observed, row.original): f"{row.weight:.2f}" for row in held}
    swaps = learning.known()
    for swap in swaps.values():
        wording = f"{swap.observed} → {swap.original}" if swap.kind != "ignore" else f"{swap.observed} (ignored)"
        counts = f"{swap.accepted:4} accepted {swap.rejected:4} rejected"
        print(f"{plain(wording):44} {swap.kind:9} {weights.get(swap.key, '-'):>4}  {counts}  {plain(swap.at)}")
    for row in _silenced(held):
        print(f"{plain(f'{row.observed} (ignored)'):44} {row.kind:9} {row.weight:.2f}  in a review")
    print(f"{learning.journal}: {counted(len(swaps), 'swap')} learned", file=sys.stderr)


@lexicon.command()
def undo(
    observed: Annotated[
        str, typer.Argument(metavar="[OBSERVED]", help="This wording, in base form. [the last lesson]")
    ] = "",
    file: File = None,
) -> None:
    """Take back the last lesson (a decision, or a run of `repair learn`), or all about a wording, ignoring included."""
    from repair.config import user_lexicon
    from repair.display import counted, plain
    from repair.learning import Learning

    learning = Learning(file or user_lexicon())
    gone = learning.forget(observed) if observed else learning.undo()
    ignored = _silenced(learning.rows(), observed)
    for row in ignored:
        silence(row.observed, False, learning.lexicon)
        print(plain(f"reported again: {row.observed}"), file=sys.stderr)
    if not gone and not ignored:
        what = f"nothing about {observed!a}" if observed else "nothing"
        raise UsageError(f"{learning.journal}: {what} was learned; `repair lexicon show --learned` lists what was")
    for swap in gone[:20]:
        print(plain(f"taken back: {swap.observed} → {swap.original}"), file=sys.stderr)
    if len(gone) > 20:
        print(f"and {len(gone) - 20:,} more", file=sys.stderr)
    print(f"{learning.lexicon}: {counted(len(gone), 'swap')} taken back", file=sys.stderr)


def _silenced(rows: list[Row], wording: str | None = None) -> list[Row]:
    """The rows that "ignore always" of a review has put in, all or those of a wording."""
    wanted = None if wording is None else wording.casefold()
    return [row for row in rows if row.source == "review" and wanted in (None, row.observed.casefold())]


def silence(wording: str, on: bool, file: Path | None = None) -> None:
    """Ignore a wording always, as ``repair lexicon ignore`` does; or take that back (``on`` False)."""
    from repair.config import user_lexicon
    from repair.rows import Row, read, write

    path, row = file or user_lexicon(), Row(" ".join(wording.split()), " ".join(wording.split()), "ignore", 1.0)
    held = read(path) if path.exists() else []
    there = [r for r in held if (r.observed, r.kind) == (row.observed, "ignore")]
    if on and not there:
        _insert([Row(row.observed, row.original, "ignore", 1.0, (), "", "review")], path, quiet=True)
    elif not on and any(r.source == "review" for r in there):  # a row that the user wrote is the user's
        write(path, [r for r in held if r not in there or r.source != "review"])


def _insert(rows: list[Row], file: Path | None, *, skip: bool = False, quiet: bool = False) -> None:
    """Put rows into a lexicon. What is there already is an error, or passed over (``skip``)."""
    from repair.config import user_lexicon
    from repair.rows import format, parse, read, write

    path = file or user_lexicon()
    held = read(path) if path.exists() else []
    known = {(row.observed, row.original, row.kind) for row in held}
    back = {(row.original.casefold(), row.observed.casefold()) for row in held if row.kind != "ignore"}
    new, passed = [], 0
    for row in rows:
        key = row.observed, row.original, row.kind
        looped = row.kind != "ignore" and (row.observed.casefold(), row.original.casefold()) in back
        try:
            parse(format(row))
            if key in known:
                raise ValueError(f"{row.observed!a} to {row.original!a} is there already")
            if looped:
                raise ValueError(f"{row.original!a} to {row.observed!a} is there, which would make a loop; delete it")
        except ValueError as error:
            if not skip:
                raise LexiconError(f"{path}: {error}") from None
            passed += 1
            continue
        known.add(key)
        back.add((row.original.casefold(), row.observed.casefold()))
        new.append(row)
    if new:
        write(path, [*held, *new])
    more = f", {passed} passed over" if passed else ""
    if not quiet:
        print(f"{path}: {len(new)} added{more}", file=sys.stderr)
