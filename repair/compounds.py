"""Two words that stand for one: "sleep time" for bedtime, "on line" for online, "more seasoned" for older.

Machines take compounds apart and swap a half, and write comparatives with "more" and "most" before a synonym that has
no comparative of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

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
        self._before = lru_cache(maxsize=4_000)(self._firsts)
        self._swapped = lru_cache(maxsize=2_000)(self._halves)  # a word stands beside many others

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
        else:
            found = [w + second for w in self._before(first)]
            found += [first + half for half in self._swapped(second)]
        known, counts = self._store.ids, self._store.unigrams
        return [w for w in dict.fromkeys(w for w in found if w in known) if w and counts[known[w]] >= _LEAST]

    def _firsts(self, first: str) -> list[str]:
        """A compound's first half as it stands, and what may have stood in its place."""
        return list(dict.fromkeys([first, *(w for lemma, _ in analyses(first) for w in self._near(lemma))]))

    def _halves(self, second: str) -> list[str]:
        """What may have stood in place of a compound's second half: its neighbours, in the same inflection."""
        found = (inflect(w, tag) for lemma, tag in analyses(second) for w in self._near(lemma))
        return [half for half in dict.fromkeys(found) if half and len(half) >= _SHORTEST]

    def _near(self, lemma: str) -> list[str]:
        return [w for w in self._thesaurus.neighbours(lemma) if " " not in w]
