"""Small networks as arrays: by hand, and against PyTorch, which fitted them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from repair.perceptrons import Perceptrons


def by_hand(comparing: bool) -> dict[str, Any]:
    """One column in two bins, 0 to 1 and 1 to 3; one hidden unit of each layer: the sum of what it is given."""
    return {
        "p_column": np.array([0, 0]), "p_low": np.array([0, 1]), "p_per": np.array([1, 0.5]), "p_networks": np.array(1),
        "p0_w0": np.ones((2, 1)), "p0_b0": np.zeros(1), "p0_w1": np.ones((3 if comparing else 1, 1)),
        "p0_b1": np.zeros(1), "p0_w2": np.full((1, 1), 2.0), "p0_b2": np.full(1, -1.0),
    }  # fmt: skip


def test_a_value_counts_by_the_bins_that_it_has_passed() -> None:
    rows = np.array([[-9], [0], [0.5], [1], [2], [3], [9]], np.float32)
    assert Perceptrons(by_hand(False), "p").logits(rows).tolist() == [-1, -1, 0, 1, 2, 3, 3]


def test_rows_of_a_group_see_the_largest_and_the_mean_beside_them() -> None:
    rows = np.array([[0], [3], [1]], np.float32)
    found = Perceptrons(by_hand(True), "p").logits(rows, np.array([4, 4, 7]))
    # hidden 0, 2 | 1; with the largest (2 | 1) and the mean (1 | 1) of the group
    assert found.tolist() == [2 * (0 + 2 + 1) - 1, 2 * (2 + 2 + 1) - 1, 2 * (1 + 1 + 1) - 1]


def test_no_rows_no_answers() -> None:
    assert Perceptrons(by_hand(False), "p").logits(np.zeros((0, 1), np.float32)).shape == (0,)
    assert Perceptrons(by_hand(True), "p").logits(np.zeros((0, 1), np.float32), np.zeros(0, np.int64)).shape == (0,)


def test_what_is_far_outside_counts_as_the_edge_and_nothing_overflows() -> None:
    rows = np.array([[1e30], [3], [-1e30]], np.float32)
    with np.errstate(all="raise"):
        assert Perceptrons(by_hand(False), "p").logits(rows).tolist() == [3, 3, -1]


def test_many_rows_are_taken_in_blocks_that_cut_no_group() -> None:
    gen = np.random.default_rng(0)
    rows = gen.uniform(-1, 4, (20_000, 1)).astype(np.float32)
    group = np.sort(gen.integers(0, 1500, 20_000))
    nets = Perceptrons(by_hand(True), "p")
    together = nets.logits(rows, group)
    for g in (0, 600, 615, 1499):
        mine = group == g
        assert np.allclose(nets.logits(rows[mine], group[mine]), together[mine], atol=1e-5)


@pytest.mark.parametrize("comparing", [False, True])
def test_it_says_what_the_fitted_network_says(comparing: bool) -> None:
    torch = pytest.importorskip("torch")
    training = pytest.importorskip("training.perceptrons")
    gen = np.random.default_rng(1)
    x = gen.normal(size=(400, 6, 5) if comparing else (400, 5)).astype(np.float32)
    there = np.ones(x.shape[:-1], np.float32)
    y = (x[..., 0] > 0.5).astype(np.float32)
    bins = training.Bins.of(x.reshape(-1, 5))
    net = training.fitted(
        torch.from_numpy(x), torch.from_numpy(there), torch.from_numpy(y), torch.ones(400), bins, 20, 50, 3
    )
    with torch.no_grad():
        said = net(torch.from_numpy(x), torch.from_numpy(there)).numpy().ravel()
    group = np.repeat(np.arange(400), 6) if comparing else None
    found = Perceptrons(training.packed([net], bins, "p"), "p").logits(x.reshape(-1, 5), group)
    assert np.allclose(found, said, atol=0.05)  # weights are stored in half precision
    assert ((found > 0) == (y.ravel() > 0)).mean() > 0.95
