"""The screen's second look: words that misfit their neighbours as only a machine's do.

A machine that swaps words without reading leaves pairs that hardly anybody writes ("environment media"), where another
word makes a pair that everybody writes ("state media"), and where dictionaries and lexicons lead from that word to the
one that stands there. So each word is held against those that it may stand for, as through a noisy channel:

    odds = sum over originals o:  P(word | o) * P(o | neighbours)  /  P(word | neighbours)

with P(... | neighbours) from counts of pairs. What these odds, unseen pairs and the screen's tells mean together is
read off a table of log odds, counted in spun and in clean text (training/misfits.py); the log odds are summed up over
the article and over its worst stretches. Works on the screen's hashed words, a chunk at once.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from repair.errors import ArtifactError
from repair.hashed import Bools, Hashes, Ints, Words, chunks
from repair.ngrams import NgramStore
from repair.segment import BREAK

Floats = npt.NDArray[np.float32]

FLOOR = 0.3  # what an unseen pair counts as
ODDS = (-6.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.5)  # steps of the channel's log odds
SEEN = (10.0, 100.0)  # steps of the count of a word's rarer pair
PRIOR = (-1.0, 0.5, 1.5)  # steps of how much more of a word spun text has, by the channel alone, in logarithms
TELL = (0.5, 3.0)  # steps of a tell's weight
_SHAPE = (len(ODDS) + 2, len(SEEN) + 3, len(PRIOR) + 1, len(TELL) + 1)
PATTERNS = 1 + int(np.prod(_SHAPE))
WAYS = 16.0  # to one natural logarithm, as P(word | original) is packed
SHARES = ((0.02, 500), (0.1, 500), (0.1, 120), (0.25, 50), (0.05, 250), (0.02, 120))  # of words replaced; windows
FEATURES = len(SHARES) + 2
_SIGNS = b",.;:\n"
_BLANK, _LINE = 32, 10


class Misfits:
    """Which words may stand for which others, and the log odds of each pattern. Immutable.

    factors: of the screen's score: base, its own features, those of the second look.
    """

    def __init__(self, folder: Path, store: NgramStore) -> None:
        try:
            with np.load(folder / "misfits.npz") as arrays:
                observed, counts = arrays["observed"].astype(np.int64), arrays["counts"].astype(np.int64)
                self._originals = arrays["originals"].astype(np.int64)
                self._ways: Floats = arrays["ways"].astype(np.float32) / -WAYS
                prior: Floats = arrays["prior"].astype(np.float32) / WAYS
                self.odds: Floats = arrays["odds"].astype(np.float32)
                self.factors = tuple(float(f) for f in arrays["factors"])
                made_for = int(arrays["store"])
        except (OSError, EOFError, ValueError, KeyError, BadZipFile) as e:
            raise ArtifactError(f"{folder}: the screen can't be read ({e}); install mt-repair again") from e
        if made_for != fingerprint(store):
            raise ArtifactError(f"{folder}: made for another n-gram store; run python -m training.screen")
        self._store = store
        self._first, self._many, self._prior = np.zeros((3, len(store.words)), np.int64)
        self._first[observed], self._many[observed] = np.cumsum(counts) - counts, counts
        self._prior[observed] = np.digitize(prior, PRIOR)
        self._common: Floats = np.log(np.maximum(store.unigrams, 1)).astype(np.float32)
        self._hashes, self._ids = _hashed(store.words)
        self._sign = np.zeros(256, np.int64)
        for sign in _SIGNS:
            self._sign[sign] = store.ids.get(chr(sign), 0)

    def features(self, raw: bytes, words: Words, tells: Floats) -> tuple[float, ...]:
        """What ``summed`` says of a chunk. tells: for each word the greatest weight of the tells that begin there."""
        return summed(self.patterns(raw, words, tells), self.odds)

    def patterns(self, raw: bytes, words: Words, tells: Floats) -> Ints:
        """The pattern of each word of a chunk; 0 where nothing is to be said."""
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
        right = np.where(right > 0, right, self._sign[np.r_[marks, 0].astype(np.uint8)[ends]])
        at = np.flatnonzero(usable)
        out = np.zeros(len(every), np.int64)
        out[at] = self._patterns(every[at], left[at], right[at], tells[at])
        return out

    def _patterns(self, ids: Ints, left: Ints, right: Ints, tells: Floats) -> Ints:
        has_left, has_right = left > 0, right > 0
        before, after = self._counts(left, ids, has_left), self._counts(ids, right, has_right)
        unseen = (has_left & (before == 0)).astype(np.int64) + (has_right & (after == 0))
        rarer = np.minimum(np.where(has_left, before, np.inf), np.where(has_right, after, np.inf))
        fit = np.where(unseen > 0, len(SEEN) + unseen, np.digitize(rarer, SEEN))
        # Common words that machines seldom write are held against nothing: half the words, most of the time.
        ask = np.flatnonzero((self._many[ids] > 0) & ((unseen > 0) | (self._prior[ids] > 0)))
        channel = np.zeros(len(ids), np.int64)
        if ask.size:
            odds = self._channel(ids[ask], left[ask], right[ask], before[ask], after[ask])
            channel[ask] = 1 + np.digitize(odds, ODDS)
        place = (channel, fit, self._prior[ids], np.digitize(tells, TELL))
        return np.asarray(1 + np.ravel_multi_index(place, _SHAPE), np.int64)

    def _channel(self, ids: Ints, left: Ints, right: Ints, before: Floats, after: Floats) -> Floats:
        """Log odds that one of a word's originals stood there."""
        many = self._many[ids]
        owner = np.repeat(np.arange(len(ids)), many)
        first = np.cumsum(many) - many
        place = np.arange(len(owner)) + (self._first[ids] - first)[owner]
        other, near, next_ = self._originals[place], left[owner], right[owner]
        has_left, has_right = near > 0, next_ > 0
        fit = self._fit(other, near, next_, self._counts(near, other, has_left), self._counts(other, next_, has_right))
        own = self._fit(ids, left, right, before, after)
        ratio = np.exp(np.minimum(fit - own[owner] + self._ways[place], 30.0))
        return np.asarray(np.log(np.add.reduceat(ratio, first) + 1e-6), np.float32)

    def _fit(self, ids: Ints, left: Ints, right: Ints, before: Floats, after: Floats) -> Floats:
        """Log likelihood of words between their neighbours, but for what all words there share."""
        has_left, has_right = left > 0, right > 0
        fit = np.where(has_left, np.log(np.maximum(before, FLOOR)), 0) + np.where(
            has_right, np.log(np.maximum(after, FLOOR)), 0
        )
        sides = has_left.astype(np.float32) + has_right - 1
        return np.asarray(fit - sides * self._common[ids], np.float32)

    def _counts(self, first: Ints, second: Ints, which: Bools) -> Floats:
        out = np.zeros(len(first), np.float32)
        at = np.flatnonzero(which)
        if at.size:
            out[at] = self._store.count(first[at], second[at])
        return out

    def _known(self, hashes: Hashes) -> Ints:
        at = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        return np.where(self._hashes[at] == hashes, self._ids[at], 0)


def summed(patterns: Ints, odds: Floats) -> tuple[float, ...]:
    """FEATURES of the patterns of a chunk's words, given each pattern's log odds.

    Log odds that a share of the words was replaced, for each of SHARES, in the window where they are highest.
    Then the share of words with an unseen pair, and the mean of the odds: what is odd all over is another kind of text.
    """
    gained = odds[patterns]
    ratio = np.expm1(gained)
    out = []
    for share, window in SHARES:
        sums = np.cumsum(np.r_[0.0, np.log1p(share * ratio)])
        size = min(window, len(ratio))
        out.append(float(np.max(sums[size:] - sums[: len(sums) - size])))
    fit = np.unravel_index(np.maximum(patterns - 1, 0), _SHAPE)[1]
    unseen = (patterns > 0) & (fit > len(SEEN))
    return (*out, float(unseen.mean()), float(gained.mean()))


def fingerprint(store: NgramStore) -> int:
    """Tells one store's numbering of words from another's."""
    return zlib.crc32(" ".join(store.words).encode("utf-8"))


def _hashed(words: list[str]) -> tuple[Hashes, Ints]:
    """Hashes of those words that the screen takes for one word, sorted, and their ids."""
    hashes, ids = [], []
    at = 0
    for raw in chunks("\n".join("" if w == BREAK else w for w in words)):
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
