"""The screen's second look: words that misfit their neighbours as only a machine's do.

A machine that swaps words without reading leaves pairs that hardly anybody writes ("environment media"), where another
word makes a pair that everybody writes ("state media"), and where dictionaries and lexicons lead from that word to the
one that stands there. So each word is held against those that it may stand for, as through a noisy channel:

    odds = sum over originals o:  P(word | o) * P(o | neighbours)  /  P(word | neighbours)

with P(... | neighbours) from counts of pairs. Boosted trees (training/misfits.py) turn these odds, the counts and the
screen's tells into log odds that the word was replaced; these are summed up over the article's worst stretches. Works
on the screen's hashed words, a chunk at once.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from repair.errors import ArtifactError, artifact
from repair.hashed import Bools, Hashes, Ints, Words, chunks
from repair.ngrams import NgramStore
from repair.segment import BREAK
from repair.trees import Trees

Floats = npt.NDArray[np.float32]

COLUMNS = (  # of a word; logarithms
    "common",  # its count
    "prior",  # how often the channel would write it, against how often clean text has it
    "before",  # counts of its pairs
    "after",
    "pull_before",  # the same against what chance would give
    "pull_after",
    "gain",  # how much better the best of its originals would fit
    "channel",  # the odds above
    "triple",  # counts of three words: with the best original in the middle, with itself
    "own_triple",
    "tell",  # weight of the tell that begins here, no logarithm
)
FLOOR = 0.3  # what an unseen pair counts as
NONE = 9.0  # in place of a pair's logarithm where there is nothing to pair with
LEAST = -9.0  # gain and channel of a word that stands for none
WAYS = 16.0  # to one natural logarithm, as P(word | original) and the prior are packed
MOST_ODDS = (-4.0, 5.0)
# Asked about are words with an unseen pair, with a tell, and those that machines may write in a pair not too frequent.
ASKED = (0.5, 30.0)  # prior, count of the rarer pair
SHARES = ((0.02, 500), (0.1, 500), (0.1, 120), (0.25, 50), (0.05, 250), (0.02, 120))  # of words replaced; windows
FEATURES = len(SHARES) + 2
_UNSEEN = float(np.log(FLOOR)) + 1e-3
_SIGNS = b",.;:\n"
_BLANK, _LINE = 32, 10
_ZERO = np.zeros(1, np.float32)


class Misfits:
    """Which words may stand for which others, and the trees. Immutable.

    factors: of the screen's score: base, its own features, those of the second look.
    """

    def __init__(self, folder: Path, store: NgramStore) -> None:
        with artifact(folder, "screen"), np.load(folder / "misfits.npz") as arrays:
            observed, counts = arrays["observed"].astype(np.int64), arrays["counts"].astype(np.int64)
            self._originals = arrays["originals"].astype(np.int64)
            self._ways: Floats = arrays["ways"].astype(np.float32) / -WAYS
            prior: Floats = arrays["prior"].astype(np.float32) / WAYS
            self._trees = Trees(arrays, "odds") if "odds_roots" in arrays else None
            self._quiet = float(arrays["quiet"])
            self.factors = tuple(float(f) for f in arrays["factors"])
            made_for = int(arrays["store"])
        if made_for != fingerprint(store):
            raise ArtifactError(f"{folder}: made for another n-gram store; run python -m training.screen")
        self._store = store
        self._first, self._many = np.zeros((2, len(store.words)), np.int64)
        self._first[observed], self._many[observed] = np.cumsum(counts) - counts, counts
        self._common: Floats = np.log(np.maximum(store.unigrams, 1)).astype(np.float32)
        self._prior: Floats = -self._common  # as if the channel wrote every word once
        self._prior[observed] = prior
        self._total = float(np.log(store.total))
        self._hashes, self._ids = _hashed(store)
        self._sign = np.zeros(256, np.int64)
        for sign in _SIGNS:
            # Not by store.ids, which takes time to make: signs are among the first words.
            self._sign[sign] = store.words.index(chr(sign)) if chr(sign) in store.words else 0

    def odds(self, raw: bytes, words: Words, tells: Floats) -> tuple[Floats, Floats]:
        """Log odds of each word of a chunk that it was replaced, 0 where nothing can be said; rows as below.

        tells: for each word the greatest weight of the tells that begin there.
        """
        at, rows, quiet = self.rows(raw, words, tells)
        odds = np.zeros(len(words.hashes), np.float32)
        odds[quiet] = self._quiet
        if self._trees is not None and at.size:
            odds[at] = self._trees.logits(rows)
        return odds, rows

    def rows(self, raw: bytes, words: Words, tells: Floats) -> tuple[Ints, Floats, Ints]:
        """Those words of a chunk that are asked about, (n,), and their COLUMNS, (n, columns); the other ordinary words.

        Names, parts of words and words that the store does not know are neither.
        """
        marks, starts, ends = np.frombuffer(raw, np.uint8), words.starts, words.ends
        every = self._known(words.hashes)
        gap = marks[ends[:-1]]
        blank = marks[np.maximum(starts - 1, 0)] == _BLANK
        last = marks[np.maximum(starts - 2, 0)]
        # A name is no artifact; nor is half of a word with an apostrophe or a hyphen.
        usable = (every > 0) & ~(blank & (last != ord(".")) & (marks[starts] >= 65) & (marks[starts] <= 90))
        part = words.adjacent & (gap != _BLANK) & (gap != _LINE)
        usable[1:] &= ~part
        usable[:-1] &= ~part
        close = words.adjacent & (gap == _BLANK)
        left, right = np.zeros((2, len(every)), np.int64)
        left[1:], right[:-1] = every[:-1] * close, every[1:] * close
        line = (starts == 0) | (marks[starts - 1] == _LINE)
        left = np.where(left > 0, left, np.where(blank, self._sign[last], self._sign[_LINE] * line))
        next_ = np.where(ends < len(marks), marks.take(ends, mode="clip"), 0)
        right = np.where(right > 0, right, self._sign[next_])
        has_left, has_right = usable & (left > 0), usable & (right > 0)
        after = self._counts(has_right, every, right)
        # What one word has after it the next has before it, but for signs between.
        before = np.zeros(len(every), np.float32)
        known = close & usable[:-1] & usable[1:]
        before[1:] = after[:-1] * known
        known = np.concatenate(([False], known))
        before += self._counts(has_left & ~known, left, every)
        rarer = np.minimum(np.where(has_left, before, np.inf), np.where(has_right, after, np.inf))
        prior, count = ASKED
        asked = (rarer == 0) | (tells > 0) | ((self._prior[every] > prior) & (rarer < count))
        at = np.flatnonzero(usable & asked)
        rows = self._rows(every[at], left[at], right[at], before[at], after[at], tells[at])
        return at, rows, np.flatnonzero(usable & ~asked)

    def _rows(self, ids: Ints, left: Ints, right: Ints, before: Floats, after: Floats, tells: Floats) -> Floats:
        has_left, has_right = left > 0, right > 0
        common, own = self._common[ids], self._fit(ids, left, right, before, after)
        out = np.zeros((len(ids), len(COLUMNS)), np.float32)
        out[:, 0], out[:, 1], out[:, 10] = common, self._prior[ids], tells
        for k, (has, count, near) in enumerate(((has_left, before, left), (has_right, after, right))):
            log = np.log(count + FLOOR)
            out[:, 2 + k] = np.where(has, log, NONE)
            out[:, 4 + k] = np.where(has, log + self._total - self._common[near] - common, 0)
        out[:, 6:8] = LEAST
        out[:, 9] = np.log1p(self._counts(has_left & has_right & (before > 0) & (after > 0), left, ids, right))
        if (some := np.flatnonzero(self._many[ids])).size:
            out[some, 6], out[some, 7], out[some, 8] = self._channel(ids[some], left[some], right[some], own[some])
        return out

    def _channel(self, ids: Ints, left: Ints, right: Ints, own: Floats) -> tuple[Floats, Floats, Floats]:
        """Gain, channel and triple of words that may stand for others. own: how well they fit themselves."""
        many = self._many[ids]
        owner = np.repeat(np.arange(len(ids)), many)
        first = np.cumsum(many) - many
        place = np.arange(len(owner)) + (self._first[ids] - first)[owner]
        other, near, next_ = self._originals[place], left[owner], right[owner]
        before, after = self._counts(near > 0, near, other), self._counts(next_ > 0, other, next_)
        gain = self._fit(other, near, next_, before, after) - own[owner]
        odds = np.add.reduceat(np.exp(np.minimum(gain + self._ways[place], 30.0)), first)
        triple = self._counts((gain > 0) & (near > 0) & (next_ > 0), near, other, next_)
        best, most = np.maximum.reduceat(gain, first), np.maximum.reduceat(triple, first)
        return best, np.log(odds + 1e-4).astype(np.float32), np.log1p(most)

    def _fit(self, ids: Ints, left: Ints, right: Ints, before: Floats, after: Floats) -> Floats:
        """Log likelihood of words between their neighbours, but for what all words there share."""
        has_left, has_right = left > 0, right > 0
        fit = np.where(has_left, np.log(np.maximum(before, FLOOR)), 0)
        fit = fit + np.where(has_right, np.log(np.maximum(after, FLOOR)), 0)
        sides = has_left.astype(np.float32) + has_right - 1
        return np.asarray(fit - sides * self._common[ids], np.float32)

    def _counts(self, which: Bools, *columns: Ints) -> Floats:
        out = np.zeros(len(which), np.float32)
        at = which.nonzero()[0]
        if at.size:
            out[at] = self._store.count(*(column[at] for column in columns))
        return out

    def _known(self, hashes: Hashes) -> Ints:
        at = np.minimum(self._hashes.searchsorted(hashes), len(self._hashes) - 1)
        return np.where(self._hashes[at] == hashes, self._ids[at], 0)


def summed(odds: Floats, rows: Floats) -> tuple[float, ...]:
    """FEATURES of a chunk: odds of all its words, rows of those that something can be said of.

    Log odds that a share of the words was replaced, for each of SHARES, in the window where they are highest. Then the
    share of words with an unseen pair, and the mean of the odds: what is odd all over is another kind of text.
    """
    odds = np.clip(odds, *MOST_ODDS)
    ratio = np.expm1(odds)
    out = []
    for share, window in SHARES:
        sums = np.concatenate((_ZERO, np.log1p(share * ratio))).cumsum()
        size = min(window, len(ratio))
        out.append(float((sums[size:] - sums[: len(sums) - size]).max()))
    unseen = np.count_nonzero(np.min(rows[:, 2:4], axis=1, initial=NONE) < _UNSEEN)
    return (*out, unseen / len(odds), float(odds.mean()))


def fingerprint(store: NgramStore) -> int:
    """Tells one store's numbering of words from another's."""
    return zlib.crc32(store.listed.encode("utf-8"))


def _hashed(store: NgramStore) -> tuple[Hashes, Ints]:
    """Hashes of those words of the store that the screen takes for one word, sorted, and their ids."""
    hashes, ids = [], []
    at = 0
    for raw in chunks(store.listed.replace(BREAK, "").replace(" ", "\n")):
        found = Words(raw)
        marks = np.frombuffer(raw, np.uint8)
        lines = np.flatnonzero(marks == _LINE)
        begins = np.r_[0, lines + 1]
        stops = np.r_[lines, len(marks)]
        place = np.searchsorted(begins, found.starts, side="right") - 1
        whole = (found.starts == begins[place]) & (found.ends == stops[place])
        hashes.append(found.hashes[whole])
        ids.append(place[whole] + at)
        at += len(lines)
    every, number = np.concatenate(hashes), np.concatenate(ids)
    order = np.argsort(every)
    return every[order], number[order]
