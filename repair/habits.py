"""What machines are known to write: swaps that were met in annotated articles, and by how many of their writers.

A lexicon row says what a wording may stand for; this says how often it did. Built by training/habits.py. In the file
the originals of a wording stand in one line, which loads in two thirds of the time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from repair import rows
from repair.errors import artifact
from repair.lexicon import Entry, Lexicon, Match, forms, key_of
from repair.rows import Row
from repair.segment import Text

_KEPT = 2_000  # wordings whose originals are kept, and whose rows: those that machines like are met again and again
_BETWEEN = "|"  # originals of a line, and their numbers of writers


def read(path: Path) -> Iterator[Row]:
    """The swaps of a file one by one. Raises LexiconError for the first line that is wrong."""
    for line, _, _ in rows.scan(path):
        yield from _apart(rows.parse(line))


def write(path: Path, swaps: Mapping[tuple[str, str, str], int]) -> None:
    """Replace a file by these swaps (observed, original, kind) and the number of writers of each."""
    together: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for (observed, original, kind), number in sorted(swaps.items()):
        together.setdefault((observed, kind), []).append((original, str(number)))
    lines = []
    for (observed, kind), found in together.items():
        originals, numbers = (_BETWEEN.join(column) for column in zip(*found, strict=True))
        lines.append(Row(observed, originals, kind, note=numbers, source="habits"))
    rows.write(path, lines)


def _apart(row: Row) -> Iterator[Row]:
    for original, writers in zip(row.original.split(_BETWEEN), row.note.split(_BETWEEN), strict=True):
        yield Row(row.observed, original, row.kind, note=writers, source=row.source)


class _Swaps(Lexicon):
    def _said(self, line: str, key: str) -> Iterator[Entry]:
        """As of a lexicon's row, but what all originals of the line share is worked out once."""
        row = rows.parse(line)
        observed = [form if form and key_of(form) == key else None for form in forms(row.observed, row.kind)]
        for swap in _apart(row):
            pairs = zip(observed, forms(swap.original, row.kind), strict=True)
            yield from (Entry(a, b, swap) for a, b in dict.fromkeys(pairs) if a and b and a != b)


class Habits:
    """Swaps with the number of writers who used them.

    swaps: with that number as note. but: those (observed, original, kind) for which one writer less counts.
    """

    def __init__(self, swaps: Lexicon, but: Collection[tuple[str, str, str]] = frozenset()) -> None:
        self._swaps, self._but = swaps, but
        self.of = lru_cache(maxsize=_KEPT)(self._of)

    @classmethod
    def read(cls, path: Path) -> Habits:
        """The habits in a file. Raises ArtifactError where it is missing or damaged."""
        with artifact(path, "habits"):
            return cls(_Swaps([path], kept=_KEPT))

    def less(self, swaps: Collection[tuple[str, str, str]]) -> Habits:
        """The same as if the writer of some swaps were unknown: so his own articles are judged."""
        return Habits(self._swaps, swaps)

    def matches(self, text: Text) -> Iterator[Match]:
        """Every stretch of a text that a machine is known to have written."""
        if not self._but:
            yield from self._swaps.matches(text)
            return
        for match in self._swaps.matches(text):
            entries = tuple(entry for entry in match.entries if self._writers(entry))
            if entries:
                yield Match(match.first, match.last, entries)

    def _of(self, observed: str) -> dict[str, int]:
        """How many writers used a folded wording for each folded original."""
        found: dict[str, int] = {}
        for entry in self._swaps.entries(key_of(observed)):
            if n := self._writers(entry):
                original = entry.original.lower()
                found[original] = max(n, found.get(original, 0))
        return found

    def _writers(self, entry: Entry) -> int:
        row = entry.row
        return int(row.note) - ((row.observed, row.original, row.kind) in self._but)
