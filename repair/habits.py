"""What machines are known to write: swaps that were met in annotated articles, and by how many of their writers.

A lexicon row says what a wording may stand for; this says how often it did. Built by training/habits.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path

from repair.errors import artifact
from repair.lexicon import Entry, Lexicon, Match, key_of
from repair.segment import Text

_KEPT = 2_000  # wordings whose originals are kept, and whose rows: those that machines like are met again and again


class Habits:
    """Swaps with the number of writers who used them.

    rows: the swaps, with that number as note. but: swaps (observed, original, kind) for which one writer less counts.
    """

    def __init__(self, rows: Lexicon, but: Collection[tuple[str, str, str]] = frozenset()) -> None:
        self._rows, self._but = rows, but
        self.of = lru_cache(maxsize=_KEPT)(self._of)

    @classmethod
    def read(cls, path: Path) -> Habits:
        """The habits in a file. Raises ArtifactError where it is missing or damaged."""
        with artifact(path, "habits"):
            return cls(Lexicon([path], kept=_KEPT))

    def less(self, swaps: Collection[tuple[str, str, str]]) -> Habits:
        """The same as if the writer of some swaps were unknown: so his own articles are judged."""
        return Habits(self._rows, swaps)

    def matches(self, text: Text) -> Iterator[Match]:
        """Every stretch of a text that a machine is known to have written."""
        if not self._but:
            yield from self._rows.matches(text)
            return
        for match in self._rows.matches(text):
            entries = tuple(entry for entry in match.entries if self._writers(entry))
            if entries:
                yield Match(match.first, match.last, entries)

    def _of(self, observed: str) -> dict[str, int]:
        """How many writers used a folded wording for each folded original."""
        found: dict[str, int] = {}
        for entry in self._rows.entries(key_of(observed)):
            if n := self._writers(entry):
                original = entry.original.lower()
                found[original] = max(n, found.get(original, 0))
        return found

    def _writers(self, entry: Entry) -> int:
        row = entry.row
        return int(row.note) - ((row.observed, row.original, row.kind) in self._but)
