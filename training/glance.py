"""Fit the screen's third look: training/glance.py. Makes repair/artifacts/screen/glance.npz (see repair/glance.py).

Articles that the first two looks doubt, spun ones of our own (whole, thinned, a paragraph planted in clean text) and
clean ones, have their worst sentences read. A logistic regression tells them apart; its threshold keeps, out of fold,
all but LOSES of those spun articles in which the whole analysis finds anything. The held-back corpora are only reported
on. Run after training.screen and training.combination.
"""

from __future__ import annotations

import argparse
import os
import random
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from repair.decide import THRESHOLDS
from repair.glance import COLUMNS, features, replaced
from repair.memory import hand_back
from repair.pipeline import Pipeline
from repair.report import Article
from training.articles import density, excerpt, own, planted, thinned
from training.corpora import BUILD, HELD
from training.misfits import DENSE, FOLDS, THIN
from training.screen import ARTIFACTS, held_lines, late_lines, registers, sample

LOSES = 0.02  # of the spun articles in which the analysis finds something
EACH = {"late": 250, "held": 100}  # pieces of each corpus
SIZES = [120, 250, 400, 400, 800, 1500]  # words
SPUN = ("own", "thin", "planted")


@dataclass(frozen=True)
class Row:
    """A doubtful article.

    found: whether the analysis reports anything, findings: how much. seconds: of the glance, of the analysis.
    """

    kind: str
    group: str
    words: int
    columns: np.ndarray
    found: bool
    findings: int
    seconds: tuple[float, float]


def texts(kind: str) -> Iterator[tuple[str, str]]:
    """Group and text of every article of a kind."""
    rng = random.Random(kind)
    if kind in EACH:
        source, names = (late_lines, BUILD) if kind == "late" else (held_lines, HELD)
        for i, text in enumerate(sample(source, names, rng, EACH[kind], SIZES)):
            yield f"{kind} {i}", text
    elif kind == "registers":
        for i, text in enumerate(registers()):
            yield f"{kind} {i}", text
    elif kind == "tempting":
        for gold in own("clean"):
            yield gold["id"], gold["text"]
    else:
        long = sample(late_lines, BUILD, rng, 12, [900, 1500]) if kind == "planted" else []
        for gold in own("spun"):
            if kind == "own":
                if rng.random() < 0.16:  # most are beyond doubt
                    yield gold["id"], gold["text"]
            elif kind == "thin":
                goals = [g for g in THIN if g < density(gold) / 1.25]
                if goals and rng.random() < 0.25:
                    one = thinned(gold, rng.choice(goals) / density(gold), rng)
                    if any(not u["optional"] for u in one["units"]):
                        yield gold["id"], one["text"]
            elif density(gold) >= DENSE and rng.random() < 0.1:
                paragraph = excerpt(gold, rng)
                yield gold["id"], planted(paragraph, rng.choice(long), rng)


def rows(kind: str) -> tuple[int, int, list[Row]]:
    """Number of articles and of words of a kind, and those that are doubtful."""
    pipeline = Pipeline((), (), (), THRESHOLDS["normal"])
    screen, encoder = pipeline.screen, pipeline.encoder
    assert screen is not None and encoder is not None
    out, articles, total = [], 0, 0
    for group, text in texts(kind):
        doubtful, words = screen.examine(text)
        articles, total = articles + 1, total + words
        if doubtful:
            began = time.perf_counter()
            score, sentences = screen.worst(text)
            columns = features(replaced(encoder, sentences), score, words)
            between = time.perf_counter()
            _, _, decision = pipeline.judged(Article(text))
            seconds = between - began, time.perf_counter() - between
            found = bool(decision.choices) or decision.verdict.label != "clean"
            out.append(Row(kind, group, words, columns, found, len(decision.choices), seconds))
            hand_back()
    return articles, total, out


def fitted(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Factors of a logistic regression: intercept, then the columns'. Both classes weigh alike."""
    scale = x.std(axis=0) + 1e-6
    model = LogisticRegression(max_iter=3000, class_weight="balanced").fit(x / scale, y)
    return np.r_[model.intercept_[0], model.coef_[0] / scale]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ARTIFACTS / "screen")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the workers', which would get into each other's way
    kinds = ("own", "planted", "thin", "late", "tempting", "registers", "held")
    with ProcessPoolExecutor(args.workers, mp_context=get_context("spawn")) as pool:
        found = dict(zip(kinds, pool.map(rows, kinds), strict=True))
    known = [r for kind in kinds if kind != "held" for r in found[kind][2]]
    x, y = np.array([r.columns for r in known]), np.array([r.kind in SPUN for r in known])
    fold = np.array([zlib.crc32(r.group.encode()) % FOLDS for r in known])
    scores = np.zeros(len(known))
    for k in range(FOLDS):
        factors = fitted(x[fold != k], y[fold != k])
        scores[fold == k] = x[fold == k] @ factors[1:] + factors[0]
    kept = np.sort(scores[y & np.array([r.found for r in known])])
    level = float(kept[int(LOSES * len(kept))])
    factors = fitted(x, y)
    np.savez(args.out / "glance.npz", factors=np.r_[factors[0] - level, factors[1:]])
    print(", ".join(f"{c} {f:.3f}" for c, f in zip(("base", *COLUMNS), factors, strict=True)), f"level {level:.2f}")
    by_kind = {kind: scores[[r.kind == kind for r in known]] for kind in kinds}
    by_kind["held"] = np.array([r.columns @ factors[1:] + factors[0] for r in found["held"][2]])
    spared = {kind: int((s < level).sum()) for kind, s in by_kind.items()}
    for kind in kinds:
        articles, words, some = found[kind]
        hit = by_kind[kind] >= level
        share = sum(r.words for r, h in zip(some, hit, strict=True) if h) / words
        lost = [r for r, h in zip(some, hit, strict=True) if r.found and not h]
        glance, analysis = (sum(r.seconds[i] for r in some) for i in (0, 1))
        print(
            f"{kind:10} {articles:5} articles, {words:7} words; doubtful {len(some)}, after the glance {hit.sum()} "
            f"({share:.3f} of {sum(r.words for r in some) / words:.3f} of all words); the analysis doubts "
            f"{sum(r.found for r in some)}, {len(lost)} of them lost; findings {sum(r.findings for r in some)}, "
            f"{sum(r.findings for r in lost)} lost; seconds: glances {glance:.0f}, analyses {analysis:.0f}"
        )
    few = sum(spared[kind] for kind in SPUN)
    print(f"spun among those spared by the glance alone: {few} of {sum(spared.values()) - spared['held']}")


if __name__ == "__main__":
    main()
