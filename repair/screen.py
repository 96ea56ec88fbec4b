"""The screen: does an article need the full analysis? Two looks at the raw string, the first at some 25 MB a second.

First look. Machines have habits of wording: those of the lexicons, in all their inflections, that clean English hardly
knows (training/screen.py counts them). Each such tell weighs the more, the rarer it is in clean text. An article is
doubtful by the weight of its different tells to a hundred words, in all of it or where it is densest, so that one
damaged paragraph in a long clean article is found too.

Second look, at what is doubtful then: tells and words that misfit (repair/misfits.py) together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from repair.errors import artifact
from repair.glance import worst
from repair.hashed import Ints, Words, chunks
from repair.misfits import Misfits, summed
from repair.ngrams import NgramStore

FILTER_BITS = 21  # of a hash, that decide whether it is looked up at all
WINDOW = 120  # words
LEAST_WORDS = 20
_ZERO = np.zeros(1, np.float32)
NEVER = -20.0  # the score of a text too short to tell
SHORT = 60  # words; a shorter text counts as one of so many, or a single tell would do
STRONG = 3.0  # weight of a tell that clean text shows once in a million words


class Screen:
    """Tells with their weights, and the scores from which an article is doubtful. Reading it changes nothing.

    own: wordings that make an article doubtful by themselves (the user's own lexicon). store: gives the n-gram store
    when the second look is first needed; by default it is read from the folder beside this one. Where ``folder`` has no
    misfits.npz, as in training, the first look decides alone.
    """

    def __init__(self, folder: Path, own: Collection[str] = (), store: Callable[[], NgramStore] | None = None) -> None:
        with artifact(folder, "screen"), np.load(folder / "screen.npz") as arrays:
            self.tells, self.weights = arrays["tells"], arrays["weights"].astype(np.float32) / 16
            self.factors = tuple(float(f) for f in arrays["factors"])
        self._filter = np.zeros(1 << FILTER_BITS, bool)
        self._filter[self.tells >> np.uint32(32 - FILTER_BITS)] = True
        self._folder, self._store = folder, store
        self._own = None
        if own:
            from ahocorasick_rs import AhoCorasick

            self._own = AhoCorasick(sorted({w.lower() for w in own}))

    @cached_property
    def misfits(self) -> Misfits | None:
        """The second look."""
        if not (self._folder / "misfits.npz").exists():
            return None
        return Misfits(self._folder, self._store() if self._store else NgramStore(self._folder.parent / "ngrams"))

    def doubtful(self, text: str) -> bool:
        """Whether the article needs the full analysis."""
        return self.examine(text)[0]

    def score(self, text: str) -> float:
        """How doubtful the article is; from 0 on it needs the full analysis."""
        return max((self._score(raw, Words(raw))[0] for raw in chunks(text)), default=NEVER)

    def examine(self, text: str) -> tuple[bool, int]:
        """Whether the article is doubtful, and the number of its words (but for rare signs that of repair.segment)."""
        doubtful, count = False, 0
        for raw in chunks(text):
            words = Words(raw)
            count += words.count
            doubtful = doubtful or self._score(raw, words)[0] >= 0
        return doubtful or self.has_own(text), count

    def has_own(self, text: str) -> bool:
        """Whether one of the user's own wordings stands there."""
        return self._own is not None and bool(self._own.find_matches_as_indexes(text.lower()))

    def worst(self, text: str) -> tuple[float, list[str]]:
        """The article's score, and those of its sentences that misfit most: what the third look needs."""
        score, sentences = NEVER, list[str]()
        for raw in chunks(text):
            words = Words(raw)
            mine, odds = self._score(raw, words)
            score = max(score, mine)
            if odds is None and self.misfits is not None and len(words.hashes):
                odds, _ = self.misfits.odds(raw, words, self.tells_at(words))
            if odds is not None:
                sentences += worst(raw, words, odds)
        return score, sentences

    def found(self, words: Words) -> tuple[Ints, Ints]:
        """The tells of a chunk: which, and at which word."""
        which, where = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for hashes, close in words.grams():
            maybe = self._filter.take(hashes >> np.uint32(32 - FILTER_BITS), mode="clip")
            if close is not None:
                maybe &= close
            at = maybe.nonzero()[0]
            some = hashes[at]
            tell = np.minimum(self.tells.searchsorted(some), len(self.tells) - 1)
            true = self.tells[tell] == some
            which.append(tell[true])
            where.append(at[true])
        return np.concatenate(which), np.concatenate(where)

    def features(self, words: Words) -> tuple[float, float, float]:
        """Weight of the different tells to a hundred words, in all and in the densest window; strong tells likewise."""
        return self._features(words, *self.found(words))

    def tells_at(self, words: Words) -> npt.NDArray[np.float32]:
        """For each word the greatest weight of the tells that begin there; 0 where none does."""
        return self._strongest(words, *self.found(words))

    def _strongest(self, words: Words, which: Ints, where: Ints) -> npt.NDArray[np.float32]:
        out = np.zeros(len(words.hashes), np.float32)
        np.maximum.at(out, where, self.weights[which])
        return out

    def _features(self, words: Words, which: Ints, where: Ints) -> tuple[float, float, float]:
        if not which.size:
            return 0.0, 0.0, 0.0
        which, first = np.unique(which, return_index=True)
        where, weights = where[first], self.weights[which]
        order = where.argsort()
        where, sums = where[order], np.concatenate((_ZERO, weights[order].cumsum()))
        size = max(len(words.hashes), SHORT)
        begins = where.searchsorted(where - WINDOW, side="right")
        densest = float((sums[1:] - sums[begins]).max())
        return (
            float(sums[-1]) / size * 100,
            densest / min(size, WINDOW) * 100,
            float(np.count_nonzero(weights >= STRONG)) / size * 100,
        )

    def _score(self, raw: bytes, words: Words) -> tuple[float, npt.NDArray[np.float32] | None]:
        """How doubtful a chunk is, and the log odds of its words if the second look was asked."""
        if len(words.hashes) < LEAST_WORDS:
            return NEVER, None
        found = self.found(words)
        features = self._features(words, *found)
        score = _weighed(self.factors, features)
        if score < 0 or self.misfits is None:
            return score, None
        odds, rows = self.misfits.odds(raw, words, self._strongest(words, *found))
        return _weighed(self.misfits.factors, (*features, *summed(odds, rows))), odds


def _weighed(factors: tuple[float, ...], features: tuple[float, ...]) -> float:
    return factors[0] + sum(f * x for f, x in zip(factors[1:], features, strict=True))
