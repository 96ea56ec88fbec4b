"""Windows that the encoder learns from: clean text spun on the fly and our own articles, as arrays.

A batch asks what stood at each replaced stretch and at some intact words, and names rivals: other wordings that what
stands there could stand for.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from repair.encoder import BEGIN, END, WINDOW, piece_tokenizer
from repair.inflection import analyses
from repair.network import FIRST, FURTHER
from repair.ngrams import NgramStore
from repair.segment import Text
from repair.thesaurus import Thesaurus
from training.ahead import ARTIFACTS, Ahead
from training.articles import Gold
from training.corpora import BUILD, building_lines, late_lines
from training.corrupt import Spinner, spin
from training.own import WORDS, Window, endless
from training.swaps import ANY, OWN, Swaps

WINDOWS = 64  # a batch
AHEAD = Path("build/neighbours.npz")  # training/ahead.py
COMMON = 40_000  # words of the table of wordings
CLEAN = 0.2  # share of the windows that stay as they were
RIVALS = 8  # wordings of a replaced span's neighbourhood that its original is compared with, of either sort
INTACT_SPANS = 14  # words of a window that were not replaced and are asked for all the same
SENSELESS = 0.7  # share of the spinners that draw on words of any meaning too (training.swaps.ANY)
OWN_HABITS = 0.8  # share of the spinners that swap as our own articles do too (training.swaps.OWN)
REGISTERS = 0.08  # share of the windows that come from training/registers: English that the corpora hold too little of

Batch = dict[str, npt.NDArray[Any]]
Ids = npt.NDArray[np.int64]


class Pieces:
    """Word pieces of single words, cached. Must cut as repair.encoder does."""

    def __init__(self, vocabulary: list[str]) -> None:
        self.tokenizer: Tokenizer = piece_tokenizer(vocabulary)
        self.of = lru_cache(maxsize=300_000)(self._of)

    def _of(self, word: str) -> tuple[int, ...]:
        return tuple(self.tokenizer.encode(word, add_special_tokens=False).ids[:12])


@dataclass(frozen=True, slots=True)
class Material:
    """What windows are made of: lines of the corpora and of training/registers, and a ``share`` from own articles."""

    lines: list[str]
    registers: list[str]
    own: Sequence[Gold] = ()
    share: float = 0.0
    windows: int = WINDOWS  # a batch


class Maker:
    """Makes batches of spun windows as arrays.

    ``table``: wordings that every choice is made among: common words, and the phrases that swaps come from. Other
    wordings of a batch come after them, in numbers and with their pieces in the batch.
    """

    def __init__(self, lexicons: list[Path], vocabulary: list[str], seed: int, held: bool = False) -> None:
        self.store = NgramStore(ARTIFACTS / "ngrams")
        self.swaps = Swaps(lexicons, self.store, Thesaurus(ARTIFACTS / "thesaurus"), held)
        if AHEAD.exists() and not held:
            self.swaps.ahead = Ahead(AHEAD)
        self.pieces = Pieces(vocabulary)
        self.seed = seed
        words = self.store.frequent(COMMON)[1:]  # without "the"
        phrases = [o for t in self.swaps.tables.values() for o in t if " " in o]
        self.table = list(dict.fromkeys([*(w for w in words if w.isalpha()), *phrases]))
        self.index = {w: i for i, w in enumerate(self.table)}

    @cached_property
    def originals(self) -> dict[str, list[int]]:
        """What a wording stands for by any table of swaps, as numbers of ``table``."""
        found: dict[str, dict[int, None]] = defaultdict(dict)
        for original, choices in chain.from_iterable(table.items() for table in self.swaps.tables.values()):
            if (number := self.index.get(original)) is not None:
                for observed, _ in choices:
                    found[observed][number] = None
        return {observed: list(numbers) for observed, numbers in found.items()}

    def rivals(self, observed: str, rng: random.Random) -> list[int]:
        """Some of the wordings that a replaced one could stand for as well, as numbers of ``table``.

        Run-time candidates are of this sort, and few of them are among wordings drawn at random.
        """
        listed = self.originals.get(observed, [])
        near = {
            number
            for lemma, tag in analyses(observed)
            for choices in self.swaps.neighbours(lemma, tag).values()
            for form, _ in choices
            if (number := self.index.get(form)) is not None
        }
        groups = listed, sorted(near.difference(listed))
        return [n for group in groups for n in rng.sample(group, min(len(group), RIVALS))]

    def window(self, lines: list[str], rng: random.Random) -> str:
        """Some consecutive lines of about the window's length, starting anywhere."""
        at, out, words = rng.randrange(len(lines)), [], 0
        while words < WORDS and at < len(lines):
            out.append(lines[at])
            words += lines[at].count(" ") + 1
            at += 1
        text = "\n".join(out)
        return text[: 10 * WINDOW]

    def spun(self, lines: list[str], rng: random.Random, clean: float = CLEAN) -> Window:
        """A window of clean text as a random machine leaves it."""
        spinner = Spinner.draw(rng, list(self.swaps.tables), clean)
        spinner.sources[ANY] = 1.5 * rng.random() if rng.random() < SENSELESS else 0.0
        if OWN in self.swaps.tables:
            spinner.sources[OWN] = rng.random() if rng.random() < OWN_HABITS else 0.0
        words, units, _ = spin(self.window(lines, rng), spinner, self.swaps, rng)
        labels = [0] * len(words)
        for u in units:
            labels[u.first] = FIRST
            labels[u.first + 1 : u.last] = [FURTHER] * (u.last - u.first - 1)
        return Window(words, labels, [(u.first, u.last, u.original) for u in units])

    def batch(self, step: int, material: Material) -> Batch:
        """The windows of a step: own articles, and clean text spun."""
        rng = random.Random(self.seed * 1_000_003 + step)
        made = [*islice(endless(material.own, rng), round(material.share * material.windows))]
        while len(made) < material.windows:
            register = material.registers and rng.random() < REGISTERS
            made.append(self.spun(material.registers if register else material.lines, rng))
        return self.arrays(made, rng)

    def arrays(self, windows: Sequence[Window], rng: random.Random) -> Batch:
        """Windows as a network reads them: what does not fit is left out; some intact words are asked for as well."""
        pieces = np.zeros((len(windows), WINDOW), np.int16)
        word_of = np.full((len(windows), WINDOW), -1, np.int32)
        labels: list[int] = []
        spans: list[tuple[int, int]] = []
        targets: list[int] = []
        observed: list[int] = []
        rivals: set[int] = set()
        extra: dict[str, int] = {}

        def number(wording: str) -> int:
            known = self.index.get(wording)
            return extra.setdefault(wording, len(self.table) + len(extra)) if known is None else known

        for b, window in enumerate(windows):
            words, own = window.words, window.labels
            base, k, fitted = len(labels), 1, 0
            for word in words:
                ids = self.pieces.of(word)
                if k + len(ids) >= WINDOW:
                    break
                pieces[b, k : k + len(ids)] = ids
                word_of[b, k : k + len(ids)] = base + fitted
                k += len(ids)
                fitted += 1
            pieces[b, 0], pieces[b, k] = BEGIN, END
            labels += own[:fitted]
            chosen = [(first, last, target) for first, last, target in window.asked if last <= fitted]
            free = [i for i in range(fitted) if not own[i] and words[i][0].isalpha() and len(words[i]) > 1]
            for i in rng.sample(free, min(len(free), INTACT_SPANS)):
                chosen.append((i, i + 1, words[i]))
            for first, last, target in chosen:
                spans.append((base + first, base + last))
                there = " ".join(w.lower() for w in words[first:last]).replace("’", "'")
                targets.append(number(target.lower().replace("’", "'")))
                observed.append(number(there))
                if targets[-1] != observed[-1]:
                    rivals.update(self.rivals(there, rng))
        of, flat = self.flat(extra)
        return {
            "pieces": pieces, "word_of": word_of, "labels": np.array(labels, np.int8),
            "member": np.array([w for a, z in spans for w in range(a, z)], np.int32),
            "span": np.array([i for i, (a, z) in enumerate(spans) for _ in range(a, z)], np.int32),
            "target": np.array(targets, np.int32), "own": np.array(observed, np.int32),
            "rivals": np.array(sorted(rivals), np.int32), "extra": flat, "extra_of": of,
        }  # fmt: skip

    def flat(self, wordings: Iterable[str]) -> tuple[Ids, Ids]:
        """Which wording each piece belongs to, and the pieces."""
        found = [[i for w in Text(wording).words for i in self.pieces.of(w)] or [1] for wording in wordings]
        of = np.repeat(np.arange(len(found)), [len(f) for f in found])
        return of, np.array([i for f in found for i in f], np.int64)


def load_lines(late: bool, most: int | None = None) -> list[str]:
    """Lines of the building corpora, their last tenths or what comes before; the first ``most`` of each."""
    out = []
    for name in BUILD:
        lines = late_lines(name) if late else building_lines(name)
        out += [line for line in islice(lines, most) if line]
    return out


def load_registers() -> list[str]:
    """Clean text of our own in kinds of English that the corpora hold too little of, a paragraph a line."""
    files = sorted(Path("training/registers").glob("*.txt"))
    return [line for f in files for line in f.read_text(encoding="utf-8").split("\n") if line]
