"""How well a wording goes into a place: n-gram fit, association with its neighbours, and the encoder's odds.

What is fixed about a wording (word ids, inner fit, embedding) is kept in a growing table; places come in batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import numpy as np

from repair.encoder import Encoder, Floats
from repair.ngrams import Ids, NgramStore
from repair.segment import TOKEN, fold

ENC, FIT, LEFT, RIGHT, MIDDLE, UNIGRAM = range(6)  # columns of a score
_BACKOFF = float(np.log(0.4))  # stupid backoff's factor (Brants et al. 2007)
_STEP = 20_000  # pairs whose embeddings are gathered at once


class Wordings:
    """A table of wordings met so far. Grows only; safe to share between threads."""

    def __init__(self, store: NgramStore, encoder: Encoder | None) -> None:
        self.store, self.encoder = store, encoder
        self._lock = Lock()
        self._known: dict[str, int] = {}
        # first, second, last but one, last word id (-1: there is none), then inner fit and log count of the rarest word
        self._ids = np.zeros((1024, 4), np.int64)
        self._fixed = np.zeros((1024, 2), np.float32)
        self._vectors: Floats = np.zeros((1024, 0), np.float32)
        self._biases: Floats = np.zeros(1024, np.float32)
        self._log_total = float(np.log(store.total))

    def __len__(self) -> int:
        return len(self._known)

    def number(self, wordings: Sequence[str]) -> Ids:
        """Row numbers of folded wordings; new ones are added."""
        with self._lock:  # a number must never be seen before its row
            fresh = [w for w in dict.fromkeys(wordings) if w not in self._known]
            if fresh:
                self._make_room(len(self._known) + len(fresh))
                at = len(self._known)
                for k, w in enumerate(fresh, at):
                    self._ids[k], self._fixed[k] = self._properties(w)
                if self.encoder is not None:
                    vectors, biases = self.encoder.embed(fresh)
                    if not self._vectors.shape[1]:
                        self._vectors = np.zeros((len(self._ids), vectors.shape[1]), np.float32)
                    self._vectors[at : at + len(fresh)], self._biases[at : at + len(fresh)] = vectors, biases
                self._known.update(zip(fresh, range(at, at + len(fresh)), strict=True))
            return np.fromiter((self._known[w] for w in wordings), dtype=np.int64, count=len(wordings))

    def _make_room(self, rows: int) -> None:
        """Larger arrays put in place of the old ones, which readers in other threads may still hold."""
        if rows > len(self._ids):
            more = max(rows, len(self._ids) * 2) - len(self._ids)
            self._ids = np.concatenate([self._ids, np.zeros((more, 4), np.int64)])
            self._fixed = np.concatenate([self._fixed, np.zeros((more, 2), np.float32)])
            self._vectors = np.concatenate([self._vectors, np.zeros((more, self._vectors.shape[1]), np.float32)])
            self._biases = np.concatenate([self._biases, np.zeros(more, np.float32)])

    def _properties(self, wording: str) -> tuple[tuple[int, int, int, int], tuple[float, float]]:
        ids = self.store.encode([fold(t) for t in TOKEN.findall(wording)] or [wording])
        second, penult, inner = -1, -1, 0.0
        if len(ids) > 1:
            second, penult = int(ids[1]), int(ids[-2])
            unigram = self.store.unigram
            both = self.store.count(ids[:-1], ids[1:])
            inner = float(self._conditional(both, unigram(ids[:-1]), unigram(ids[1:])).sum())
        rarest = min(float(self.store.unigrams[i]) if i else 0.0 for i in ids.tolist())
        return (int(ids[0]), second, penult, int(ids[-1])), (inner, float(np.log1p(rarest)))

    def ends(self, numbers: Ids) -> tuple[Ids, Ids]:
        """Ids of the first and the last word of wordings."""
        rows = self._ids[numbers]
        return rows[:, 0], rows[:, 3]

    def likeness(self, numbers: Ids, others: Ids) -> Floats:
        """Cosine (n,) of the encoder's embeddings of two wordings each; zeros without encoder."""
        out = np.zeros(len(numbers), np.float32)
        for at in range(0, len(numbers) if self._vectors.shape[1] else 0, _STEP):
            part = slice(at, at + _STEP)
            out[part] = np.einsum("ij,ij->i", self._vectors[numbers[part]], self._vectors[others[part]])
        return out

    def score(self, numbers: Ids, context: Ids, place: Ids, queries: Floats, log_total: Floats) -> Floats:
        """Scores (n, 6), columns ENC to UNIGRAM, of wording ``numbers[k]`` at place ``place[k]``.

        context: (places, 4) word ids two before, one before, one after, two after; queries: (places, size) or
        (places, 0) without encoder; log_total: (places,) log of the reference words' summed odds.
        """
        if not len(numbers):
            return np.zeros((0, 6), np.float32)
        first, second, penult, last = self._ids[numbers].T
        two, one, next_, after = context[place].T
        second = np.where(second < 0, next_, second)
        penult = np.where(penult < 0, one, penult)
        count, unigram = self.store.count, self.store.unigram
        u_one, u_first, u_last, u_next = unigram(one), unigram(first), unigram(last), unigram(next_)
        left, right = count(one, first), count(last, next_)
        before, across_left, across_right = (
            count(two, one, first),
            count(one, first, second),
            count(penult, last, next_),
        )
        beyond = count(last, next_, after)
        fit = (
            self._chance(before, count(two, one), left, u_one, u_first)
            + self._chance(across_right, count(penult, last), right, u_last, u_next)
            + self._chance(beyond, right, count(next_, after), u_next, unigram(after))
            + self._fixed[numbers, 0]
        )
        columns = [
            self._odds(numbers, place, queries, log_total),
            fit,
            self.association(left, u_one, u_first),
            self.association(right, u_last, u_next),
            np.log1p(np.minimum(across_left, across_right)),
            self._fixed[numbers, 1],
        ]
        return np.stack(columns, axis=1).astype(np.float32)

    def association(self, both: Floats, one: Floats, other: Floats) -> Floats:
        """Pointwise mutual information of two neighbours, smoothed so that what is rare says little."""
        out: Floats = np.log((both + 0.05) * self.store.total / ((one + 5) * (other + 5))).astype(np.float32)
        return out

    def _odds(self, numbers: Ids, place: Ids, queries: Floats, log_total: Floats) -> Floats:
        """The encoder's log-odds of wordings at places; zeros without encoder."""
        out = np.zeros(len(numbers), np.float32)
        if self.encoder is None or not queries.shape[1]:
            return out
        vectors, biases, scale = self._vectors, self._biases, self.encoder.scale
        for at in range(0, len(numbers), _STEP):
            part = numbers[at : at + _STEP]
            dots = np.einsum("ij,ij->i", vectors[part], queries[place[at : at + _STEP]])
            out[at : at + _STEP] = dots * scale + biases[part]
        return out - log_total[place]

    def _chance(self, three: Floats, before: Floats, two: Floats, one: Floats, word: Floats) -> Floats:
        """log P(word | two words before), backing off to one word before."""
        backed = self._conditional(two, one, word) + _BACKOFF
        out: Floats = np.where(three > 0, self._conditional(three, before, word), backed)
        return out

    def _conditional(self, both: Floats, before: Floats, word: Floats) -> Floats:
        """log P(word | word before), backing off to P(word)."""
        direct = np.log(np.maximum(both, 1e-9)) - np.log(np.maximum(before, 1))
        backed = _BACKOFF + np.log(word + 0.5) - self._log_total
        out: Floats = np.where(both > 0, np.minimum(direct, 0), backed).astype(np.float32)
        return out
