"""Two words that stand for one: "sleep time" for bedtime, "on line" for online, "more seasoned" for older.

Machines take compounds apart and swap a half, and write comparatives with "more" and "most" before a synonym that has
no comparative of its own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator
from functools import cached_property, lru_cache

from repair.inflection import analyses, inflect
from repair.ngrams import NgramStore
from repair.segment import Text
from repair.thesaurus import Thesaurus

_LEAST = 40  # occurrences below which a word is no candidate
_COMPARED = {"more": ("JJ", "RB", "JJR"), "most": ("JJ", "RB", "JJS")}
_SHORTEST = 3  # letters of a compound's second half


class Compounds:
    """Single words that two words may stand for. Shared between articles; keeps nothing of them."""

    def __init__(self, thesaurus: Thesaurus, store: NgramStore) -> None:
        self._thesaurus, self._store = thesaurus, store
        self.originals = lru_cache(maxsize=10_000)(self._originals)
        # What edited English continues a beginning with, and begins an ending with: few words, where a dictionary
        # has hundreds of neighbours. A word stands beside many others.
        self._rests = lru_cache(maxsize=1_000)(self._rests_of)
        self._heads = lru_cache(maxsize=1_000)(self._heads_of)

    @cached_property
    def _forward(self) -> list[str]:
        """Words that may be originals, sorted."""
        counts = self._store.unigrams.tolist()
        return sorted(w for w, count in zip(self._store.words, counts, strict=True) if count >= _LEAST and w)

    @cached_property
    def _backward(self) -> list[str]:
        """The same, spelt backwards."""
        return sorted(w[::-1] for w in self._forward)

    def pairs(self, text: Text) -> Iterator[tuple[int, int]]:
        """Token ranges [first, last) of two words side by side, or with a hyphen between."""
        word, lines, n = text.is_word, text.line_starts, len(text)
        for i in range(n - 1):
            j = i + 2 if text.words[i + 1] == "-" else i + 1
            if j < n and word[i] and word[j] and len(text.folded[j]) >= _SHORTEST and not any(lines[i + 1 : j + 1]):
                yield i, j + 1

    def _originals(self, first: str, second: str) -> list[str]:
        """Folded single words that ``first`` and ``second`` together may stand for."""
        found: list[str | None]
        if first in _COMPARED:
            *readings, form = _COMPARED[first]
            lemmas = dict.fromkeys([second, *(lemma for lemma, tag in analyses(second) if tag in readings)])
            found = [inflect(w, form) for lemma in lemmas for w in self._near(lemma)]
            known, counts = self._store.ids, self._store.unigrams
            return [w for w in dict.fromkeys(w for w in found if w in known) if w and counts[known[w]] >= _LEAST]
        near = [self._thesaurus.neighbours(lemma) for lemma, _ in analyses(first)]
        heads = [w for w in self._heads(second) if w == first or any(w in some for some in near)]
        rests = self._swapped(second, self._rests(first))
        return list(dict.fromkeys([*(w + second for w in heads), *(first + w for w in rests)]))

    def _swapped(self, second: str, rests: Collection[str]) -> list[str]:
        """Which of the rests may have stood in place of ``second``: its neighbours, in the same inflection."""
        out = []
        for lemma, tag in analyses(second):
            near = self._thesaurus.neighbours(lemma) if rests else {}
            for rest in rests:
                if any(inflect(w, tag) == rest for w in (rest, *(w for w, _ in analyses(rest))) if w in near):
                    out.append(rest)
        return out

    def _rests_of(self, first: str) -> list[str]:
        """What stands after a first half in single words, as far as it is a word of its own."""
        n, known = len(first), self._store.ids
        return [w[n:] for w in _beginning(self._forward, first) if len(w) >= n + _SHORTEST and w[n:] in known]

    def _heads_of(self, second: str) -> list[str]:
        """What stands before a second half in single words."""
        n = len(second)
        return [w[: n - 1 : -1] for w in _beginning(self._backward, second[::-1]) if len(w) > n]

    def _near(self, lemma: str) -> list[str]:
        return [w for w in self._thesaurus.neighbours(lemma) if " " not in w]


def _beginning(words: list[str], start: str) -> Iterator[str]:
    """Those of some sorted words that begin so."""
    for i in range(bisect_left(words, start), len(words)):
        if not words[i].startswith(start):
            return
        yield words[i]
