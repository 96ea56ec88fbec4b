"""How well a wording goes into a place: n-gram fit, association with its neighbours, and the encoder's odds.

What is fixed about a wording (word ids, inner fit, embedding) is kept in a growing table; places come in batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock

import numpy as np
import numpy.typing as npt

from repair.candidates import Numbered, Options, Packed
from repair.encoder import Encoder, Floats
from repair.ngrams import Ids, NgramStore
from repair.segment import TOKEN, fold

ENC, FIT, LEFT, RIGHT, MIDDLE, UNIGRAM = range(6)  # columns of a score
_BACKOFF = float(np.log(0.4))  # stupid backoff's factor (Brants et al. 2007)
_ROOM = 64_000  # rows at first; what is not filled takes no memory
_BLOCK = 8192  # pairs scored at once, and
_STEP = 256  # pairs whose embeddings are gathered at once: what is worked out on the way stays in the cache


class Wordings:
    """A table of wordings met so far. Grows only; safe to share between threads."""

    def __init__(self, store: NgramStore, encoder: Encoder | None) -> None:
        self.store, self.encoder = store, encoder
        self.mark = object()  # tells this table's numbers from those of another
        self._lock = Lock()
        self._known: dict[str, int] = {}
        self._texts: list[str] = []
        # first, second, last but one, last word id (-1: there is none), then inner fit and log count of the rarest word
        self._ids = np.zeros((_ROOM, 4), np.int32)
        self._fixed = np.zeros((_ROOM, 2), np.float32)
        self._names = np.zeros(_ROOM, bool)
        # Embeddings as int8 with a scale each: logits are off by a hundredth, and most wordings are embedded only once.
        self._codes = np.zeros((_ROOM, 0), np.int8)
        self._scales: Floats = np.zeros(_ROOM, np.float32)
        self._biases: Floats = np.zeros(_ROOM, np.float32)
        self._log_total = float(np.log(store.total))

    def __len__(self) -> int:
        return len(self._known)

    def number(self, wordings: Sequence[str]) -> Ids:
        """Row numbers of folded wordings; new ones are added."""
        known = self._known
        with self._lock:  # a number must never be seen before its row
            fresh = [w for w in dict.fromkeys(wordings) if w not in known]
            if fresh:
                at, end = len(known), len(known) + len(fresh)
                self._make_room(end)
                self._ids[at:end], self._fixed[at:end] = self._properties(fresh)
                self._names[at:end] = [w in self.store.names for w in fresh]
                if self.encoder is not None:
                    vectors, biases = self.encoder.embed(fresh)
                    if not self._codes.shape[1]:
                        self._codes = np.zeros((len(self._ids), vectors.shape[1]), np.int8)
                    self._scales[at:end] = np.abs(vectors).max(axis=1) / 127 + 1e-12
                    self._codes[at:end] = np.rint(vectors / self._scales[at:end, None])
                    self._biases[at:end] = biases
                self._texts += fresh
                known.update(zip(fresh, range(at, end), strict=True))
            return np.fromiter(map(known.__getitem__, wordings), dtype=np.int64, count=len(wordings))

    def numbered(self, options: Sequence[Packed | Options]) -> list[Numbered]:
        """Options as arrays. Those that live long keep theirs, so that most are worked out once."""
        found = {id(o): o.numbered for o in options}
        fresh = {id(o): o for o in options if (n := found[id(o)]) is None or n.table is not self.mark}
        numbers = self.number([text for o in fresh.values() for text in o.texts])
        at = 0
        for key, o in fresh.items():
            mine = numbers[at : at + len(o)]
            at += len(o)
            bits, weights = np.asarray(o.bits, np.int16), np.asarray(o.weights, np.float32)
            found[key] = o.numbered = Numbered(self.mark, mine.astype(np.int32), bits, weights)
        return [n for o in options if (n := found[id(o)]) is not None]

    def known(self, wordings: Iterable[str]) -> Ids:
        """Row numbers of those of the folded wordings that have one."""
        known = self._known
        return np.array([known[w] for w in wordings if w in known], np.int64)

    def texts(self, numbers: Ids) -> list[str]:
        """The wordings in these rows."""
        texts = self._texts
        return [texts[i] for i in numbers.tolist()]

    def is_name(self, numbers: Ids) -> npt.NDArray[np.bool_]:
        """Whether edited English writes a wording with a capital."""
        return self._names[numbers]

    def _make_room(self, rows: int) -> None:
        """Larger arrays put in place of the old ones, which readers in other threads may still hold."""
        if rows > len(self._ids):
            more = max(rows, len(self._ids) * 2) - len(self._ids)
            self._ids = np.concatenate([self._ids, np.zeros((more, 4), np.int32)])
            self._fixed = np.concatenate([self._fixed, np.zeros((more, 2), np.float32)])
            self._names = np.concatenate([self._names, np.zeros(more, bool)])
            self._codes = np.concatenate([self._codes, np.zeros((more, self._codes.shape[1]), np.int8)])
            self._scales = np.concatenate([self._scales, np.zeros(more, np.float32)])
            self._biases = np.concatenate([self._biases, np.zeros(more, np.float32)])

    def _properties(self, wordings: Sequence[str]) -> tuple[Ids, Floats]:
        """What is fixed about wordings, (n, 4) and (n, 2)."""
        words = [[fold(t) for t in TOKEN.findall(w)] or [w] for w in wordings]
        lengths = np.array([len(w) for w in words])
        ids = self.store.encode(w for some in words for w in some)
        ends = np.cumsum(lengths)
        first = ends - lengths
        more = lengths > 1
        out = np.full((len(words), 4), -1, np.int64)
        out[:, 0], out[:, 3] = ids[first], ids[ends - 1]
        out[more, 1], out[more, 2] = ids[first[more] + 1], ids[ends[more] - 2]
        unigram = self.store.unigram(ids)
        fixed = np.zeros((len(words), 2), np.float32)
        if more.any():
            within = np.delete(np.arange(len(ids)), ends - 1)  # words with another after them
            both = self.store.count(ids[within], ids[within + 1])
            inner = np.zeros(len(ids), np.float32)
            inner[within] = self._conditional(both, unigram[within], unigram[within + 1])
            for k in np.flatnonzero(more).tolist():
                fixed[k, 0] = inner[first[k] : ends[k] - 1].sum()
        rarest = np.minimum.reduceat(np.where(ids > 0, self.store.unigrams[ids], 0), first)
        fixed[:, 1] = np.log1p(rarest.astype(np.float64))
        return out, fixed

    def ends(self, numbers: Ids) -> tuple[Ids, Ids]:
        """Ids of the first and the last word of wordings."""
        rows = self._ids[numbers].astype(np.int64)
        return rows[:, 0], rows[:, 3]

    def first(self, n: int) -> tuple[Floats, Floats]:
        """Vectors and biases of the first ``n`` wordings."""
        return self._codes[:n] * self._scales[:n, None], self._biases[:n].copy()

    def likeness(self, numbers: Ids, others: Ids) -> Floats:
        """Cosine (n,) of the encoder's embeddings of two wordings each; zeros without encoder."""
        out = np.zeros(len(numbers), np.float32)
        for at in range(0, len(numbers) if self._codes.shape[1] else 0, _STEP):
            mine, theirs = numbers[at : at + _STEP], others[at : at + _STEP]
            # Sums of whole numbers below 2 ** 24, so exact.
            dots = np.einsum("ij,ij->i", self._codes[mine].astype(np.float32), self._codes[theirs].astype(np.float32))
            out[at : at + _STEP] = dots * (self._scales[mine] * self._scales[theirs])
        return out

    def score(self, numbers: Ids, context: Ids, place: Ids, queries: Floats, log_total: Floats) -> Floats:
        """Scores (n, 6), columns ENC to UNIGRAM, of wording ``numbers[k]`` at place ``place[k]``.

        context: (places, 4) word ids two before, one before, one after, two after; queries: (places, size) or
        (places, 0) without encoder; log_total: (places,) log of the reference words' summed odds.
        """
        if not len(numbers):
            return np.zeros((0, 6), np.float32)
        if len(numbers) > _BLOCK:
            parts = [slice(at, at + _BLOCK) for at in range(0, len(numbers), _BLOCK)]
            return np.concatenate([self.score(numbers[p], context, place[p], queries, log_total) for p in parts])
        first, second, penult, last = np.ascontiguousarray(self._ids[numbers].T, np.int64)
        count, unigram = self.store.count, self.store.unigram
        u_one, u_next, u_after, two_one, next_after = (
            column[place]
            for column in (
                *(unigram(context[:, k]) for k in (1, 2, 3)),
                count(context[:, 0], context[:, 1]),
                count(context[:, 2], context[:, 3]),
            )
        )
        two, one, next_, after = (context[:, k][place] for k in range(4))
        u_first, u_last = unigram(first), unigram(last)
        left, right = count(one, first), count(last, next_)
        before, beyond = count(two, one, first), count(last, next_, after)
        # A single word has the same three words across both its ends.
        across_left = count(one, first, np.where(second < 0, next_, second))
        across_right, ending = across_left.copy(), left.copy()
        more = np.flatnonzero(second >= 0)
        across_right[more] = count(penult[more], last[more], next_[more])
        ending[more] = count(penult[more], last[more])
        fit = (
            self._chance(before, two_one, left, u_one, u_first)
            + self._chance(across_right, ending, right, u_last, u_next)
            + self._chance(beyond, right, next_after, u_next, u_after)
            + self._fixed[numbers, 0]
        )
        columns = [
            self._odds(numbers, place, queries, log_total),
            fit,
            self.store.association(left, u_one, u_first),
            self.store.association(right, u_last, u_next),
            np.log1p(np.minimum(across_left, across_right)),
            self._fixed[numbers, 1],
        ]
        return np.stack(columns, axis=1).astype(np.float32)

    def _odds(self, numbers: Ids, place: Ids, queries: Floats, log_total: Floats) -> Floats:
        """The encoder's log-odds of wordings at places; zeros without encoder."""
        out = np.zeros(len(numbers), np.float32)
        if self.encoder is None or not queries.shape[1]:
            return out
        codes, scales, biases, scale = self._codes, self._scales, self._biases, np.float32(self.encoder.scale)
        for at in range(0, len(numbers), _STEP):
            part = numbers[at : at + _STEP]
            dots = np.einsum("ij,ij->i", codes[part].astype(np.float32), queries[place[at : at + _STEP]])
            out[at : at + _STEP] = dots * (scales[part] * scale) + biases[part]
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
