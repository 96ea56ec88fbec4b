"""The lexicon at run time: every row in all its inflections, found in a text by the words it starts with."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from repair import rows
from repair.inflection import KIND_TAGS, phrase_forms
from repair.rows import Row
from repair.segment import NUMBER, TOKEN, Text, fold

_KEPT = 8_000  # wordings whose entries are kept, some 600 bytes an entry


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
    both = zip(phrase_forms(row.observed, row.kind), phrase_forms(row.original, row.kind), strict=True)
    for observed, original in dict.fromkeys(both):
        if observed and original and observed != original:
            yield Entry(observed, original, row)


def key_of(wording: str) -> str:
    """The folded tokens of a wording, as look-ups compare them; numbers as they stand ("7 days" is no "12 days")."""
    lower = wording.lower()
    if lower.isascii() and lower.replace(" ", "").isalpha():  # no mark or number: the tokens are the words
        return " ".join(lower.split())
    return " ".join(w if w[0].isdigit() else fold(w) for w in TOKEN.findall(lower))


class Lexicon:
    """Rows of several files. Ignore rows win over all others that share their wording.

    Rows stay lines, and only hashes of what they may look like in a text are kept (forms whose original has none are
    among them, and say nothing): a row costs some 130 bytes. What a wording says is worked out when it is met; of so
    many as ``kept`` says it is remembered.
    """

    def __init__(self, paths: Iterable[Path], ignore: Iterable[str] = (), kept: int = _KEPT) -> None:
        self.ignored = {key_of(w) for w in ignore}
        self._lines: list[str] = []
        self._longest: dict[str, int] = {}  # words of the longest wording, by its first word; and of ignored ones
        self._longest_ignored: dict[str, int] = {}
        hashes, numbers = array("q"), array("i")
        before, mine = ("", ""), list[int]()  # files are sorted: rows of one wording stand together
        for path in paths:
            for line, observed, kind in rows.scan(path):
                if kind == "ignore":
                    self.ignored.add(key_of(observed))
                    continue
                if before != (observed, kind):
                    before = observed, kind
                    keys = {key_of(form) for form in (observed, *forms(observed, kind)) if form}
                    mine = [hash(key) for key in keys]
                    for key in keys:
                        _lengthen(self._longest, key)
                hashes.extend(mine)
                numbers.extend([len(self._lines)] * len(mine))
                self._lines.append(line)
        for key in self.ignored:
            _lengthen(self._longest_ignored, key)
        order = np.argsort(np.array(hashes, np.int64), kind="stable")  # rows of a wording stay in their order
        self._hashes, self._numbers = np.array(hashes, np.int64)[order], np.array(numbers, np.int32)[order]
        self.entries = lru_cache(maxsize=kept)(self._entries)

    def _entries(self, key: str) -> tuple[Entry, ...]:
        """What all rows say of a wording given by its key, in the order of the rows."""
        first, last = (int(np.searchsorted(self._hashes, hash(key), side)) for side in ("left", "right"))
        return tuple(entry for i in self._numbers[first:last].tolist() for entry in self._said(self._lines[i], key))

    def _said(self, line: str, key: str) -> Iterator[Entry]:
        """What a line says of a wording given by its key."""
        return (entry for entry in inflected(rows.parse(line)) if key_of(entry.observed) == key)

    def matches(self, text: Text) -> Iterator[Match]:
        """Every stretch that rows know, whose context conditions hold; overlapping ones too."""
        folded = text.folded
        sentence_of: list[int] | None = None
        for i, length, key in self._known(text):
            found = self.entries(key)
            if not found or not _one_line(text, i, i + length):
                continue
            if any(e.row.kind == "name" for e in found) and not _capital(text.words[i : i + length]):
                found = tuple(e for e in found if e.row.kind != "name")
            if any(e.row.context for e in found):
                if sentence_of is None:
                    sentence_of = [k for k, s in enumerate(text.sentences) for _ in range(s.first, s.last)]
                s = text.sentences[sentence_of[i]]
                found = tuple(e for e in found if _context_holds(e.row, folded[s.first : s.last]))
            if found:
                yield Match(i, i + length, found)

    def _known(self, text: Text) -> Iterator[tuple[int, int, str]]:
        """First token, length and key of the stretches whose hash is that of a row, the longer ones first."""
        places = list(_stretches(text, self._longest))
        hashes = np.fromiter((hash(key) for _, _, key in places), np.int64, len(places))
        at = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        known = self._hashes[at] == hashes if len(self._hashes) else np.zeros(len(places), bool)
        return (places[k] for k in np.flatnonzero(known).tolist())

    def ignored_tokens(self, text: Text) -> list[bool]:
        """For each token whether an ignore row covers it."""
        out = [False] * len(text)
        if self.ignored:
            for i, length, key in _stretches(text, self._longest_ignored):
                if key in self.ignored:
                    out[i : i + length] = [True] * length
        return out


def _lengthen(longest: dict[str, int], key: str) -> None:
    first, *rest = key.split(" ")
    longest[first] = max(1 + len(rest), longest.get(first, 0))


def _stretches(text: Text, longest: Mapping[str, int]) -> Iterator[tuple[int, int, str]]:
    """First token, length and key of every stretch that begins as a wording does, the longer ones first."""
    words = _looked_up(text)
    for i, word in enumerate(words):
        for length in range(min(longest.get(word, 0), len(words) - i), 0, -1):
            yield i, length, " ".join(words[i : i + length])


def forms(wording: str, kind: str) -> Sequence[str | None]:
    """The inflected forms of a wording as it stands in a row, None where it has none; itself where it has no forms."""
    return phrase_forms(wording, kind) if kind in KIND_TAGS else (wording,)


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
