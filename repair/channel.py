"""How readily a machine writes one wording for another: what its dictionary would make of it, wherever it stands.

A machine looks the original up and takes one of its neighbours. A word with few neighbours is sent to each of them
often, one with hundreds to each of them seldom: of two candidates that fit a place alike, the one that had less choice
is the likelier original.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from math import log, log1p
from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from repair.inflection import analyses
from repair.ngrams import NgramStore
from repair.thesaurus import NEAR, PPDB, SAME, Thesaurus

COLUMNS = ("synonyms", "paraphrases", "neighbours", "readiness")
Floats = npt.NDArray[np.float32]

_MOST = 50_000  # pairs of wordings that are kept
_NEVER = 1e-4  # readiness of what no dictionary links
_FLAT = 0.4  # power of a neighbour's frequency that its odds follow: machines prefer common words, but mildly


class _Choices(NamedTuple):
    """What a dictionary offers for a base form: numbers of its close neighbours, and the sum of their odds."""

    synonyms: int
    paraphrases: int
    neighbours: int
    close: array[int]
    total: float


class Channel:
    """Shared between articles; keeps nothing of them."""

    def __init__(self, thesaurus: Thesaurus, store: NgramStore) -> None:
        self._thesaurus = thesaurus
        counts, ids = store.unigrams.tolist(), store.ids
        self._weights = [((counts[ids[w]] if w in ids else 0) + 5.0) ** _FLAT for w in thesaurus.words]
        self._choices = lru_cache(maxsize=10_000)(self._choices_of)
        self._of_candidate = lru_cache(maxsize=15_000)(self._candidate)
        self._of_observed = lru_cache(maxsize=8_000)(self._written)
        self._lock = Lock()
        self._known: tuple[dict[tuple[str, str], int], Floats] = ({}, np.zeros((_MOST, len(COLUMNS)), np.float32))

    def columns(self, candidates: Sequence[str], observed: Sequence[str]) -> Floats:
        """COLUMNS (n, 4) of folded candidates and the folded wordings that stand there.

        Logarithms of one more than the candidate's synonyms, paraphrases and neighbours of any kind, and of the share
        that ``observed`` has among its close ones. The largest over all readings of both.
        """
        pairs = list(zip(candidates, observed, strict=True))
        known, values = self._known
        rows = [known.get(pair, -1) for pair in pairs]
        if -1 not in rows:
            return values[rows]
        every = dict.fromkeys(pairs)
        if len(every) > _MOST:
            return np.array([self._columns(*pair) for pair in pairs], np.float32)
        with self._lock:  # a row must never be seen before it is filled
            known, values = self._known
            fresh = [pair for pair in every if pair not in known]
            if len(known) + len(fresh) > _MOST:
                known, values = self._known = {}, np.zeros_like(values)  # other threads keep what they read
                fresh = list(every)
            if fresh:  # another thread may have added them meanwhile
                at, end = len(known), len(known) + len(fresh)
                values[at:end] = [self._columns(*pair) for pair in fresh]
                known.update(zip(fresh, range(at, end), strict=True))
            return values[[known[pair] for pair in pairs]]

    def _columns(self, candidate: str, observed: str) -> tuple[float, float, float, float]:
        synonyms, paraphrases, neighbours, offers = self._of_candidate(candidate)
        share = 0.0
        for w in self._of_observed(observed):
            for close, total in offers:
                if w in close:
                    share = max(share, self._weights[w] / total)
        return synonyms, paraphrases, neighbours, log(share + _NEVER)

    def _candidate(self, candidate: str) -> tuple[float, float, float, list[tuple[array[int], float]]]:
        """What holds of a candidate wherever it stands."""
        found = [self._choices(lemma) for lemma in {lemma for lemma, _ in analyses(candidate)} or {candidate}]
        return (
            log1p(max(c.synonyms for c in found)),
            log1p(max(c.paraphrases for c in found)),
            log1p(max(c.neighbours for c in found)),
            [(c.close, c.total) for c in found],
        )

    def _written(self, observed: str) -> list[int]:
        """Numbers of what a machine may have looked up to write ``observed``."""
        ids = self._thesaurus.ids
        return [ids[w] for w in {observed, *(lemma for lemma, _ in analyses(observed))} if w in ids]

    def _choices_of(self, lemma: str) -> _Choices:
        found, weights = self._thesaurus.related(lemma), self._weights
        close = array("i", (w for w, bits in found.items() if bits & (SAME | NEAR | PPDB)))
        kinds = Counter(found.values()).items()
        return _Choices(
            sum(n for bits, n in kinds if bits & SAME),
            sum(n for bits, n in kinds if bits & PPDB),
            len(found),
            close,
            sum(weights[w] for w in close),
        )
