"""Train the combination of evidence and the verdict: training/combination.py [--encoder DIR].

Text that no source was built on: our own annotated articles (training/articles), clean text of the last tenth of the
building corpora, and the same spun on the fly, half of it with swaps that the encoder never saw. Two boosted tree
models (scikit-learn's HistGradientBoosting, packed as arrays): does this candidate restore the source; is this stretch
an artifact. Chances fed to the second are made out of fold, by article. data/dev and tests/articles are never read
here.
"""

from __future__ import annotations

import argparse
import pickle
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from repair import rows
from repair.candidates import Proposer
from repair.columns import PAIR, SPAN
from repair.decide import VERDICT, harmonised, pair_rows, span_rows, verdict_columns
from repair.encoder import Encoder
from repair.evidence import Evidence, Judge
from repair.lexicon import Lexicon
from repair.ngrams import NgramStore
from repair.segment import Text
from repair.thesaurus import Thesaurus
from training.articles import Gold, cores, folder, norm, restored
from training.corpora import BUILD, late_lines
from training.corrupt import Spinner, annotated
from training.swaps import Swaps

ARTIFACTS = Path("repair/artifacts")
OWN = Path("training/articles")
FOLDS = 4
BAG = 2  # models of other seeds that are averaged: single ones differ by some points on an article
Model = HistGradientBoostingClassifier
THINNED = {True: 0.12, False: 0.03}  # share kept of the pairs that restore nothing, in spun and in clean articles
IMPORTANCE = {"own": 1.0, "clean": 0.6, "synthetic": 0.2}
EVEN = 60  # artifact stretches of an article from which on more of them weigh no more: articles count, not swaps
CLEAN_TO_SPUN = 1.0  # weight of all clean articles to that of all spun ones, for the verdict


@dataclass
class Sample:
    """One article with its evidence and labels. kind: own, synthetic, clean."""

    name: str
    kind: str
    words: int
    evidence: Evidence
    touches: np.ndarray  # per span: 1 touches a unit, 0 not
    weight: np.ndarray  # per span
    restores: np.ndarray  # per pair
    spun: bool
    density: float


def labelled(kind: str, gold: Gold, text: Text, evidence: Evidence) -> Sample:
    """Labels from the annotation: which spans touch swaps, which pairs restore the source.

    A span that holds a whole unit must restore it; one that holds a part of one must restore the swaps in that part.
    """
    units = gold["units"]
    within = [cores(u) for u in units]
    touches = np.zeros(len(evidence.spans), np.int8)
    weight = np.ones(len(evidence.spans), np.float32)
    wanted: list[re.Pattern[str] | None] = []
    for s, (a, z) in enumerate(evidence.spans):
        start, end = text.starts[a], text.ends[z - 1]
        over = []
        for unit, parts in zip(units, within, strict=True):
            if unit["start"] < end and start < unit["end"]:
                inside = start <= unit["start"] and unit["end"] <= end
                found = [unit] if inside else [p for p in parts if p["start"] < end and start < p["end"]]
                over += found
                if not found:
                    weight[s] = 0.4  # a word that the swap left alone, within a unit
        if over:
            touches[s] = 1
            if all(u["optional"] for u in over):
                weight[s] = 0.4
        whole = over and all(start <= u["start"] and u["end"] <= end for u in over)
        wanted.append(restored(text.text, start, end, over) if whole else None)
    restores = np.zeros(len(evidence.texts), np.int8)
    for k, s in enumerate(evidence.span_of):
        p = wanted[s]
        if p is not None and p.fullmatch(norm(evidence.texts[k])):
            restores[k] = 1
    words = sum(text.is_word)
    touched = sum(u["end"] - u["start"] for u in units) / max(1, len(text.text))
    return Sample(gold["id"], kind, words, evidence, touches, weight, restores, bool(units), touched)


def clean_texts(rng: random.Random, each: int) -> Iterator[str]:
    """Articles' worth of clean text from the last tenths, 40 to 600 words."""
    for name in BUILD:
        lines = [line for line in late_lines(name) if line]
        for _ in range(each):
            at, out, words = rng.randrange(len(lines)), [], 0
            goal = rng.choice([60, 150, 300, 300, 500])
            while words < goal and at < len(lines):
                out.append(lines[at][:4000])
                words += lines[at].count(" ") + 1
                at += 1
            yield "\n\n".join(out)


def synthetic(texts: list[str], swaps: Swaps, rng: random.Random, name: str) -> Iterator[Gold]:
    """Clean texts spun by random machines, as gold annotation."""
    for i, text in enumerate(texts):
        spinner = Spinner.draw(rng, list(swaps.tables), clean=0.0)
        spinner.appetite = min(spinner.appetite, 0.45)
        spun, units = annotated(text, spinner, swaps, rng)
        yield {"id": f"{name}-{i}", "text": spun, "units": units}


def boosted(x: np.ndarray, y: np.ndarray, w: np.ndarray, leaves: int, rounds: int, seed: int) -> Model:
    """A boosted classifier. Sizes were chosen on the articles of training/articles alone, out of fold."""
    model = HistGradientBoostingClassifier(
        max_iter=rounds,
        learning_rate=0.05,
        max_leaf_nodes=leaves,
        max_depth=8,
        min_samples_leaf=40,
        l2_regularization=10.0,
        max_features=0.5,
        early_stopping=False,
        random_state=seed,
    )
    return model.fit(x, y, sample_weight=w)


def packed(models: Sequence[Model], prefix: str) -> dict[str, np.ndarray]:
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


class _Worker:
    """What a process needs to gather evidence: the encoder, and judges with and without the lexicon."""

    encoder: Encoder
    judges: list[Judge]

    @classmethod
    def start(cls, folder: Path) -> None:
        torch.set_num_threads(1)
        store, lexicon = NgramStore(ARTIFACTS / "ngrams"), Lexicon(rows.shipped())
        thesaurus = Thesaurus(ARTIFACTS / "thesaurus")
        cls.encoder = Encoder(folder)
        cls.judges = [
            Judge(store, Proposer(lexicon, thesaurus, store, without), cls.encoder) for without in ((), ("lexicon",))
        ]

    @classmethod
    def samples(cls, golds: list[tuple[str, Gold]]) -> list[Sample]:
        """Own articles are judged with and without the lexicon, of the others every fourth without: the trees have to
        know how to do without it."""
        texts = [Text(g["text"]) for _, g in golds]
        out = []
        for k, ((kind, gold), text, reading) in enumerate(zip(golds, texts, cls.encoder.read(texts), strict=True)):
            for judge in cls.judges if kind == "own" else [cls.judges[k % 4 == 0]]:
                out.append(labelled(kind, gold, text, replace(judge.evidence(text, reading), entries={})))
        return out


def gather(args: argparse.Namespace) -> list[Sample]:
    """Evidence on all training articles, in two processes."""
    rng = random.Random(args.seed)
    store, thesaurus = NgramStore(ARTIFACTS / "ngrams"), Thesaurus(ARTIFACTS / "thesaurus")
    lexicons = rows.shipped()
    clean = list(clean_texts(rng, args.clean))
    base = list(clean_texts(rng, args.synthetic))
    rng.shuffle(base)
    half = len(base) // 2
    golds: list[tuple[str, Gold]] = [("own", g) for kind in ("spun", "clean") for g in folder(OWN / kind)]
    golds += [("clean", {"id": f"clean-{i}", "text": t, "units": []}) for i, t in enumerate(clean)]
    held, seen = (Swaps(lexicons, store, thesaurus, held=h) for h in (True, False))
    golds += [("synthetic", g) for g in synthetic(base[:half], held, rng, "held")]
    golds += [("synthetic", g) for g in synthetic(base[half:], seen, rng, "seen")]
    began = time.time()
    parts = [golds[at : at + 16] for at in range(0, len(golds), 16)]
    with ProcessPoolExecutor(2, get_context("spawn"), _Worker.start, (args.encoder,)) as pool:
        samples = [s for part in pool.map(_Worker.samples, parts) for s in part]
    print(f"{len(samples)} articles in {time.time() - began:.0f} s", flush=True)
    return samples


def fit(samples: list[Sample], seed: int) -> dict[str, Any]:
    """The combination's arrays. Prints out-of-fold figures."""
    numbers = {name: i for i, name in enumerate(dict.fromkeys(s.name for s in samples))}
    fold = np.array([numbers[s.name] % FOLDS for s in samples])
    width = len(PAIR) + 5 + len(SPAN)
    x_pair = [pair_rows(s.evidence) if s.evidence.texts else np.zeros((0, width), np.float32) for s in samples]
    gen = np.random.default_rng(seed)
    # Negatives are thinned, and weighted by what was left out.
    pick = [(s.restores > 0) | (gen.random(len(s.restores)) < THINNED[s.spun]) for s in samples]
    weight = [IMPORTANCE[s.kind] * EVEN / max(EVEN, int(s.touches.sum())) for s in samples]
    factor = [np.where(s.restores > 0, 1.0, 1 / THINNED[s.spun]) * m for s, m in zip(samples, weight, strict=True)]

    def fit_pair(chosen: list[int], seed: int = seed) -> Model:
        x = np.concatenate([x_pair[i][pick[i]] for i in chosen])
        y = np.concatenate([samples[i].restores[pick[i]] for i in chosen])
        w = np.concatenate([factor[i][pick[i]] for i in chosen])
        return boosted(x, y, w, 31, 300, seed)

    def fit_span(chosen: list[int], seed: int = seed) -> Model:
        use = [i for i in chosen if len(x_span[i])]
        w = np.concatenate([samples[i].weight * weight[i] for i in use])
        return boosted(
            np.concatenate([x_span[i] for i in use]),
            np.concatenate([samples[i].touches for i in use]),
            w,
            20,
            200,
            seed,
        )

    def out_of_fold(fitted: Callable[[list[int]], Model], x: list[np.ndarray]) -> list[np.ndarray]:
        out: list[np.ndarray] = [np.zeros(0, np.float32)] * len(samples)
        for f in range(FOLDS):
            model = fitted([i for i in range(len(samples)) if fold[i] != f])
            for i in np.flatnonzero(fold == f):
                if len(x[i]):
                    out[i] = model.decision_function(x[i]).astype(np.float32)
        return out

    chance = [harmonised(s.evidence, c) for s, c in zip(samples, out_of_fold(fit_pair, x_pair), strict=True)]
    x_span = [
        span_rows(s.evidence, c) if s.evidence.spans else np.zeros((0, 1), np.float32)
        for s, c in zip(samples, chance, strict=True)
    ]
    confidence = [1 / (1 + np.exp(-c)) for c in out_of_fold(fit_span, x_span)]
    x = np.stack(
        [verdict_columns(s.evidence, c, p, s.words) for s, c, p in zip(samples, confidence, chance, strict=True)]
    )
    y = np.array([s.spun for s in samples])
    counted = ~y | np.array([s.density > 0.03 for s in samples])
    w = np.array([IMPORTANCE[s.kind] for s in samples])
    w[~y] *= CLEAN_TO_SPUN * w[y & counted].sum() / w[~y].sum()
    verdict = LogisticRegression(C=3.0, max_iter=5000).fit(x[counted], y[counted], sample_weight=w[counted])
    report(samples, chance, confidence, verdict.predict_proba(x)[:, 1])
    every = list(range(len(samples)))
    arrays: dict[str, Any] = {}
    for prefix, fitted in (("pair", fit_pair), ("span", fit_span)):
        arrays |= packed([fitted(every, seed + i) for i in range(BAG)], prefix)
    arrays["verdict_weights"] = np.concatenate([verdict.coef_[0], verdict.intercept_]).astype(np.float32)
    print("verdict", dict(zip([*VERDICT, "bias"], arrays["verdict_weights"].round(2).tolist(), strict=True)))
    return arrays


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, default=ARTIFACTS / "encoder")
    parser.add_argument("--out", type=Path, default=ARTIFACTS / "combination.npz")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--clean", type=int, default=40, help="clean articles of each corpus")
    parser.add_argument("--synthetic", type=int, default=36, help="spun articles of each corpus")
    parser.add_argument(
        "--keep", type=Path, help="evidence gathered before, or where to keep it: fitting alone is quick"
    )
    args = parser.parse_args()
    if args.keep and args.keep.exists():
        samples: list[Sample] = pickle.loads(args.keep.read_bytes())
    else:
        samples = gather(args)
        if args.keep:
            args.keep.write_bytes(pickle.dumps(samples))
    np.savez_compressed(args.out, **fit(samples, args.seed))
    print(f"{args.out}: {args.out.stat().st_size / 1e3:.0f} kB")


def report(samples: list[Sample], chance: list[np.ndarray], confidence: list[np.ndarray], said: np.ndarray) -> None:
    """Out-of-fold figures by kind of article."""
    for kind in ("own", "synthetic"):
        mine = [i for i, s in enumerate(samples) if s.kind == kind and s.spun]
        c = np.concatenate([confidence[i] for i in mine])
        t = np.concatenate([samples[i].touches for i in mine])
        proposed = np.concatenate(
            [
                np.bincount(samples[i].evidence.span_of, samples[i].restores, len(samples[i].evidence.spans)) > 0
                for i in mine
            ]
        )
        line = ", ".join(
            f"{th}: {t[c >= th].mean():.3f}/{t[c >= th].sum() / t.sum():.3f}" for th in (0.3, 0.5, 0.7, 0.9)
        )
        print(f"{kind}: span precision/recall at {line}; restorable spans {proposed.sum()} of {int(t.sum())} touching")
        bins = np.clip((c * 10).astype(int), 0, 9)
        error = sum(
            abs(c[bins == b].mean() - t[bins == b].mean()) * (bins == b).mean() for b in range(10) if (bins == b).any()
        )
        print(f"   expected calibration error {error:.3f}")
        p = np.concatenate([chance[i] for i in mine])
        r = np.concatenate([samples[i].restores for i in mine])
        print(
            "   pairs, precision/recall at "
            + ", ".join(
                f"{th}: {r[p >= th].mean():.3f}/{r[p >= th].sum() / r.sum():.3f}" for th in (0.3, 0.5, 0.7, 0.9)
            )
        )
    for kind in ("own", "synthetic", "clean"):
        for spun in (True, False):
            mine = [
                i for i, s in enumerate(samples) if s.kind == kind and s.spun == spun and (not spun or s.density > 0.03)
            ]
            if mine:
                print(
                    f"verdict {kind} {'spun' if spun else 'clean'}: "
                    f"{np.mean(said[mine] >= 0.5):.3f} called spun of {len(mine)}"
                )
    words = max(1, sum(s.words for s in samples if s.kind == "clean"))
    for th in (0.5, 0.9, 0.97):
        alarms = sum(int((confidence[i] >= th).sum()) for i, s in enumerate(samples) if s.kind == "clean")
        print(f"clean spans at {th}: {alarms / words * 1000:.2f} per 1,000 words")


if __name__ == "__main__":
    main()
