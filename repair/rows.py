"""Lexicon files: one swap a line, for people to read and for programs to check.

Tab-separated, with the header line ``observed original kind weight context note source clean``:

observed, original  the wording found and the wording the source had, in base form
kind      noun, verb, adjective, adverb, function, name; or ignore: leave this wording alone, it maps to itself
weight    0 to 1: how much the observed wording alone speaks for a swap
context   blank-separated conditions on the words near: of the ``+word`` at least one must be there, of the ``-word``
          none may; "_" stands for the blanks of a term ("+surface_area")
note      for people
source    where the row comes from
clean     hits per million words of clean text, as measured; empty where nobody measured

Rows are sorted by observed wording, so that two people's changes merge and a reader finds what is there.
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from importlib.resources import files
from pathlib import Path

from repair.errors import LexiconError

KINDS = ("noun", "verb", "adjective", "adverb", "function", "name", "ignore")
LOOP = 0.3  # below this weight two opposite rows are hints that the context decides between, not a loop
CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
TERM = re.compile(r"[+-][^\s+-]\S*")


@dataclass(frozen=True, slots=True)
class Row:
    """One swap, or a wording to leave alone."""

    observed: str
    original: str
    kind: str = "noun"
    weight: float = 0.9
    context: tuple[str, ...] = ()
    note: str = ""
    source: str = ""
    clean: float | None = None

    @property
    def wanted(self) -> tuple[str, ...]:
        """Terms of which at least one must stand near, in lower case."""
        return tuple(_term(term) for term in self.context if term[0] == "+")

    @property
    def unwanted(self) -> tuple[str, ...]:
        """Terms of which none may stand near, in lower case."""
        return tuple(_term(term) for term in self.context if term[0] == "-")

    @property
    def order(self) -> tuple[str, str, str]:
        """What files are sorted by."""
        return self.observed.casefold(), self.observed, self.original


COLUMNS = tuple(field.name for field in fields(Row))
HEADER = "\t".join(COLUMNS)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a line, and the cure."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


def parse(line: str) -> Row:
    """The row in a line. Raises ValueError with what is wrong and the cure."""
    observed, original, kind, weight, context, note, source, clean = cells(line)
    return Row(
        observed, original, kind, float(weight), tuple(context.split()), note, source, float(clean) if clean else None
    )


def cells(line: str) -> list[str]:
    """The columns of a line, all of them right. Raises ValueError like ``parse``, which is slower."""
    if control := CONTROL.search(line):
        raise ValueError(f"control character {control[0]!a}; delete it")
    found = line.split("\t")
    if len(found) != len(COLUMNS):
        raise ValueError(f"{len(found)} columns instead of {len(COLUMNS)}; separate {', '.join(COLUMNS)} by tabs")
    observed, original, kind, weight, context, _, _, clean = found
    for name, wording in (("observed", observed), ("original", original)):
        if not wording or wording != " ".join(wording.split()):
            raise ValueError(f"{name} is {wording!a}; write words with single blanks between them")
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!a}; it is one of {', '.join(KINDS)}")
    for term in context.split():
        if not TERM.fullmatch(term):
            raise ValueError(f"context {term!a} is no condition; write +word or -word")
    if (kind == "ignore") != (observed == original):
        if kind == "ignore":
            raise ValueError("an ignore row leaves a wording alone; write the same in observed and original")
        raise ValueError(f"{observed!a} maps to itself; make it an ignore row, or delete it")
    number = _number(weight)
    if number is None or number > 1:
        raise ValueError(f"weight {weight!a} is no number from 0 to 1; write one, such as 0.9")
    if clean and _number(clean) is None:
        raise ValueError(f"clean {clean!a} is no count per million words; write a number, or leave it empty")
    return found


def format(row: Row) -> str:
    """The line of a row."""
    cells = list(astuple(row))
    cells[3] = f"{row.weight:g}"
    cells[4] = " ".join(row.context)
    cells[7] = "" if row.clean is None else f"{row.clean:g}"
    return "\t".join(cells)


def read(path: Path) -> list[Row]:
    """The rows of a file, in the file's order. Raises LexiconError for the first line that is wrong."""
    return [parse(line) for line, _, _ in scan(path)]


def scan(path: Path) -> Iterator[tuple[str, str, str]]:
    """Line, observed wording and kind of each row, in the file's order, without making rows. Raises like ``read``."""
    for number, line in _lines(path):
        try:
            observed, _, kind, *_ = cells(line)
        except ValueError as error:
            raise LexiconError(f"{path}:{number}: {error}") from None
        yield line, observed, kind


def pairs(path: Path) -> Iterator[tuple[str, str]]:
    """Observed and original of each row, of a file that is known to be valid: many times quicker than ``read``."""
    for _, line in _lines(path):
        observed, original, _ = line.split("\t", 2)
        yield observed, original


def write(path: Path, rows: Iterable[Row]) -> None:
    """Replace a file, in one step, by these rows, sorted."""
    from repair.write import replacing

    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [HEADER, *(format(row) for row in sorted(rows, key=lambda row: row.order))]
    with replacing(path, packing="gz" if path.suffix == ".gz" else "") as file:
        file.write(("\n".join(lines) + "\n").encode("utf-8"))


def problems(paths: Path | Sequence[Path]) -> list[Problem]:
    """What is wrong with files that are used together: duplicates and loops count across them."""
    known = _Known({}, {})
    return [problem for path in ([paths] if isinstance(paths, Path) else paths) for problem in _problems(path, known)]


@dataclass(frozen=True, slots=True)
class _Known:
    """Where each swap was seen: exactly as written, and as folded pairs with their highest weight."""

    rows: dict[tuple[str, str, str], str]
    pairs: dict[tuple[str, str], tuple[float, str]]


def _problems(path: Path, known: _Known) -> Iterator[Problem]:
    before: Row | None = None
    try:
        lines = list(_lines(path))
    except LexiconError as error:
        yield Problem(str(path), 1, str(error).removeprefix(f"{path}:1: "))
        return
    for number, line in lines:
        try:
            row = parse(line)
        except ValueError as error:
            yield Problem(str(path), number, str(error))
            continue
        for message in _conflicts(row, before, known):
            yield Problem(str(path), number, message)
        before = row
        place = f"{path}:{number}"
        known.rows.setdefault((row.observed, row.original, row.kind), place)
        pair = row.observed.casefold(), row.original.casefold()
        known.pairs[pair] = max(known.pairs.get(pair, (-1.0, "")), (row.weight, place))


def _conflicts(row: Row, before: Row | None, known: _Known) -> Iterator[str]:
    """What is wrong with a row beside the others."""
    if before and row.order < before.order:
        yield f"{row.observed!a} stands after {before.observed!a}; sort the file (repair lexicon check --sort)"
    if place := known.rows.get((row.observed, row.original, row.kind)):
        yield f"{row.observed!a} to {row.original!a} as {row.kind} is at {place} already; keep one of them"
    weight, place = known.pairs.get((row.original.casefold(), row.observed.casefold()), (0.0, ""))
    if row.kind != "ignore" and min(weight, row.weight) >= LOOP:
        yield f"a loop: {place} maps {row.original!a} back; delete one, or lower its weight below {LOOP}"


def shipped() -> list[Path]:
    """The lexicons that come with the package: inside it when installed, beside it in a checkout."""
    package = Path(str(files("repair")))
    for folder in (package / "lexicons", package.parent / "lexicons"):
        if folder.is_dir():
            return sorted(folder.glob("*.tsv"))
    return []


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines after the header."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            text = file.read()
    except UnicodeDecodeError as error:
        raise LexiconError(f"{path}:1: not UTF-8 at byte {error.start}; convert it to UTF-8") from None
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise LexiconError(f"{path}:1: it can't be read ({why}); check path and mode") from None
    lines = text.split("\n")  # splitlines would also split at characters that are refused below
    if lines and not lines[-1]:
        lines.pop()
    if not lines or lines[0] != HEADER:
        raise LexiconError(f"{path}:1: the header is missing; write {', '.join(COLUMNS)}, separated by tabs")
    return enumerate(lines[1:], 2)


def _term(term: str) -> str:
    return term[1:].replace("_", " ").replace("’", "'").lower()


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
