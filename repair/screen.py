"""The screen: does an article need the full analysis? Decided from the raw string, at tens of megabytes a second.

Machines have habits of wording: those of the lexicons, in all their inflections, that clean English hardly knows
(training/screen.py counts them). Each such tell weighs the more, the rarer it is in clean text. An article is doubtful
by the weight of its different tells to a hundred words, in all of it or where it is densest, so that one damaged
paragraph in a long clean article is found too.

Words are hashed where they stand, for a whole chunk of text at once: no word is ever a Python object.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from repair.errors import ArtifactError

Hashes = npt.NDArray[np.uint32]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

MOST_WORDS = 3  # of a tell; a longer wording is known by its first three
FILTER_BITS = 21  # of a hash, that decide whether it is looked up at all
CHUNK = 1 << 17  # bytes hashed at once: the arrays stay in the processor's cache
WINDOW = 120  # words
LEAST_WORDS = 20
NEVER = -20.0  # the score of a text too short to tell
SHORT = 60  # words; a shorter text counts as one of so many, or a single tell would do
STRONG = 3.0  # weight of a tell that clean text shows once in a million words

_LETTERS = bytes(b if 97 <= b <= 122 or b >= 128 else b + 32 if 65 <= b <= 90 else 0 for b in range(256))
_SIGNS = [  # what UTF-8 texts write for ASCII; every other sign above ASCII counts as a letter
    (s.encode(), a)
    for s, a in zip("’‘“”–—…\u00a0£€•·", (b"'", b"'", b'"', b'"', b"-", b"-", b"...", *[b" "] * 5), strict=True)
]
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
        edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
        if len(marks) and inside[0]:
            edges = np.r_[0, edges]
        if len(edges) & 1:
            edges = np.r_[edges, len(marks)]
        starts, ends = self.starts, self.ends = edges[::2], edges[1::2]
        # A word's hash is a polynomial of its letters; a running sum over the chunk gives those of all words.
        sums = np.zeros(len(marks) + 1, np.uint32)
        np.cumsum(_CODES[marks] * _UP[: len(marks)], out=sums[1:], dtype=np.uint32)
        self.hashes: Hashes = _mix((sums[ends] - sums[starts]) * _DOWN[starts])
        self.adjacent: Bools = starts[1:] - ends[:-1] == 1
        # repair.segment makes one token of "don't", one word of "Russia's", one of "U.S."
        sign = np.frombuffer(raw, np.uint8)[ends[:-1]]
        joined = self.adjacent & (sign == 39)
        if (dots := np.flatnonzero(self.adjacent & (sign == 46))).size:
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
    raw = text.encode("utf-8", "replace")
    if not text.isascii():
        for sign, plain in _SIGNS:
            if sign in raw:
                raw = raw.replace(sign, plain)
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


class Screen:
    """Tells with their weights, and the score from which an article is doubtful. Immutable.

    own: wordings that make an article doubtful by themselves (the user's own lexicon).
    """

    def __init__(self, folder: Path, own: Collection[str] = ()) -> None:
        try:
            with np.load(folder / "screen.npz") as arrays:
                self.tells, self._weights = arrays["tells"], arrays["weights"].astype(np.float32) / 16
                self._factors = tuple(float(f) for f in arrays["factors"])
        except (OSError, ValueError, KeyError, BadZipFile) as e:
            raise ArtifactError(f"{folder}: the screen can't be read ({e}); install mt-repair again") from e
        self._filter = np.zeros(1 << FILTER_BITS, bool)
        self._filter[self.tells >> np.uint32(32 - FILTER_BITS)] = True
        self._own = None
        if own:
            from ahocorasick_rs import AhoCorasick

            self._own = AhoCorasick(sorted({w.lower() for w in own}))

    def doubtful(self, text: str) -> bool:
        """Whether the article needs the full analysis."""
        return self.examine(text)[0]

    def score(self, text: str) -> float:
        """Log odds that the article is spun, from its tells alone; doubtful from 0 on."""
        return max((self._score(Words(raw)) for raw in chunks(text)), default=NEVER)

    def examine(self, text: str) -> tuple[bool, int]:
        """Whether the article is doubtful, and the number of its words (but for rare signs that of repair.segment)."""
        doubtful, count = False, 0
        for raw in chunks(text):
            words = Words(raw)
            count += words.count
            doubtful = doubtful or self._score(words) >= 0
        if not doubtful and self._own is not None:
            doubtful = bool(self._own.find_matches_as_indexes(text.lower()))
        return doubtful, count

    def found(self, words: Words) -> tuple[Ints, Ints]:
        """The tells of a chunk: which, and at which word."""
        which, where = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for hashes, close in words.grams():
            maybe = self._filter[hashes >> np.uint32(32 - FILTER_BITS)]
            if close is not None:
                maybe &= close
            at = np.flatnonzero(maybe)
            tell = np.minimum(np.searchsorted(self.tells, hashes[at]), len(self.tells) - 1)
            true = self.tells[tell] == hashes[at]
            which.append(tell[true])
            where.append(at[true])
        return np.concatenate(which), np.concatenate(where)

    def features(self, words: Words) -> tuple[float, float, float]:
        """Weight of the different tells to a hundred words, in all and in the densest window; strong tells likewise."""
        which, where = self.found(words)
        if not which.size:
            return 0.0, 0.0, 0.0
        which, first = np.unique(which, return_index=True)
        where, weights = where[first], self._weights[which]
        order = np.argsort(where)
        where, sums = where[order], np.r_[0.0, np.cumsum(weights[order])]
        size = max(len(words.hashes), SHORT)
        begins = np.searchsorted(where, where - WINDOW, side="right")
        densest = float(np.max(sums[1:] - sums[begins]))
        return (
            float(sums[-1]) / size * 100,
            densest / min(size, WINDOW) * 100,
            float(np.count_nonzero(weights >= STRONG)) / size * 100,
        )

    def _score(self, words: Words) -> float:
        if len(words.hashes) < LEAST_WORDS:
            return NEVER
        base, *factors = self._factors
        return base + sum(f * x for f, x in zip(factors, self.features(words), strict=True))
