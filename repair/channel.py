"""How readily a machine writes one wording for another: what its dictionary would make of it, wherever it stands.

A machine looks the original up and takes one of its neighbours. A word with few neighbours is sent to each of them
often, one with hundreds to each of them seldom: of two candidates that fit a place alike, the one that had less choice
is the likelier original.
"""

from __future__ import annotations

from functools import lru_cache
from math import log, log1p

from repair.inflection import analyses
from repair.ngrams import NgramStore
from repair.thesaurus import NEAR, PPDB, SAME, Thesaurus

COLUMNS = ("synonyms", "paraphrases", "neighbours", "readiness")
_NEVER = 1e-4  # readiness of what no dictionary links
_FLAT = 0.4  # power of a neighbour's frequency that its odds follow: machines prefer common words, but mildly


class Channel:
    """Shared between articles; keeps nothing of them."""

    def __init__(self, thesaurus: Thesaurus, store: NgramStore) -> None:
        self._thesaurus, self._store = thesaurus, store
        self._choices = lru_cache(maxsize=40_000)(self._choices_of)
        self.columns = lru_cache(maxsize=400_000)(self._columns)

    def _columns(self, candidate: str, observed: str) -> tuple[float, float, float, float]:
        """COLUMNS of a folded candidate and a folded observed wording.

        Logarithms of one more than the candidate's synonyms, paraphrases and neighbours of any kind, and of the share
        that ``observed`` has among its close ones. The largest over all readings of both.
        """
        written = {observed, *(lemma for lemma, _ in analyses(observed))}
        synonyms = paraphrases = neighbours = 0
        share = 0.0
        for lemma in {lemma for lemma, _ in analyses(candidate)} or {candidate}:
            same, ppdb, every, odds = self._choices(lemma)
            synonyms, paraphrases, neighbours = max(synonyms, same), max(paraphrases, ppdb), max(neighbours, every)
            share = max(share, *(odds.get(w, 0.0) for w in written))
        return log1p(synonyms), log1p(paraphrases), log1p(neighbours), log(share + _NEVER)

    def _choices_of(self, lemma: str) -> tuple[int, int, int, dict[str, float]]:
        """How many synonyms, paraphrases and neighbours a base form has, and the odds of each close one."""
        found = self._thesaurus.neighbours(lemma)
        ids, counts = self._store.ids, self._store.unigrams
        odds = {
            w: (float(counts[ids[w]] if w in ids else 0) + 5.0) ** _FLAT
            for w, bits in found.items()
            if bits & (SAME | NEAR | PPDB)
        }
        total = sum(odds.values())
        bits = list(found.values())
        return (
            sum(b & SAME > 0 for b in bits),
            sum(b & PPDB > 0 for b in bits),
            len(bits),
            {w: o / total for w, o in odds.items()},
        )
