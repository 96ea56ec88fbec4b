"""The screen's third look: the encoder reads the few sentences of an article that misfit most.

An article that the first two looks doubt is usually clean after all, and reading all of it takes hundreds of times as
long as they do. If a machine has been at it, its oddest sentences show that to the encoder: in clean text they are odd
by their subject, and fit it. A logistic regression (training/glance.py) weighs how many of their words the encoder
holds for replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from repair.encoder import Encoder
from repair.errors import artifact
from repair.hashed import Words
from repair.misfits import MOST_ODDS
from repair.segment import Text

Floats = npt.NDArray[np.float32]

COLUMNS = ("score", "mean", "first", "second", "third", "fifth", "eighth", "many", "log_words")
_RANKS = (0, 1, 2, 4, 7)  # words, by how surely they were replaced
_LEAST = 1e-4  # chance of having been replaced that counts as none
WORDS = 160  # of an article that are read, what one pass of the encoder holds; and
SHARE = 20  # at least one in so many
_LONGEST, _PIECE = 40, 30  # words: a longer sentence is cut into such pieces
_AT_ONCE = 250  # sentences: what the encoder says of more would take too much memory, as in an article of 50 MB
_SMOOTH = 8  # words that a sentence counts as longer than it is: two odd words in two say less than ten in twenty


class Glance:
    """The third look. Immutable."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        with artifact(folder, "screen"), np.load(folder / "glance.npz") as arrays:
            self._factors = arrays["factors"].astype(np.float32)
        self._encoder = encoder

    def doubtful(self, sentences: Sequence[str], score: float, words: int) -> bool:
        """Whether an article needs the full analysis.

        sentences: its worst ones (Screen.worst). score: of the looks before. words: in all of the article.
        """
        columns = features(replaced(self._encoder, sentences), score, words)
        return bool(columns @ self._factors[1:] + self._factors[0] >= 0)


def replaced(encoder: Encoder, sentences: Sequence[str]) -> Floats:
    """For each word of some sentences the chance that a machine replaced it."""
    out = [np.zeros(0, np.float32)]
    for at in range(0, len(sentences), _AT_ONCE):
        text = Text("\n".join(sentences[at : at + _AT_ONCE]))
        (reading,) = encoder.read([text])
        out.append(reading.replaced[np.array(text.is_word, bool)])
    return np.concatenate(out)


def features(chances: Floats, score: float, words: int) -> Floats:
    """COLUMNS of an article, from the chances of the words that were read: the highest as log odds."""
    highest = np.full(max(_RANKS) + 1, _LEAST, np.float32)
    n = min(len(chances), len(highest))
    highest[:n] = np.sort(chances)[::-1][:n].clip(_LEAST, 1 - _LEAST)
    logits = np.log(highest / (1 - highest))[list(_RANKS)]
    mean = chances.sum() / max(len(chances), 30)
    many = np.log1p(np.count_nonzero(chances > 0.5))
    return np.array([score, mean, *logits, many, np.log(max(1, words))], np.float32)


def worst(raw: bytes, words: Words, odds: Floats) -> list[str]:
    """The sentences of a chunk that misfit most, in their order. odds: log odds of its words (Misfits.odds)."""
    chance = np.where(odds == 0, 0, 1 / (1 + np.exp(-np.clip(odds, *MOST_ODDS))))
    firsts, lasts = _sentences(raw, words)
    sums = np.concatenate(([0.0], chance.cumsum()))
    oddness = (sums[lasts] - sums[firsts]) / (lasts - firsts + _SMOOTH)
    room = max(WORDS, len(odds) // SHARE)
    taken: list[int] = []
    for i in np.argsort(-oddness, kind="stable").tolist():
        size = int(lasts[i] - firsts[i])
        if size <= room or not taken:
            taken.append(i)
            room -= size
        if room < _SMOOTH:
            break
    places = ((words.starts[firsts[i]], words.ends[lasts[i] - 1]) for i in sorted(taken))
    return [" ".join(raw[a:z].decode("utf-8", "replace").split()) + "." for a, z in places]


def _sentences(raw: bytes, words: Words) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """First words of sentences or pieces of long ones, and the words after them."""
    marks = np.frombuffer(raw, np.uint8)
    ends = words.ends[:-1]
    sign, after = marks[ends], marks[np.minimum(ends + 1, len(marks) - 1)]
    stop = np.isin(sign, np.frombuffer(b".!?", np.uint8)) & np.isin(after, np.frombuffer(b" \n\"'", np.uint8))
    begins = np.concatenate(([True], stop | (sign == ord("\n")) | (after == ord("\n"))))
    firsts = begins.nonzero()[0]
    sizes = np.diff(firsts, append=len(begins))
    long = zip(firsts[sizes > _LONGEST], sizes[sizes > _LONGEST], strict=True)
    firsts = np.sort(np.concatenate([firsts, *(np.arange(a + _PIECE, a + size, _PIECE) for a, size in long)]))
    return firsts, np.append(firsts[1:], len(begins))
