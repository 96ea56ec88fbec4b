"""The lexicon at run time: every row in all its inflections, found in a text by the words it starts with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from repair import rows
from repair.inflection import KIND_TAGS, phrase_forms
from repair.rows import Row
from repair.segment import NUMBER, TOKEN, Text, fold


class Entry(NamedTuple):
    """One inflected reading of a row: what may have stood where ``observed`` stands."""

    observed: str
    original: str
    row: Row


@dataclass(frozen=True, slots=True)
class Match:
    """Tokens [first, last) of a text that rows know, and what the rows say."""

    first: int
    last: int
    entries: tuple[Entry, ...]


def inflected(row: Row) -> Iterator[Entry]:
    """All forms of a row: "wisdom business" also as "wisdom businesses"."""
    if row.kind not in KIND_TAGS:
        yield Entry(row.observed, row.original, row)
        return
    forms = zip(phrase_forms(row.observed, row.kind), phrase_forms(row.original, row.kind), strict=True)
    for observed, original in dict.fromkeys(forms):
        if observed and original and observed != original:
            yield Entry(observed, original, row)


def key_of(wording: str) -> tuple[str, ...]:
    """The folded tokens of a wording, as look-ups compare them; numbers as they stand ("7 days" is no "12 days")."""
    lower = wording.lower()
    if lower.isascii() and lower.replace(" ", "").isalpha():  # no mark or number: the tokens are the words
        return tuple(lower.split())
    return tuple(w if w[0].isdigit() else fold(w) for w in TOKEN.findall(lower))


class Lexicon:
    """Rows of several files. Ignore rows win over all others that share their wording."""

    def __init__(self, paths: Iterable[Path], ignore: Iterable[str] = ()) -> None:
        self.entries: dict[tuple[str, ...], list[Entry]] = defaultdict(list)
        self.ignored: set[tuple[str, ...]] = {key_of(w) for w in ignore}
        for path in paths:
            for row in rows.read(path):
                if row.kind == "ignore":
                    self.ignored.add(key_of(row.observed))
                    continue
                for entry in inflected(row):
                    self.entries[key_of(entry.observed)].append(entry)
        self._longest: dict[str, int] = {}
        for key in [*self.entries, *self.ignored]:
            self._longest[key[0]] = max(len(key), self._longest.get(key[0], 0))

    def matches(self, text: Text) -> Iterator[Match]:
        """Every stretch that rows know, whose context conditions hold; overlapping ones too."""
        folded, words = text.folded, _looked_up(text)
        sentence_of: list[int] | None = None
        for i, word in enumerate(words):
            for length in range(min(self._longest.get(word, 0), len(folded) - i), 0, -1):
                found = self.entries.get(tuple(words[i : i + length]))
                if not found or not _one_line(text, i, i + length):
                    continue
                if any(e.row.kind == "name" for e in found) and not _capital(text.words[i : i + length]):
                    found = [e for e in found if e.row.kind != "name"]
                if any(e.row.context for e in found):
                    if sentence_of is None:
                        sentence_of = [k for k, s in enumerate(text.sentences) for _ in range(s.first, s.last)]
                    s = text.sentences[sentence_of[i]]
                    found = [e for e in found if _context_holds(e.row, folded[s.first : s.last])]
                if found:
                    yield Match(i, i + length, tuple(found))

    def ignored_tokens(self, text: Text) -> list[bool]:
        """For each token whether an ignore row covers it."""
        out = [False] * len(text)
        if self.ignored:
            words = _looked_up(text)
            for i, word in enumerate(words):
                for length in range(min(self._longest.get(word, 0), len(text) - i), 0, -1):
                    if tuple(words[i : i + length]) in self.ignored:
                        out[i : i + length] = [True] * length
                        break
        return out


def _looked_up(text: Text) -> list[str]:
    return [w if f == NUMBER else f for w, f in zip(text.words, text.folded, strict=True)]


def _one_line(text: Text, first: int, last: int) -> bool:
    return not any(text.line_starts[first + 1 : last])


def _capital(words: Sequence[str]) -> bool:
    """Whether a stretch may be a name: "Decide Johnson", but not "to decide"."""
    return any(word[0].isupper() for word in words)


def _context_holds(row: Row, words: Sequence[str]) -> bool:
    there = f" {' '.join(words)} "
    if any(f" {w} " in there for w in row.unwanted):
        return False
    return not row.wanted or any(f" {w} " in there for w in row.wanted)
