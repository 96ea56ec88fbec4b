"""How often words stand side by side in clean English: a store of one-, two- and three-word counts.

The store is built by training/ngrams.py and read by memory map. An n-gram is not kept itself: the upper bits of its
64-bit hash choose a bucket, 12 more bits stand in the bucket (sorted) beside a 4-bit logarithm of its count. One unseen
n-gram in about 250 is therefore taken for a rare one (16 entries a bucket / 2**12): the scores have to bear that.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from repair.errors import artifact

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

UNKNOWN = 0
_BLOCK = 8192  # n-grams looked up at once: what is worked out on the way stays in the processor's cache
_MANY = 4096  # n-grams asked for at once from which the filter is worth its making
COUNT_BASE = 1.9  # the 4-bit code k stands for counts from least * 1.9**k up
_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)


def hash_ngrams(columns: Sequence[Ids]) -> npt.NDArray[np.uint64]:
    """64-bit hashes of n-grams given as n equally long columns of word ids. (splitmix64's finisher over a sum.)"""
    h = np.full(columns[0].shape, len(columns) * 0x2545F4914F6CDD1D & 0xFFFFFFFFFFFFFFFF, dtype=np.uint64)
    for column, multiplier in zip(columns, _MULTIPLIERS, strict=False):
        h += (column.astype(np.uint64) + np.uint64(1)) * np.uint64(multiplier)
        h ^= h >> np.uint64(29)
        h *= np.uint64(0xBF58476D1CE4E5B9)
        h ^= h >> np.uint64(32)
    h *= np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


class NgramStore:
    """Counts of n-grams, looked up in batches. Words are folded forms (see repair.segment); id 0 is any other word.

    ``words``: by id; ``listed``: as one string. ``names``: words that edited English writes with a capital.
    """

    def __init__(self, folder: Path) -> None:
        with artifact(folder, "n-gram store"):
            self.listed = gzip.decompress((folder / "words.txt.gz").read_bytes()).decode()
            self._names = (folder / "names.txt").read_text(encoding="utf-8")
            self.unigrams: npt.NDArray[np.uint32] = np.load(folder / "unigrams.npy")
            self._sizes = np.load(folder / "sizes.npy")  # entries of each bucket
            # As a plain array over the map: its own class is slow to index.
            self._slots = np.load(folder / "slots.npy", mmap_mode="r").view(np.ndarray)
            self._levels: Floats = np.load(folder / "levels.npy")
        self.words = self.listed.split(" ")
        self.total = float(self.unigrams.sum())
        self._starts = np.zeros(len(self._sizes) + 1, np.uint32)
        np.cumsum(self._sizes, out=self._starts[1:])
        self._shift = np.uint64(64 - int(np.log2(len(self._sizes))))

    # Made when they are needed: what the screen spares needs neither.
    @cached_property
    def ids(self) -> dict[str, int]:
        return {w: i for i, w in enumerate(self.words)}

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(self._names.split(" "))

    def encode(self, words: Iterable[str]) -> Ids:
        """Folded words to ids."""
        get = self.ids.get
        return np.fromiter((get(w, UNKNOWN) for w in words), dtype=np.int64)

    def frequent(self, n: int) -> list[str]:
        """The ``n`` most frequent words, the most frequent first; marks and numbers are among them."""
        order = np.argsort(-self.unigrams.astype(np.int64), kind="stable")[:n]
        return [self.words[i] for i in order.tolist()]

    def unigram(self, ids: Ids) -> Floats:
        """Counts of single words, shape of ``ids``."""
        return self.unigrams[ids].astype(np.float32)

    def association(self, both: Floats, one: Floats, other: Floats) -> Floats:
        """Pointwise mutual information of two neighbours by counts, smoothed so that what is rare says little."""
        out: Floats = np.log((both + 0.05) * self.total / ((one + 5) * (other + 5))).astype(np.float32)
        return out

    @cached_property
    def _filter(self) -> npt.NDArray[np.uint8]:
        """A bit for every bucket and the upper 8 bits of a mark: whether the store holds any such entry.

        Most n-grams asked for are unseen, and one look here, where a search takes several, tells so of 15 in 16.
        """
        parts = []
        for at in range(0, len(self._sizes), _BLOCK):
            some = self._sizes[at : at + _BLOCK].astype(np.int64)
            there = np.zeros(len(some) << 8, bool)
            entries = self._slots[self._starts[at] : self._starts[at + len(some)]]
            there[np.repeat(np.arange(len(some)) << 8, some) + (entries >> 8)] = True
            parts.append(np.packbits(there, bitorder="little"))
        return np.concatenate(parts)

    def count(self, *columns: Ids) -> Floats:
        """Approximate counts of the n-grams (two or three columns of ids); 0 where unseen or a word is unknown."""
        if len(columns[0]) > _BLOCK:
            parts = [np.array_split(column, -(-len(column) // _BLOCK)) for column in columns]
            return np.concatenate([self.count(*some) for some in zip(*parts, strict=True)])
        h = hash_ngrams(columns)
        maybe = np.logical_and.reduce([column != UNKNOWN for column in columns])
        if len(h) >= _MANY:
            key = (h >> self._shift) << np.uint64(8) | (h & np.uint64(0xFFF)) >> np.uint64(4)
            byte = self._filter[(key >> np.uint64(3)).astype(np.int64)]
            maybe &= (byte >> (key & np.uint64(7)).astype(np.uint8) & 1).astype(bool)
        at = np.flatnonzero(maybe)
        out = np.zeros(len(h), np.float32)
        out[at] = self._levels_of(h[at])
        return out

    def _levels_of(self, h: npt.NDArray[np.uint64]) -> Floats:
        """Counts of the n-grams with these hashes."""
        bucket = (h >> self._shift).astype(np.int64)
        mark = ((h & np.uint64(0xFFF)) << np.uint64(4)).astype(np.uint16)
        end = self._starts.take(bucket + 1).astype(np.int64)
        # Binary search, in steps that are the same for all: ``at`` is the last place known to be less than the mark.
        at = self._starts.take(bucket).astype(np.int64) - 1
        step = 1 << int((end - at).max(initial=1)).bit_length() - 1
        while step:
            further = at + step
            less = self._slots.take(further, mode="clip") < mark
            less &= further < end
            at += step * less
            step >>= 1
        at += 1
        slot = self._slots.take(at, mode="clip")
        found = (at < end) & ((slot >> 4) == (mark >> 4))
        return np.where(found, self._levels[slot & 15], np.float32(0))
