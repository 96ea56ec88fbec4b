"""Windows of our own annotated articles for the encoder's last training (training.encoder --own).

Most swaps that training/corrupt.py makes come from dictionaries. Writers who put themselves in a machine's place find
what no dictionary holds: literal returns from another language, broken collocations, terms turned word by word. Each
time an article is read, a random share of its swaps is undone, so that light damage and clean text come in its manner
too. Articles are split in halves by their names: an encoder that learns from one half serves to judge the other when
the combination is fitted (training/combination.py).
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from repair.encoder import WINDOW
from repair.network import FIRST, FURTHER
from repair.segment import Text
from training.articles import Gold, cores, own, thinned

HALVES = 2
WORDS = 0.8 * WINDOW  # that a window holds: four to five word pieces
WHOLE, CLEAN = 0.4, 0.15  # share of the readings with every swap in place, and with none
FIRST_SAID = 0.7  # how often the first of several originals is the one that is asked for
NOT_ASKED = -100  # label of a word that may be an artifact or not: the loss passes over it


@dataclass(frozen=True, slots=True)
class Window:
    """Words, a label each (repair.network, or NOT_ASKED), and what stood at some stretches: (first, last, original)."""

    words: list[str]
    labels: list[int]
    asked: list[tuple[int, int, str]]


def half(name: str) -> int:
    """Which half an article of this name belongs to."""
    return zlib.crc32(name.encode()) % HALVES


def judged_by(name: str, encoders: int) -> int:
    """Which encoder sees an article of ours as new: the shipped one, or where there are such, that of its half."""
    return 1 + half(name) if encoders > 1 else 0


def own_articles() -> list[Gold]:
    """All articles to learn from, spun and clean."""
    return [*own("spun"), *own("clean")]


def endless(articles: Sequence[Gold], rng: random.Random) -> Iterator[Window]:
    """Windows of all articles, in a new order and with other swaps undone each time round."""
    while articles:
        for gold in rng.sample(articles, len(articles)):
            draw = rng.random()
            share = 1.0 if draw < WHOLE else 0.0 if draw < WHOLE + CLEAN else rng.random()
            yield from windows(thinned(gold, share, rng), rng)


def windows(gold: Gold, rng: random.Random) -> Iterator[Window]:
    """An article cut into runs of sentences that a window of the encoder may hold."""
    text = Text(gold["text"])
    labels = [0] * len(text)
    asked: list[tuple[int, int, str]] = []
    for unit in gold["units"]:
        parts = [(*_tokens(text, p["start"], p["end"]), p["originals"]) for p in cores(unit)]
        whole = _tokens(text, unit["start"], unit["end"])
        if len(parts) > 1:
            asked.append((*whole, rng.choice(unit["originals"])))
        for k, (first, last, originals) in enumerate(parts):
            follows = k > 0 and parts[k - 1][1] == first
            labels[first] = FURTHER if follows else FIRST
            labels[first + 1 : last] = [FURTHER] * (last - first - 1)
            if len(parts) <= 2:  # more words seldom stand for each other one by one
                asked.append((first, last, originals[0] if rng.random() < FIRST_SAID else rng.choice(originals)))
        if unit["optional"]:
            labels[whole[0] : whole[1]] = [NOT_ASKED] * (whole[1] - whole[0])
    for a, z in _runs(text):
        inside = [(f - a, n - a, o) for f, n, o in asked if a <= f and n <= z]
        yield Window(text.words[a:z], labels[a:z], inside)


def _runs(text: Text) -> Iterator[tuple[int, int]]:
    """Tokens [first, last) of sentences that go together."""
    first = 0
    for sentence in text.sentences:
        if sentence.last - first > WORDS and sentence.first > first:
            yield first, sentence.first
            first = sentence.first
    if first < len(text):
        yield first, len(text)


def _tokens(text: Text, start: int, end: int) -> tuple[int, int]:
    """The tokens that lie, in part at least, between two offsets."""
    touched = [i for i in range(len(text)) if text.starts[i] < end and start < text.ends[i]]
    return touched[0], touched[-1] + 1
