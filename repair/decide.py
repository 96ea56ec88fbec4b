"""Decisions: the article's verdict first, then the best set of findings that do not overlap, and what is rewritten."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from repair.columns import PAIR, SPAN
from repair.errors import artifact
from repair.evidence import Evidence
from repair.perceptrons import Perceptrons
from repair.report import Label, Verdict

Floats = npt.NDArray[np.float32]
Caution = Literal["low", "normal", "high"]
VERDICT = ("mean", "high", "tells", "confident", "restorable", "sure", "restored", "log_words")
LISTEN = 0.5  # how much a place hears the other places of its wording
TWIN = 0.15  # how much less sure a place may be than another of the same swap to be rewritten along with it
SUSPICIOUS, SPUN = 0.4, 0.95  # probabilities of the verdict
DOUBT = 0.35  # how much of the verdict's doubt is added to the threshold of rewrites
WARY = 28.0  # the same of reports, of its square: little where an article is spun beyond doubt, all where it may be odd
SHORT = 150  # words; below, the verdict's rates are those of so long a text
INTACT = 0.1  # chance of having been replaced below which no word is rewritten, nor the encoder asked what stood there
UNPROPOSED = -5.0  # the log-odds of a candidate that another place did not even propose
_TOP = tuple(range(len(PAIR)))  # columns of the best pair that the span networks see


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When to report and when to rewrite: least confidence, and least chance that the rewrite is right."""

    report: float
    rewrite: float
    clean_report: float  # in an article judged clean

    def reported(self, probability: float) -> float:
        """Least confidence to report in an article that is spun with this probability: the less sure, the higher."""
        if probability < SUSPICIOUS:
            return self.clean_report
        return min(self.clean_report, self.report + WARY * (1 - probability) ** 2)

    def rewritten(self, probability: float) -> float:
        """Least chance to rewrite in such an article; above 1, never, where it is not judged spun."""
        return 2.0 if probability < SPUN else min(1.0, self.rewrite + DOUBT * (1 - probability))


THRESHOLDS: Mapping[Caution, Thresholds] = {
    "low": Thresholds(0.35, 0.55, 0.90),
    "normal": Thresholds(0.53, 0.72, 0.97),
    "high": Thresholds(0.70, 0.85, 0.995),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One chosen finding: index of its span, confidence, its pairs with the chance of each to restore it, best first.

    ``sureness``: the chance by which it is rewritten or not.
    """

    span: int
    confidence: float
    pairs: list[tuple[int, float]]
    sureness: float

    @property
    def total(self) -> float:
        """Sum of the chances; above one where there are rivals, as each is judged alone."""
        return sum(chance for _, chance in self.pairs)


@dataclass(frozen=True, slots=True)
class Decision:
    """Verdict and choices of one article; every span's confidence and every pair's chance for ``explain``."""

    verdict: Verdict
    choices: list[Choice]
    confidence: Floats
    chance: Floats


class Combination:
    """The trained combination of all evidence."""

    def __init__(self, path: Path) -> None:
        with artifact(path, "combination"):
            arrays: Mapping[str, Any] = np.load(path)
            self._pair = Perceptrons(arrays, "pair")
            self._span = Perceptrons(arrays, "span")
            self._verdict = arrays["verdict_weights"].astype(np.float32)

    def chances(self, evidence: Evidence) -> Floats:
        """For each pair, the chance that putting it in place restores the source."""
        if not evidence.texts:
            return np.zeros(0, np.float32)
        return harmonised(evidence, self._pair.logits(pair_rows(evidence), evidence.span_of))

    def confidences(self, evidence: Evidence, chance: Floats) -> Floats:
        """For each span, the chance that it touches an artifact."""
        if not evidence.spans:
            return np.zeros(0, np.float32)
        return self._span.probabilities(span_rows(evidence, chance))

    def probability(self, columns: Floats) -> float:
        """The chance that an article with these VERDICT columns is machine-paraphrased."""
        logit = float(columns @ self._verdict[:-1] + self._verdict[-1])
        return float(1 / (1 + np.exp(-logit)))


def harmonised(evidence: Evidence, logits: Floats) -> Floats:
    """Chances of pairs, where the same observed wording stands several times each place hearing the others too.

    A machine's dictionary sends a wording back to the same original far more often than not; the place keeps half
    the say.
    """
    places = Counter(evidence.observed)
    several = np.array([places[observed] > 1 for observed in evidence.observed], bool)
    groups: dict[tuple[str, str], list[int]] = {}
    for k in np.flatnonzero(several[evidence.span_of]).tolist():
        groups.setdefault((evidence.observed[evidence.span_of[k]], evidence.texts[k]), []).append(k)
    out = logits.copy()
    for (observed, _), pairs in groups.items():
        n = places[observed]
        mean = (float(logits[pairs].sum()) + UNPROPOSED * (n - len(pairs))) / n
        out[pairs] += LISTEN * (mean - logits[pairs])
    return (1 / (1 + np.exp(-out))).astype(np.float32, copy=False)


def pair_rows(evidence: Evidence) -> Floats:
    """What the pair networks read: the pair's columns, how it stands among its span's pairs, and the span's columns.

    Among its rivals: rough order and rank, share of the rough odds, and joint association against the best and the
    observed.
    """
    pair, span_of = evidence.pair, evidence.span_of
    starts = np.flatnonzero(np.r_[True, span_of[1:] != span_of[:-1]])
    sizes = np.diff([*starts, len(span_of)])

    def best(values: Floats) -> Floats:
        return np.repeat(np.maximum.reduceat(values, starts), sizes)

    prior, left, right = (pair[:, PAIR.index(c)] for c in ("prior", "left", "right"))
    joint = pair[:, PAIR.index("joint_left")] + pair[:, PAIR.index("joint_right")]
    observed = left + right - pair[:, PAIR.index("left_gain")] - pair[:, PAIR.index("right_gain")]
    odds = np.exp(prior - best(prior))
    among = (
        prior - best(prior),
        np.arange(len(span_of)) - np.repeat(starts, sizes),
        joint - best(joint),
        joint - observed,
        odds / np.repeat(np.add.reduceat(odds, starts), sizes),
    )
    return np.concatenate([pair, np.stack(among, axis=1), evidence.span[span_of]], axis=1).astype(np.float32)


def span_rows(evidence: Evidence, chance: Floats) -> Floats:
    """What the span networks read: the span's columns, its best pair's, and the chances of its pairs."""
    n = len(evidence.spans)
    best = np.full((n, len(_TOP)), -20.0, np.float32)
    most, second, total = np.zeros(n, np.float32), np.zeros(n, np.float32), np.zeros(n, np.float32)
    np.add.at(total, evidence.span_of, chance)  # one after the other, as a sum of floats depends on its order
    order = np.lexsort((-chance, evidence.span_of))
    some, first, sizes = np.unique(evidence.span_of, return_index=True, return_counts=True)
    best[some], most[some] = evidence.pair[order[first]], chance[order[first]]
    second[some[sizes > 1]] = chance[order[first[sizes > 1] + 1]]
    return np.concatenate([evidence.span, best, np.stack([most, second, total], axis=1)], axis=1)


def verdict_columns(evidence: Evidence, confidence: Floats, chance: Floats, words: int) -> Floats:
    """What the verdict rests on: the VERDICT columns of an article."""
    hundreds = max(SHORT, words) / 100  # a short text is counted as if it went on clean: it proves little
    share = min(1.0, words / SHORT)
    out = np.zeros(len(VERDICT), np.float32)
    if evidence.spans:
        chosen = best_set(evidence, confidence, chance, 0.5)
        best = np.zeros(len(evidence.spans), np.float32)
        np.maximum.at(best, evidence.span_of, chance)
        counts = (
            sum(float(confidence[s]) for s in chosen), sum(float(best[s]) for s in chosen),
            sum(confidence[s] >= 0.9 for s in chosen), sum(best[s] >= 0.5 for s in chosen),
        )  # fmt: skip
        mean, high, tells = (float(evidence.span[0, SPAN.index(c)]) for c in ("article_mean", "article_high", "tells"))
        out[:7] = mean * share, high * share, min(3.0, tells) * share, *(np.log1p(c / hundreds) for c in counts)
    out[7] = np.log(max(1, words))
    return out


def best_set(evidence: Evidence, confidence: Floats, chance: Floats, threshold: float) -> list[int]:
    """Spans of the best explanation: no overlaps, each at least ``threshold`` sure (weighted interval scheduling).

    A span's confidence says that it touches an artifact, not that all its words are one: it counts for as many words
    as the encoder holds for replaced, its best candidate for all of them.
    """
    best = np.zeros(len(evidence.spans), np.float32)
    np.maximum.at(best, evidence.span_of, chance)
    replaced = evidence.span[:, SPAN.index("replaced")] if evidence.spans else best
    items = [(z, a, s) for s, (a, z) in enumerate(evidence.spans) if confidence[s] >= threshold]
    items.sort()
    ends = [z for z, _, _ in items]
    value, taken = [0.0], [False]
    for k, (z, a, s) in enumerate(items):
        doubted = max(1.0, (z - a) * float(replaced[s]))
        worth = doubted * (float(confidence[s]) - 0.5 * threshold) + 1.5 * (z - a) * float(best[s])
        before = value[bisect_right(ends, a, 0, k)]
        value.append(max(value[k], before + worth))
        taken.append(before + worth > value[k])
        del z
    out, k = [], len(items)
    while k:
        if taken[k]:
            _, a, s = items[k - 1]
            out.append(s)
            k = bisect_right(ends, a, 0, k - 1)
        else:
            k -= 1
    return out[::-1]


def sure(pairs: Sequence[tuple[int, float]], confidence: float) -> float:
    """The best candidate's chance, or its share where all exceed one together.

    Another network says how likely there is anything to restore at all: no more can be likely to be restored.
    """
    return min(confidence, pairs[0][1] / max(1.0, sum(chance for _, chance in pairs))) if pairs else 0.0


def held_intact(evidence: Evidence, span: int) -> bool:
    """Whether the encoder takes all of a stretch for intact: dictionaries alone may suggest there, not rewrite."""
    return float(evidence.span[span, SPAN.index("replaced_max")]) < INTACT


def treated_alike(evidence: Evidence, choices: Sequence[Choice]) -> list[Choice]:
    """The choices, where a swap stands several times each about as sure as the surest.

    A reader does not understand why one place is mended and its twin is not; and a twin is a second witness.
    """

    def swap(choice: Choice) -> tuple[str, str]:
        return evidence.observed[choice.span], evidence.texts[choice.pairs[0][0]] if choice.pairs else ""

    most: dict[tuple[str, str], float] = {}
    for choice in choices:
        most[swap(choice)] = max(choice.sureness, most.get(swap(choice), 0.0))
    return [replace(c, sureness=m) if c.sureness >= (m := most[swap(c)]) - TWIN else c for c in choices]


def decide(evidence: Evidence, combination: Combination, words: int, thresholds: Thresholds) -> Decision:
    """Verdict, and the findings that it allows."""
    chance = combination.chances(evidence)
    confidence = combination.confidences(evidence, chance)
    probability = combination.probability(verdict_columns(evidence, confidence, chance, words))
    chosen = best_set(evidence, confidence, chance, thresholds.reported(probability))
    pairs: dict[int, list[tuple[int, float]]] = {s: [] for s in chosen}
    for k, s in enumerate(evidence.span_of.tolist()):
        if s in pairs:
            pairs[s].append((k, float(chance[k])))
    choices = []
    for s in chosen:
        pairs[s].sort(key=lambda p: -p[1])
        sureness = 0.0 if held_intact(evidence, s) else sure(pairs[s], float(confidence[s]))
        choices.append(Choice(s, float(confidence[s]), pairs[s], sureness))
    choices = treated_alike(evidence, choices)
    covered = sum(evidence.spans[s][1] - evidence.spans[s][0] for s in chosen)
    density = covered / max(1, words)
    restorable = float(np.mean([c.pairs[0][1] if c.pairs else 0.0 for c in choices])) if choices else 0.0
    return Decision(
        Verdict(_label(probability, density, restorable), probability, min(1.0, density)), choices, confidence, chance
    )


def _label(probability: float, density: float, restorable: float) -> Label:
    if probability < SUSPICIOUS:
        return "clean"
    if density > 0.3 and restorable < 0.12:
        return "paraphrased beyond repair"
    return "spun" if probability >= SPUN else "suspicious"
