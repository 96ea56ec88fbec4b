"""What the screen's second look is made of (repair/misfits.py): which words may stand for which, and the trees."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from repair import rows
from repair.hashed import Words, chunks
from repair.inflection import analyses, inflect
from repair.lexicon import inflected
from repair.misfits import WAYS, Misfits, fingerprint, summed
from repair.ngrams import NgramStore
from repair.screen import LEAST_WORDS, Screen
from repair.thesaurus import FAR, NEAR, PPDB, ROGET, SAME, Thesaurus
from repair.trees import Trees
from training.articles import Gold, density, excerpt, planted, thinned

OBSERVED = 40_000  # of the store's words, the most frequent first, may be artifacts
ORIGINALS = 1 << 16  # may have stood there
MOST = 8  # originals of a word: those that it stands for most often
LEAST = 40  # occurrences of an original
CLOSE = {PPDB: 3.0, SAME: 3.0, NEAR: 1.5, ROGET: 0.7, FAR: 0.3}  # how readily a dictionary leads from word to word
KNOWN = 8.0  # the same of a row of the lexicons
ROUNDS, LEAVES, DEPTH = 24, 12, 5  # of the trees
HONEST = 0.3  # share of clean words that the trees see
FOLDS = 5
THIN = (2.0, 3.0, 5.0, 10.0)  # swaps to a hundred words
LEARNT_AT = (3.0, 5.0, 10.0)  # what the trees see: swaps between intact words
WEIGHTS = {"restored": 2.0, "planted": 0.3}  # of pieces; the others weigh one
# Classes of density (swaps to a hundred words, from ... on), and the share of each that has to be caught: what the
# screen of November 2026, a first look alone, caught of our own articles.
CATCH = {0.0: 0.671, 2.0: 0.759, 3.0: 0.849, 5.0: 0.883, 8.0: 0.967, 12.0: 0.981, 20.0: 1.0}
PLANTED = 0.695  # the same of long clean articles with one paragraph of a spun one in them
DENSE = 8.0  # swaps to a hundred words, from which on an article is planted


def pairs(store: NgramStore, thesaurus: Thesaurus) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ids of words, of an original of each, and how readily the lexicons and the thesaurus lead to the word."""
    readily = [sum(w for bit, w in CLOSE.items() if bits & bit) for bits in range(32)]
    counts, ids = store.unigrams.tolist(), store.ids
    observed: list[int] = []
    originals: list[int] = []
    weights: list[float] = []
    for i in range(1, OBSERVED):
        found: dict[int, float] = {}
        for lemma, tag in analyses(store.words[i]):
            for word, bits in thesaurus.neighbours(lemma).items():
                if " " not in word and (form := inflect(word, tag)):
                    j = ids.get(form, 0)
                    found[j] = max(readily[bits], found.get(j, 0.0))
        observed += [i] * len(found)
        originals += found
        weights += found.values()
    for path in rows.shipped():
        for row in rows.read(path):
            for entry in inflected(row) if row.kind != "ignore" else ():
                observed.append(ids.get(entry.observed.lower(), 0))
                originals.append(ids.get(entry.original.lower(), 0))
                weights.append(KNOWN)
    a, b, w = np.array(observed), np.array(originals), np.array(weights)
    use = (a > 0) & (b > 0) & (b < ORIGINALS) & (a != b) & (np.array(counts)[b] >= LEAST)
    return a[use], b[use], w[use]


def channel(
    store: NgramStore, observed: np.ndarray, originals: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """The noisy channel's arrays of misfits.npz, from ``pairs``.

    A machine takes the frequent ones among the words that it might write. ``prior``: how often the channel would write
    a word if every word went through it, against how often it stands in clean text.
    """
    n, counts = len(store.words), np.maximum(store.unigrams.astype(np.float64), 1)
    key = observed.astype(np.int64) * n + originals
    order = np.lexsort((-weights, key))
    key, first = np.unique(key[order], return_index=True)
    a, b = key // n, key % n
    weight = weights[order][first] * (counts[a] + 5) ** 0.4
    way = weight / np.bincount(b, weights=weight, minlength=n)[b]
    flow = way * counts[b]
    prior = np.log((np.bincount(a, weights=flow, minlength=n) + 1) / counts)
    order = np.lexsort((-flow, a))
    a, b, way = a[order], b[order], way[order]
    best = np.arange(len(a)) - np.searchsorted(a, a) < MOST
    words, many = np.unique(a[best], return_counts=True)
    return {
        "observed": words.astype(np.uint32),
        "counts": many.astype(np.uint8),
        "originals": b[best].astype(np.uint16),
        "ways": np.round(-WAYS * np.log(way[best])).clip(0, 255).astype(np.uint8),
        "prior": np.round(WAYS * prior[words]).clip(-127, 127).astype(np.int8),
        "store": np.array(fingerprint(store)),
    }


def replaced(gold: Gold, words: Words) -> np.ndarray:
    """Which words of an annotated article, of one chunk, stand in a required unit; -1 those in one that is not."""
    out = np.zeros(len(words.hashes), np.int8)
    for unit in gold["units"]:
        first, last = (len(b"".join(chunks(gold["text"][: unit[end]]))) for end in ("start", "end"))
        inside = (words.starts < last) & (words.ends > first)
        out[inside] = -1 if unit["optional"] else 1
    return out


def grown(clean: Sequence[Piece], spun: Sequence[Piece]) -> dict[str, np.ndarray]:
    """The trees as arrays: which words of thinned articles were replaced, against the words of clean text.

    quiet: log odds of the ordinary words that are not asked about.
    """
    rng = np.random.default_rng(0)
    kinds = {f"thin {g:g}" for g in LEARNT_AT}
    thin = [p for p in spun if p.kind in kinds]
    made = np.concatenate([p.rows[p.which == 1] for p in thin])
    honest = np.concatenate([p.rows[rng.random(len(p.rows)) < HONEST] for p in clean])
    missed, asked = sum(p.missed for p in thin), sum(len(p.rows) for p in clean)
    share_made, share_honest = len(made) / (len(made) + missed), asked / (asked + sum(len(p.quiet) for p in clean))
    y = np.r_[np.ones(len(made)), np.zeros(len(honest))]
    weight = np.where(y == 1, len(honest) / len(made), 1.0)
    model = HistGradientBoostingClassifier(
        max_iter=ROUNDS, max_leaf_nodes=LEAVES, max_depth=DEPTH, learning_rate=0.3, min_samples_leaf=200,
        early_stopping=False, random_state=0,
    )  # fmt: skip
    arrays = packed([model.fit(np.concatenate([made, honest]), y, sample_weight=weight)], "odds")
    arrays["odds_bias"] = arrays["odds_bias"] + np.log(share_made / share_honest)
    return arrays | {"quiet": np.array(np.log((1 - share_made) / (1 - share_honest)))}


def packed(models: Sequence[HistGradientBoostingClassifier], prefix: str) -> dict[str, np.ndarray]:
    """The mean of fitted models as the arrays that repair.trees reads."""
    feature, threshold, children, value, roots = [], [], [], [], []
    depth = 0
    at = 0
    for (predictor,) in chain.from_iterable(model._predictors for model in models):
        nodes = predictor.nodes
        roots.append(at)
        leaf = nodes["is_leaf"].astype(bool)
        own = np.arange(len(nodes)) + at
        feature.append(np.where(leaf, 0, nodes["feature_idx"]))
        threshold.append(np.where(leaf, np.inf, nodes["num_threshold"]))
        children.append(
            np.stack([np.where(leaf, own, nodes["left"] + at), np.where(leaf, own, nodes["right"] + at)], axis=1)
        )
        value.append(np.where(leaf, nodes["value"], 0.0) / len(models))
        depth = max(depth, int(nodes["depth"].max()))
        at += len(nodes)
    return {
        f"{prefix}_feature": np.concatenate(feature).astype(np.int16),
        f"{prefix}_threshold": np.concatenate(threshold).astype(np.float32),
        f"{prefix}_children": np.concatenate(children).astype(np.int32),
        f"{prefix}_value": np.concatenate(value).astype(np.float32),
        f"{prefix}_roots": np.array(roots, np.int32),
        f"{prefix}_depth": np.array(depth),
        f"{prefix}_bias": np.array(np.mean([float(model._baseline_prediction.ravel()[0]) for model in models])),
    }


def save(out: Path, arrays: dict[str, np.ndarray], trees: dict[str, np.ndarray], factors: np.ndarray) -> None:
    """Write misfits.npz."""
    np.savez_compressed(out / "misfits.npz", factors=factors, **arrays, **trees)


@dataclass(frozen=True)
class Piece:
    """A text as the two looks see it. at, rows, quiet: of the second look. density: swaps to 100 words.

    which: for each of ``at``, whether it stands in a unit (``replaced``); zeros where nobody annotated.
    """

    group: str  # what belongs together stays in one fold
    kind: str  # a corpus, own, thin, restored, tempting
    first: tuple[float, ...]
    words: int
    at: np.ndarray
    rows: np.ndarray
    quiet: np.ndarray
    which: np.ndarray
    missed: int  # of those of ``quiet`` that stand in a unit
    density: float

    @property
    def fold(self) -> int:
        return zlib.crc32(self.group.encode()) % FOLDS


class Looker:
    """Makes pieces. Long texts are seen up to the end of their first chunk."""

    def __init__(self, screen: Screen, second: Misfits) -> None:
        self.screen, self.second = screen, second

    def clean(self, kind: str, texts: Sequence[str]) -> Iterator[Piece]:
        """Pieces of clean texts that are long enough for the screen to judge."""
        for k, text in enumerate(texts):
            piece = self._piece(f"{kind} {k}", kind, text, None, 0.0)
            if piece.words >= LEAST_WORDS:
                yield piece

    def own(self, gold: Gold, rng: random.Random) -> Iterator[Piece]:
        """A spun article of ours as it is, thinned, and restored."""
        words, whole = max(1, len(gold["text"].split())), density(gold)
        for goal in (whole, *(g for g in THIN if g < whole / 1.25), 0.0):
            one = gold if goal == whole else thinned(gold, goal / whole, rng)
            kind = "restored" if not goal else "own" if goal == whole else f"thin {goal:g}"
            required = sum(not u["optional"] for u in one["units"])
            if required or not goal:  # what only reads a little oddly is neither spun nor clean
                yield self._piece(gold["id"], kind, one["text"], one, 100 * required / words)

    def planted(self, gold: Gold, clean: str, rng: random.Random) -> Iterator[Piece]:
        """A long clean article with some words of a spun one in it."""
        if density(gold) >= DENSE:
            text = planted(excerpt(gold, rng), clean, rng)
            yield self._piece(gold["id"], "planted", text, None, density(gold))

    def _piece(self, group: str, kind: str, text: str, gold: Gold | None, density: float) -> Piece:
        raw = chunks(text)[0]
        words = Words(raw)
        at, found, quiet = self.second.rows(raw, words, self.screen.tells_at(words))
        which = replaced(gold, words) if gold else np.zeros(len(words.hashes), np.int8)
        missed = int(np.count_nonzero(which[quiet] == 1))
        first = self.screen.features(words)
        return Piece(group, kind, first, len(which), at, found, quiet, which[at], missed, density)


@dataclass(frozen=True)
class Fitted:
    """A second look: trees, factors of all features."""

    trees: dict[str, np.ndarray]
    factors: np.ndarray

    @classmethod
    def to(cls, clean: list[Piece], spun: list[Piece]) -> Fitted:
        trees = grown(clean, spun)
        x = _features([*clean, *spun], trees)
        y = np.r_[np.zeros(len(clean)), np.ones(len(spun))]
        weight = np.array([WEIGHTS.get(p.kind, 1.0) for p in (*clean, *spun)])
        weight[y == 0] *= weight[y == 1].sum() / weight[y == 0].sum()
        scale = x.std(axis=0) + 1e-6
        model = LogisticRegression(C=1.0, max_iter=3000).fit(x / scale, y, sample_weight=weight)
        return cls(trees, np.r_[model.intercept_[0], model.coef_[0] / scale])

    def scores(self, pieces: Sequence[Piece]) -> np.ndarray:
        return np.asarray(_features(pieces, self.trees) @ self.factors[1:] + self.factors[0])


def _features(pieces: Sequence[Piece], trees: dict[str, np.ndarray]) -> np.ndarray:
    forest = Trees(trees, "odds")
    out = []
    for p in pieces:
        odds = np.zeros(p.words, np.float32)
        odds[p.quiet] = float(trees["quiet"])
        odds[p.at] = forest.logits(p.rows)
        out.append([*p.first, *summed(odds, p.rows)])
    return np.array(out)


def classes(pieces: Sequence[Piece]) -> np.ndarray:
    """The class of CATCH that each piece is in; planted ones are in one of their own, after them."""
    inside = np.digitize([p.density for p in pieces], list(CATCH)[1:])
    return np.where([p.kind == "planted" for p in pieces], len(CATCH), inside)


def threshold(scores: np.ndarray, classes: np.ndarray, catch: Sequence[float]) -> float:
    """The highest score from which on at least the share ``catch`` of each class is caught."""
    limits = []
    for k, share in enumerate(catch):
        mine = np.sort(scores[classes == k])
        if len(mine):
            limits.append(mine[len(mine) - max(1, round(share * len(mine)))])
    return float(min(limits))
