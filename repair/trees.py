"""Gradient-boosted trees as plain arrays, evaluated with numpy alone: what the second look of the screen asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


class Trees:
    """A boosted binary classifier. Leaves are nodes that are their own children, so that all rows walk equally far."""

    def __init__(self, arrays: Mapping[str, Any], prefix: str) -> None:
        """Reads ``{prefix}_feature`` and its sisters, as training/combination.py writes them."""
        self._feature = arrays[f"{prefix}_feature"].astype(np.int32)
        self._threshold = arrays[f"{prefix}_threshold"].astype(np.float32)
        self._children = arrays[f"{prefix}_children"].astype(np.int32)  # (nodes, 2): where x <= threshold, where not
        self._value = arrays[f"{prefix}_value"].astype(np.float32)
        self._roots = arrays[f"{prefix}_roots"].astype(np.int32)
        self._depth = int(arrays[f"{prefix}_depth"])
        self._bias = float(arrays[f"{prefix}_bias"])

    def logits(self, rows: Floats) -> Floats:
        """Log-odds (n,) of rows (n, features)."""
        out = np.full(len(rows), self._bias, np.float32)
        children = self._children.ravel()
        for at in range(0, len(rows), 4096):
            part = rows[at : at + 4096]
            values, line = part.ravel(), np.arange(0, part.size, part.shape[1], dtype=np.int32)[:, None]
            node = np.broadcast_to(self._roots, (len(part), len(self._roots)))
            for _ in range(self._depth):
                right = values.take(line + self._feature.take(node)) > self._threshold.take(node)
                node = children.take(2 * node + right)
            out[at : at + 4096] += self._value.take(node).sum(1)
        return out

    def probabilities(self, rows: Floats) -> Floats:
        """Probabilities (n,) of rows (n, features)."""
        return (1 / (1 + np.exp(-self.logits(rows)))).astype(np.float32, copy=False)
