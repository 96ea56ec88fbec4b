"""The words of a text as hashes, for a whole chunk of text at once: no word is ever a Python object."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint32]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

MOST_WORDS = 3  # of a wording that has a hash; a longer one is known by its first three
CHUNK = 1 << 17  # bytes hashed at once: the arrays stay in the processor's cache

_LETTERS = bytes(b if 97 <= b <= 122 or b >= 128 else b + 32 if 65 <= b <= 90 else 0 for b in range(256))
# What texts write for ASCII; every other sign above ASCII counts as a letter.
_SIGNS = tuple(zip("’‘“”–—…\u00a0£€•·", ("'", "'", '"', '"', "-", "-", "...", *" " * 5), strict=True))
_PRIME = 0x01000193
_CODES = (np.arange(256, dtype=np.uint64) * 0x9E3779B97F4A7C15 >> np.uint64(29)).astype(np.uint32) | np.uint32(1)
_CODES[0] = 0


def _powers(base: int) -> Hashes:
    return np.cumprod(np.r_[1, np.full(CHUNK + 64, base)].astype(np.uint32), dtype=np.uint32)


_UP, _DOWN = _powers(_PRIME), _powers(pow(_PRIME, -1, 1 << 32))


def _mix(h: Hashes) -> Hashes:
    h ^= h >> np.uint32(15)
    h *= np.uint32(0x2C1B3C6D)
    h ^= h >> np.uint32(13)
    h *= np.uint32(0x297A2D39)
    h ^= h >> np.uint32(16)
    return h


class Words:
    """The words of a chunk.

    starts, ends: offsets in bytes. hashes: of the words in lower case. adjacent: whether one sign parts a word from the
    next. count: how many words there are as repair.segment counts.
    """

    __slots__ = ("adjacent", "count", "ends", "hashes", "starts")

    def __init__(self, raw: bytes) -> None:
        marks = np.frombuffer(raw.translate(_LETTERS), np.uint8)
        inside = marks != 0
        edges = (inside[1:] != inside[:-1]).nonzero()[0] + 1
        if len(marks) and inside[0]:
            edges = np.concatenate(([0], edges))  # np.r_ takes ten times as long
        if len(edges) & 1:
            edges = np.concatenate((edges, [len(marks)]))
        starts, ends = self.starts, self.ends = edges[::2], edges[1::2]
        # A word's hash is a polynomial of its letters; a running sum over the chunk gives those of all words.
        sums = np.zeros(len(marks) + 1, np.uint32)
        np.cumsum(_CODES.take(marks, mode="clip") * _UP[: len(marks)], out=sums[1:], dtype=np.uint32)
        self.hashes: Hashes = _mix((sums[ends] - sums[starts]) * _DOWN[starts])
        self.adjacent: Bools = starts[1:] - ends[:-1] == 1
        # repair.segment makes one token of "don't", one word of "Russia's", one of "U.S."
        sign = np.frombuffer(raw, np.uint8)[ends[:-1]]
        joined = self.adjacent & (sign == 39)
        if (dots := (self.adjacent & (sign == 46)).nonzero()[0]).size:
            letters = ends - starts == 1
            last = np.minimum(ends[dots + 1], len(raw) - 1)
            joined[dots] = letters[dots] & letters[dots + 1] & (np.frombuffer(raw, np.uint8)[last] == 46)
        self.count = len(starts) - int(np.count_nonzero(joined))

    def grams(self) -> Iterator[tuple[Hashes, Bools | None]]:
        """Hashes of all words, of all pairs and of all triples, and which of them have single signs between."""
        hashes, close, whole = self.hashes, self.adjacent, None
        for n in range(MOST_WORDS):
            if n:
                hashes = _mix(hashes[:-1] * np.uint32(0x85EBCA6B) + self.hashes[n:] * np.uint32(0xC2B2AE35))
                whole = close if n == 1 else whole[:-1] & close[n - 1 :] if whole is not None else None
            if not hashes.size:
                return
            yield hashes, whole


def chunks(text: str) -> list[bytes]:
    """A text as bytes with plain signs, cut between words where it is long."""
    if not text.isascii():
        for sign, plain in _SIGNS:  # in the string, as Python looks for one character much faster than for its bytes
            text = text.replace(sign, plain)
    raw = text.encode("utf-8", "replace")
    if len(raw) <= CHUNK:
        return [raw]
    out, at = [], 0
    while at < len(raw):
        end = at + CHUNK
        if end < len(raw):
            end = max(raw.rfind(b" ", at, end), raw.rfind(b"\n", at, end)) + 1 or end
        out.append(raw[at:end])
        at = end
    return out
