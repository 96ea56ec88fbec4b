"""Common words that edited English writes between two words far oftener than chance: what n-grams alone propose."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from repair.inflection import analyses
from repair.ngrams import Floats, NgramStore

_MOST = 6  # words proposed for a place
_TRIED = 40  # words whose inflection is looked at
_KEPT = 1500  # words whose common neighbours are kept, on either side
_Seen = tuple[npt.NDArray[np.int16], Floats]  # numbers of words in order, and their counts


class Between:
    """Shared between articles; keeps nothing of them. ``words``: the common words, all known to the store."""

    def __init__(self, store: NgramStore, words: Sequence[str]) -> None:
        self._store, self._words = store, words
        self._ids = store.encode(words)
        self._unigram = store.unigram(self._ids)
        self._after = lru_cache(maxsize=_KEPT)(self._counts_after)
        self._before = lru_cache(maxsize=_KEPT)(self._counts_before)

    def words(self, before: int, after: int, observed: str) -> list[str]:
        """Words in the inflection of a folded word, best first, for the place between two words given by their ids."""
        (follow, lefts), (precede, rights) = self._after(before), self._before(after)
        counts = np.zeros(len(self._words), np.float32)
        counts[follow] = lefts
        both = counts[precede] > 0
        seen, right = precede[both], rights[both]
        left = counts[seen]
        association, unigram = self._store.association, self._store.unigram
        worth = association(left, unigram(np.array([before])), self._unigram[seen])
        worth += association(right, self._unigram[seen], unigram(np.array([after])))
        tags = {tag for _, tag in analyses(observed)}
        out: list[str] = []
        for k in seen[np.argsort(-worth, kind="stable")[:_TRIED]].tolist():
            word = self._words[k]
            if word != observed and any(tag in tags for _, tag in analyses(word)):
                out.append(word)
                if len(out) == _MOST:
                    break
        return out

    def _counts_after(self, word: int) -> _Seen:
        """Which common words follow a word, and how often."""
        return _seen(self._store.count(np.full_like(self._ids, word), self._ids))

    def _counts_before(self, word: int) -> _Seen:
        """Which common words go before a word, and how often."""
        return _seen(self._store.count(self._ids, np.full_like(self._ids, word)))


def _seen(counts: Floats) -> _Seen:
    there = np.flatnonzero(counts > 0).astype(np.int16)
    return there, counts[there]
