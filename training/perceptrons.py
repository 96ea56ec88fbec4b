"""Fits the networks that repair.perceptrons evaluates, and packs them as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, relu

BINS = 8  # of a column
HIDDEN = (96, 64)
RATE, DECAY, DROPOUT = 2e-3, 1e-3, 0.1
WARM = 100  # steps until the full learning rate
LEAST = 1000  # steps of any fit: few rows are read more often


@dataclass(frozen=True, slots=True)
class Bins:
    """Bins of all columns: the column of each, where it begins, one over its width."""

    column: np.ndarray
    low: np.ndarray
    per: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray) -> Bins:
        """Bins between quantiles of rows (n, columns); a column of few values gets one between each two of them."""
        column, low, per = [], [], []
        for j, values in enumerate(rows.T):
            edges = np.unique(values)
            if len(edges) > BINS + 1:
                edges = np.unique(np.quantile(values, np.linspace(0.002, 0.998, BINS + 1)))
            if len(edges) < 2:
                edges = np.array([edges[0], edges[0] + 1])
            column += [j] * (len(edges) - 1)
            low += edges[:-1].tolist()
            per += (1 / np.maximum(np.diff(edges), 1e-6)).tolist()
        return cls(np.array(column), np.array(low, np.float32), np.array(per, np.float32))


class Net(nn.Module):
    """Two hidden layers. ``comparing``: rows (batch, places, columns), of which each sees what stands beside it."""

    def __init__(self, bins: Bins, comparing: bool) -> None:
        super().__init__()
        self.column = torch.from_numpy(bins.column)
        self.low, self.per = torch.from_numpy(bins.low), torch.from_numpy(bins.per)
        self.comparing = comparing
        self.layers = nn.ModuleList(
            [
                nn.Linear(len(bins.column), HIDDEN[0]),
                nn.Linear(HIDDEN[0] * (3 if comparing else 1), HIDDEN[1]),
                nn.Linear(HIDDEN[1], 1),
            ]
        )
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        first, second, third = self.layers
        hidden = self.drop(relu(first(((x[..., self.column] - self.low) * self.per).clamp(0, 1))))
        if self.comparing:
            shown = hidden * there[..., None]
            most = shown.amax(1, keepdim=True).expand_as(hidden)
            mean = (shown.sum(1) / there.sum(1, keepdim=True))[:, None].expand_as(hidden)
            hidden = torch.cat([hidden, most, mean], -1)
        return third(self.drop(relu(second(hidden))))[..., 0]


def fitted(x: Tensor, there: Tensor, y: Tensor, weight: Tensor, bins: Bins, epochs: int, batch: int, seed: int) -> Net:
    """A network that tells y (0 or 1) from x: (n, columns), or (n, places, columns) with ``there`` (n, places)."""
    torch.manual_seed(seed)
    net = Net(bins, x.dim() == 3)
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    epochs = max(epochs, LEAST * batch // max(1, len(x)))
    steps = epochs * -(-len(x) // batch)
    step = 0
    for _ in range(epochs):
        for part in torch.randperm(len(x)).split(batch):
            step += 1
            for group in optimizer.param_groups:
                group["lr"] = RATE * min(1.0, step / WARM) * (0.5 + 0.5 * np.cos(np.pi * step / steps))
            said = net(x[part].float(), there[part])
            wrong = binary_cross_entropy_with_logits(said, y[part], reduction="none") * there[part]
            loss = (wrong * weight[part].reshape(-1, *[1] * (x.dim() - 2))).sum() / len(part)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return net.eval()


def packed(nets: Sequence[Net], bins: Bins, prefix: str) -> dict[str, np.ndarray]:
    """The mean of fitted networks as the arrays that repair.perceptrons reads."""
    out = {
        f"{prefix}_column": bins.column.astype(np.int16), f"{prefix}_low": bins.low, f"{prefix}_per": bins.per,
        f"{prefix}_networks": np.array(len(nets)),
    }  # fmt: skip
    for i, net in enumerate(nets):
        for k, layer in enumerate(net.layers):
            assert isinstance(layer, nn.Linear)
            out[f"{prefix}{i}_w{k}"] = layer.weight.detach().numpy().T.astype(np.float16)
            out[f"{prefix}{i}_b{k}"] = layer.bias.detach().numpy().astype(np.float32)
    return out
