"""Decisions: the best set of findings by brute force, places that hear each other, labels, damaged artifacts."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repair.columns import PAIR, SPAN
from repair.decide import (
    SPUN,
    SUSPICIOUS,
    THRESHOLDS,
    TWIN,
    Choice,
    Combination,
    best_set,
    decide,
    harmonised,
    span_rows,
    sure,
    treated_alike,
    verdict_columns,
)
from repair.errors import ArtifactError
from repair.evidence import Evidence

CHANCES = st.floats(0, 1, width=16)
STRETCHES = st.tuples(st.integers(0, 9), st.integers(1, 4)).map(lambda s: (s[0], s[0] + s[1]))


@st.composite
def evidences(draw: st.DrawFn) -> tuple[Evidence, np.ndarray, np.ndarray]:
    """Random stretches of a short text, each with up to three candidates; confidences and chances."""
    spans = sorted(draw(st.lists(STRETCHES, max_size=9, unique=True)))
    each = [draw(st.integers(0, 3)) for _ in spans]
    span_of = np.repeat(np.arange(len(spans)), each).astype(np.int64)
    n = len(span_of)
    confidence = np.array([draw(CHANCES) for _ in spans], np.float32)
    chance = np.array([draw(CHANCES) for _ in range(n)], np.float32)
    observed = [draw(st.sampled_from(["a", "b", "c d"])) for _ in spans]
    texts = [draw(st.sampled_from(["x", "y", "z"])) for _ in range(n)]
    columns = np.zeros((len(spans), len(SPAN)), np.float32)
    columns[:, SPAN.index("replaced")] = [draw(CHANCES) for _ in spans]
    evidence = Evidence(
        spans, observed, span_of, texts, [1] * n, np.zeros((n, len(PAIR)), np.float32), columns, {}
    )  # fmt: skip
    return evidence, confidence, chance


def overlap(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return a[0] < b[1] and b[0] < a[1]


@given(evidences(), st.sampled_from([0.2, 0.5, 0.9]))
def test_the_best_set_is_the_best_of_all_sets(given: tuple[Evidence, np.ndarray, np.ndarray], threshold: float) -> None:
    evidence, confidence, chance = given
    spans = evidence.spans
    best = np.zeros(len(spans))
    np.maximum.at(best, evidence.span_of, chance)
    length, replaced = [z - a for a, z in spans], evidence.span[:, SPAN.index("replaced")]

    def worth(chosen: tuple[int, ...] | list[int]) -> float:  # as repair.decide weighs a finding
        return sum(
            max(1, length[s] * replaced[s]) * (confidence[s] - 0.5 * threshold) + 1.5 * length[s] * best[s]
            for s in chosen
        )

    sure = [s for s in range(len(spans)) if confidence[s] >= threshold]
    possible = (
        c for n in range(len(sure) + 1) for c in combinations(sure, n)
        if not any(overlap(spans[a], spans[b]) for a, b in combinations(c, 2))
    )  # fmt: skip
    chosen = best_set(evidence, confidence, chance, threshold)
    assert worth(chosen) == pytest.approx(max(worth(c) for c in possible), abs=1e-4)
    assert set(chosen) <= set(sure) and [spans[s] for s in chosen] == sorted(spans[s] for s in chosen)
    assert not any(overlap(spans[a], spans[b]) for a, b in combinations(chosen, 2))


@given(evidences())
def test_columns_are_whole_numbers_of_any_article(given: tuple[Evidence, np.ndarray, np.ndarray]) -> None:
    evidence, confidence, chance = given
    assert np.isfinite(span_rows(evidence, chance)).all()
    assert np.isfinite(verdict_columns(evidence, confidence, chance, 40)).all()
    assert np.isfinite(verdict_columns(evidence, confidence, chance, 0)).all()


@given(evidences())
def test_harmony_changes_only_repeated_wordings(given: tuple[Evidence, np.ndarray, np.ndarray]) -> None:
    evidence, _, chance = given
    logits = (8 * chance - 4).astype(np.float32)
    heard = harmonised(evidence, logits.copy())
    alone = 1 / (1 + np.exp(-logits))
    assert ((heard >= 0) & (heard <= 1)).all()
    for k, s in enumerate(evidence.span_of):
        if evidence.observed.count(evidence.observed[s]) == 1 and list(evidence.span_of).count(s) == len(set(
            t for j, t in enumerate(evidence.texts) if evidence.span_of[j] == s
        )):  # fmt: skip
            assert heard[k] == pytest.approx(alone[k], abs=1e-5)


def test_places_of_one_wording_move_towards_each_other() -> None:
    spans = [(0, 1), (4, 5)]
    evidence = Evidence(
        spans, ["station", "station"], np.array([0, 1]), ["channel", "channel"], [1, 1],
        np.zeros((2, len(PAIR)), np.float32), np.zeros((2, len(SPAN)), np.float32), {},
    )  # fmt: skip
    low, high = harmonised(evidence, np.array([-1.0, 3.0], np.float32))
    assert 1 / (1 + np.exp(1)) < low < high < 1 / (1 + np.exp(-3))


@given(evidences())
def test_twins_follow_the_surest_and_nobody_gets_less_sure(given: tuple[Evidence, np.ndarray, np.ndarray]) -> None:
    evidence, confidence, chance = given
    choices = []
    for s in range(len(evidence.spans)):
        of = np.flatnonzero(evidence.span_of == s).tolist()
        pairs = sorted(((k, float(chance[k])) for k in of), key=lambda p: -p[1])
        choices.append(Choice(s, float(confidence[s]), pairs, sure(pairs, float(confidence[s]))))
        assert 0 <= choices[-1].sureness <= min(confidence[s], max((p for _, p in pairs), default=0)) + 1e-6
    swap = [(evidence.observed[c.span], evidence.texts[c.pairs[0][0]] if c.pairs else None) for c in choices]
    for before, after, mine in zip(choices, treated_alike(evidence, choices), swap, strict=True):
        surest = max(c.sureness for c, other in zip(choices, swap, strict=True) if other == mine)
        assert after.sureness == (surest if before.sureness >= surest - TWIN else before.sureness)
        assert (after.span, after.confidence, after.pairs) == (before.span, before.confidence, before.pairs)


class Certain:
    """Stands for a combination to which every article is spun and every first candidate right."""

    def chances(self, evidence: Evidence) -> np.ndarray:
        return np.array([0.9, 0.05], np.float32)

    def confidences(self, evidence: Evidence, chance: np.ndarray) -> np.ndarray:
        return np.array([0.95], np.float32)

    def probability(self, columns: np.ndarray) -> float:
        return 1.0


@pytest.mark.parametrize(("doubt", "sureness"), [(0.0, 0.0), (0.09, 0.0), (0.11, 0.9), (1.0, 0.9)])
def test_what_the_encoder_takes_for_intact_is_reported_but_not_rewritten(doubt: float, sureness: float) -> None:
    span = np.zeros((1, len(SPAN)), np.float32)
    span[0, SPAN.index("replaced_max")] = doubt
    pair = np.zeros((2, len(PAIR)), np.float32)
    evidence = Evidence([(0, 1)], ["chicks"], np.array([0, 0]), ["birds", "women"], [1, 1], pair, span, {})
    (choice,) = decide(evidence, Certain(), 200, THRESHOLDS["normal"]).choices  # type: ignore[arg-type]
    assert choice.sureness == pytest.approx(sureness) and choice.confidence == pytest.approx(0.95)


def test_more_caution_asks_for_more() -> None:
    low, normal, high = (THRESHOLDS[c] for c in ("low", "normal", "high"))
    for name in ("report", "rewrite", "clean_report"):
        assert getattr(low, name) < getattr(normal, name) < getattr(high, name) <= 1


def test_the_less_an_article_is_spun_for_certain_the_more_a_report_needs() -> None:
    for thresholds in THRESHOLDS.values():
        needed = [thresholds.reported(p) for p in (0.0, SUSPICIOUS, 0.8, 0.9, SPUN, 1.0)]
        assert needed == sorted(needed, reverse=True)
        assert needed[:2] == [thresholds.clean_report] * 2 and needed[-1] == thresholds.report
        assert needed[-2] < thresholds.report + 0.1, "where it is spun, nearly what is asked for at best"


@pytest.mark.parametrize("content", [None, b"", b"no zip", b"PK\x03\x04 cut off"])
def test_a_damaged_combination_says_what_to_do(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "combination.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ArtifactError, match="install mt-repair again"):
        Combination(path)
