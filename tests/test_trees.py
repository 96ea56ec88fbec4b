"""Boosted trees as arrays: by hand, and against scikit-learn where it is installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from repair.trees import Trees


def by_hand() -> dict[str, Any]:
    """Two trees: x0 <= 1 ? -1 : (x1 <= 5 ? 2 : 4), and a lone leaf of 0.5; bias 0.25."""
    inf = np.inf
    return {
        "t_feature": np.array([0, 0, 1, 0, 0, 0], np.int16),
        "t_threshold": np.array([1, inf, 5, inf, inf, inf], np.float32),
        "t_children": np.array([[1, 2], [1, 1], [3, 4], [3, 3], [4, 4], [5, 5]], np.int32),
        "t_value": np.array([0, -1, 0, 2, 4, 0.5], np.float32),
        "t_roots": np.array([0, 5], np.int32),
        "t_depth": np.array(2),
        "t_bias": np.array(0.25),
    }


def test_by_hand() -> None:
    rows = np.array([[0, 9], [1, 9], [1.5, 5], [2, 5.5]], np.float32)
    trees = Trees(by_hand(), "t")
    assert trees.logits(rows).tolist() == [-0.25, -0.25, 2.75, 4.75]
    assert np.allclose(trees.probabilities(rows), 1 / (1 + np.exp(-trees.logits(rows))))


def test_no_rows_and_many_rows() -> None:
    trees = Trees(by_hand(), "t")
    assert trees.logits(np.zeros((0, 2), np.float32)).shape == (0,)
    rows = np.random.default_rng(1).normal(2, 3, (9001, 2)).astype(np.float32)
    together = trees.logits(rows)
    assert all(trees.logits(rows[i : i + 1])[0] == together[i] for i in (0, 4095, 4096, 9000))


@pytest.mark.filterwarnings("ignore")
def test_against_scikit_learn() -> None:
    pytest.importorskip("sklearn")
    from sklearn.ensemble import HistGradientBoostingClassifier

    from training.misfits import packed

    rng = np.random.default_rng(2)
    x = rng.normal(size=(600, 6)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] + x[:, 2] > rng.normal(0, 0.3, 600)).astype(int)
    model = HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=9, random_state=0).fit(x, y)
    found = Trees(packed([model], "p"), "p").probabilities(x)
    assert np.allclose(found, model.predict_proba(x)[:, 1], atol=1e-5)
