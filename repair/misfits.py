"""The screen's second look: words that fit their neighbours worse than a dictionary neighbour of theirs would.

A machine that swaps words without reading leaves pairs that nobody writes ("environment media"), where a neighbour of
the word makes a pair that everybody writes ("state media"). Clean text has unseen pairs too, one in three, but seldom
with such a neighbour. Each word's pattern of counts has log odds (training/screen.py counts them in spun and in clean
text), which are summed up over the article and over its worst stretches.

Works on the screen's hashed words, a chunk at once; about three million bytes a second.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from repair.errors import ArtifactError
from repair.ngrams import NgramStore
from repair.segment import BREAK
from repair.hashed import Bools, Ints, Words, chunks

Floats = npt.NDArray[np.float32]

FLOOR = 0.3  # what an unseen pair counts as
GAINS = (0.0, 1.0, 2.0, 3.0, 4.0, 5.5, 7.0)  # natural logarithms; what the best neighbour would fit better
COMMON = (6.0, 9.0)  # logarithms of counts of single words
SEEN = (10.0, 100.0)  # counts of the rarer of a word's pairs
PATTERNS = 1 + 2 * (len(SEEN) + 1) + 3 * (len(COMMON) + 1) * (len(GAINS) + 2)
SHARES = ((0.02, 0), (0.1, 120), (0.25, 50))  # of words replaced, and in windows of how many words; 0: in all
_SIGNS = b",.;:\n"
_BLANK, _LINE = 32, 10


class Misfits:
    """Which words stand for which others, and the log odds of each pattern. Immutable."""

    def __init__(self, folder: Path, store: NgramStore) -> None:
        try:
            with np.load(folder / "misfits.npz") as arrays:
                observed, counts = arrays["observed"].astype(np.int64), arrays["counts"].astype(np.int64)
                self._originals = arrays["originals"].astype(np.int64)
                self.odds: Floats = arrays["odds"].astype(np.float32)
                self.factors = tuple(float(f) for f in arrays["factors"])
                made_for = int(arrays["store"])
        except (OSError, EOFError, ValueError, KeyError, BadZipFile) as e:
            raise ArtifactError(f"{folder}: the screen can't be read ({e}); install mt-repair again") from e
        if made_for != fingerprint(store):
            raise ArtifactError(f"{folder}: made for another n-gram store; run python -m training.screen")
        self._store = store
        self._first, self._many = np.zeros((2, len(store.words)), np.int64)
        self._first[observed], self._many[observed] = np.cumsum(counts) - counts, counts
        self._common: Floats = np.log(np.maximum(store.unigrams, 1)).astype(np.float32)
        self._hashes, self._ids = _hashed(store.words)
        self._sign = np.zeros(256, np.int64)
        for sign in _SIGNS:
            self._sign[sign] = store.ids.get(chr(sign), 0)

    def features(self, raw: bytes, words: Words) -> tuple[float, ...]:
        """Log odds that words were replaced, for each of SHARES: in all of a chunk or where they are highest."""
        ratio = np.expm1(self.odds[self.patterns(raw, words)])
        out = []
        for share, window in SHARES:
            sums = np.cumsum(np.r_[0.0, np.log1p(share * ratio)])
            size = min(window or len(ratio), len(ratio))
            out.append(float(np.max(sums[size:] - sums[: len(sums) - size])))
        return tuple(out)

    def patterns(self, raw: bytes, words: Words) -> Ints:
        """The pattern of each word of a chunk; 0 where nothing is to be said."""
        marks, starts, ends = np.frombuffer(raw, np.uint8), words.starts, words.ends
        ids = self._known(words.hashes)
        gap = marks[ends[:-1]]
        close = words.adjacent & (gap == _BLANK)
        usable = ids > 0
        blank = marks[np.maximum(starts - 1, 0)] == _BLANK
        last = marks[np.maximum(starts - 2, 0)]
        # A name is no artifact; nor is half of a word with an apostrophe or a hyphen.
        usable &= ~(blank & (last != ord(".")) & (marks[starts] >= 65) & (marks[starts] <= 90))
        part = words.adjacent & (gap != _BLANK) & (gap != _LINE)
        usable[1:] &= ~part
        usable[:-1] &= ~part
        left, right = np.zeros((2, len(ids)), np.int64)
        left[1:], right[:-1] = ids[:-1] * close, ids[1:] * close
        line = (starts == 0) | (marks[starts - 1] == _LINE)
        signs = np.where(blank, self._sign[last], self._sign[_LINE] * line)
        left = np.where(left > 0, left, signs)
        right = np.where(right > 0, right, self._sign[np.r_[marks, 0].astype(np.uint8)[ends]])
        has_left, has_right = usable & (left > 0), usable & (right > 0)
        before, after = self._counts(left, ids, has_left), self._counts(ids, right, has_right)
        return self._sorted(ids, left, right, has_left, has_right, before, after)

    def _sorted(
        self, ids: Ints, left: Ints, right: Ints, has_left: Bools, has_right: Bools, before: Floats, after: Floats
    ) -> Ints:
        sides = has_left.astype(np.int64) + has_right
        unseen = (has_left & (before == 0)).astype(np.int64) + (has_right & (after == 0))
        rarer = np.minimum(np.where(has_left, before, np.inf), np.where(has_right, after, np.inf))
        seen = 1 + (sides - 1) * (len(SEEN) + 1) + np.digitize(rarer, SEEN)
        out: Ints = np.where((sides > 0) & (unseen == 0), seen, 0)
        at = np.flatnonzero(unseen)
        if at.size:
            gain = self._gain(ids[at], left[at], right[at], has_left[at], has_right[at], before[at], after[at])
            kind = sides[at] + unseen[at] - 2
            common = np.digitize(self._common[ids[at]], COMMON)
            out[at] = 1 + 2 * (len(SEEN) + 1) + (kind * (len(COMMON) + 1) + common) * (len(GAINS) + 2) + gain
        return out

    def _gain(
        self, ids: Ints, left: Ints, right: Ints, has_left: Bools, has_right: Bools, before: Floats, after: Floats
    ) -> Ints:
        """How much better the best of a word's neighbours would fit, as a step of GAINS; 0 where it has none."""
        many = self._many[ids]
        owner = np.repeat(np.arange(len(ids)), many)
        first = np.cumsum(many) - many
        other = self._originals[np.arange(len(owner)) + (self._first[ids] - first)[owner]]
        fit = self._fit(other, self._counts(left[owner], other, has_left[owner]),
                        self._counts(other, right[owner], has_right[owner]), has_left[owner], has_right[owner])  # fmt: skip
        own = self._fit(ids, before, after, has_left, has_right)
        out = np.zeros(len(ids), np.int64)
        some = many > 0
        if some.any():
            best = np.maximum.reduceat(fit, first[some])
            out[some] = 1 + np.digitize(best - own[some], GAINS)
        return out

    def _fit(self, ids: Ints, before: Floats, after: Floats, has_left: Bools, has_right: Bools) -> Floats:
        """Log likelihood of words between their neighbours, but for what all words there share."""
        fit = np.where(has_left, np.log(np.maximum(before, FLOOR)), 0) + np.where(
            has_right, np.log(np.maximum(after, FLOOR)), 0
        )
        return np.asarray(fit - np.where(has_left & has_right, self._common[ids], 0), np.float32)

    def _counts(self, first: Ints, second: Ints, which: Bools) -> Floats:
        out = np.zeros(len(first), np.float32)
        at = np.flatnonzero(which)
        if at.size:
            out[at] = self._store.count(first[at], second[at])
        return out

    def _known(self, hashes: npt.NDArray[np.uint32]) -> Ints:
        at = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        return np.where(self._hashes[at] == hashes, self._ids[at], 0)


def fingerprint(store: NgramStore) -> int:
    """Tells one store's numbering of words from another's."""
    return zlib.crc32(" ".join(store.words).encode("utf-8"))


def _hashed(words: list[str]) -> tuple[npt.NDArray[np.uint32], Ints]:
    """Hashes of the words that the screen takes for one word, sorted, and their ids."""
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
