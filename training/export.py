"""Pack trained checkpoints for shipping: training/export.py CHECKPOINT_FOLDER... [--out repair/artifacts/encoder].

Queries and embedded wordings are turned so that their first directions hold what they hold at all, and cut to --size:
training fills some 110 of 384 (figures in docs/cards/encoder.md), and a third of the work is left at run time.

Matrices become int8 with a float16 scale per row, the rest float16. Of several checkpoints with the same start the mean
is packed (Wortsman et al. 2022, arXiv:2203.05482): so encoders that learnt from one half of our own articles each
become one. With --before FOLDER --share S the weights are S of theirs and 1 - S of the packed ones that the training
started from: much training on made damage makes the encoder surer of it, and of odd clean text too; the mean keeps
most of what was learnt and raises fewer false alarms (the same, arXiv:2109.01903; figures in docs/cards/encoder.md).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import BertConfig, BertModel

from repair.encoder import load_network
from repair.network import Network

SIZE = 128  # of queries and embedded wordings
POSITIONS = 256  # position vectors kept; windows are shorter
KEPT = (
    "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act", "layer_norm_eps",
)  # fmt: skip  # of the configuration


def narrowed(net: Network, size: int) -> dict[str, Tensor]:
    """The last layers of both towers, turned to the principal directions of the word pieces' embeddings and cut."""
    pieces = torch.arange(net.bert.config.vocab_size)
    with torch.inference_mode():
        vectors = net.wordings(pieces, pieces, len(pieces))[0].double()
        turn = torch.linalg.eigh(vectors.T @ vectors).eigenvectors.flip(1)[:, :size].T.float()
        query, wording = net.query[2], net.wording[2]
        return {
            "query.2.weight": turn @ query.weight,
            "query.2.bias": turn @ query.bias,
            "wording.2.weight": torch.cat([turn @ wording.weight[:-1], wording.weight[-1:]]),
            "wording.2.bias": torch.cat([turn @ wording.bias[:-1], wording.bias[-1:]]),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--before", type=Path, help="packed weights that the training started from")
    parser.add_argument("--share", type=float, default=0.6, help="of the checkpoint, with --before")
    parser.add_argument("--size", type=int, default=SIZE, help="of embeddings; 384 to train on")
    parser.add_argument("--out", type=Path, default=Path("repair/artifacts/encoder"))
    args = parser.parse_args()
    states = [torch.load(folder / "checkpoint.pt", weights_only=True)["net"] for folder in args.checkpoints]
    before = load_network(args.before)[0].state_dict() if args.before else {}
    mean: dict[str, Tensor] = {}
    for name in states[0]:
        value = torch.stack([state[name].float() for state in states]).mean(0)
        if name.endswith(("position_ids", "token_type_ids")):
            continue
        if name.endswith("position_embeddings.weight"):
            value = value[:POSITIONS]
        mean[name] = args.share * value + (1 - args.share) * before[name] if name in before else value
    pieces = (args.checkpoints[0] / "pieces.txt").read_text(encoding="utf-8")
    config = json.loads((args.checkpoints[0] / "config.json").read_text(encoding="utf-8"))
    small = {k: config[k] for k in KEPT} | {"vocab_size": pieces.count("\n") + 1, "max_position_embeddings": POSITIONS}
    net = Network(BertModel(BertConfig(**small, embedding_size=len(mean["query.2.bias"])), add_pooling_layer=False))
    net.load_state_dict(mean, strict=False)
    mean |= narrowed(net, args.size)
    packed: dict[str, Any] = {}
    for name, tensor in mean.items():
        array = tensor.numpy()
        if array.ndim == 2 and array.shape[0] > 2:
            scale = (np.abs(array).max(1).clip(1e-8) / 127).astype(np.float16)
            packed[name] = np.round(array / scale.astype(np.float32)[:, None]).clip(-127, 127).astype(np.int8)
            packed[f"{name}|scale"] = scale
        else:
            packed[name] = array.astype(np.float16)
    small["embedding_size"] = args.size
    args.out.mkdir(parents=True, exist_ok=True)
    np.savez(args.out / "weights.npz", **packed)
    (args.out / "config.json").write_text(json.dumps(small, indent=1) + "\n", encoding="utf-8")
    (args.out / "pieces.txt").write_text(pieces, encoding="utf-8")
    print(f"{sum(f.stat().st_size for f in args.out.iterdir()) / 1e6:.1f} MB in {args.out}")


if __name__ == "__main__":
    main()
