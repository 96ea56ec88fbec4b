"""The trained combination of evidence as small neural networks over binned columns, evaluated with numpy alone.

A column becomes a few numbers in 0..1, one for each bin between quantiles of the training data: how far its value is
through that bin (piecewise linear encoding: Gorishniy, Rubachev, Babenko 2022, arXiv 2203.05556). What lies beyond the
training data counts as its edge, so that no odd text can drive a network to extremes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]
_ROWS = 8192  # rows encoded at once: some 20 MB


class Perceptrons:
    """Networks of one kind whose log-odds are averaged: rows alone, or candidates of a stretch that see each other."""

    def __init__(self, arrays: Mapping[str, Any], prefix: str) -> None:
        """Reads ``{prefix}_column`` and its sisters, as training/perceptrons.py writes them. KeyError: not there."""
        self._column = arrays[f"{prefix}_column"].astype(np.int64)
        self._low, self._per = (arrays[f"{prefix}_{name}"].astype(np.float32) for name in ("low", "per"))
        self._layers = [
            [(arrays[f"{prefix}{i}_w{k}"].astype(np.float32), arrays[f"{prefix}{i}_b{k}"].astype(np.float32))
             for k in range(3)]
            for i in range(int(arrays[f"{prefix}_networks"]))
        ]  # fmt: skip

    def encoded(self, rows: Floats) -> Floats:
        """Binned columns (n, bins) of rows (n, columns)."""
        out = rows[:, self._column]
        out -= self._low
        out *= self._per
        return np.clip(out, 0, 1, out=out)

    def logits(self, rows: Floats, group: Ids | None = None) -> Floats:
        """Log-odds (n,) of rows (n, columns).

        group: (n,) for networks that compare: rows of a group, which stand together, see the largest and the mean
        activations among them.
        """
        out = np.zeros(len(rows), np.float32)
        for at, end in _blocks(len(rows), group):
            x = self.encoded(rows[at:end])
            for first, second, third in self._layers:
                hidden = np.maximum(x @ first[0] + first[1], 0)
                if group is not None:
                    starts, sizes = _runs(group[at:end])
                    most = np.repeat(np.maximum.reduceat(hidden, starts), sizes, axis=0)
                    mean = np.repeat(np.add.reduceat(hidden, starts) / sizes[:, None], sizes, axis=0)
                    hidden = np.concatenate([hidden, most, mean.astype(np.float32)], axis=1)
                hidden = np.maximum(hidden @ second[0] + second[1], 0)
                out[at:end] += (hidden @ third[0] + third[1])[:, 0]
        return out / np.float32(len(self._layers))

    def probabilities(self, rows: Floats) -> Floats:
        """Probabilities (n,) of rows (n, columns)."""
        return (1 / (1 + np.exp(-self.logits(rows)))).astype(np.float32, copy=False)


def _runs(group: Ids) -> tuple[Ids, Ids]:
    """Where each group starts, and how many rows it has."""
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    return starts, np.diff([*starts, len(group)])


def _blocks(rows: int, group: Ids | None) -> list[tuple[int, int]]:
    """Ranges of at most about _ROWS rows that cut no group."""
    cuts = [0]
    while rows - cuts[-1] > _ROWS:
        end = cuts[-1] + _ROWS
        if group is not None:
            end = max(cuts[-1] + 1, int(np.searchsorted(group, group[end], side="left")))
        cuts.append(end)
    return list(zip(cuts, [*cuts[1:], rows], strict=True)) if rows else []
