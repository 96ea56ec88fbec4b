"""Pack trained checkpoints for shipping: training/export.py CHECKPOINT_FOLDER... [--out repair/artifacts/encoder].

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

import numpy as np
import torch

from repair.encoder import load_network

POSITIONS = 256  # position vectors kept; windows are shorter


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--before", type=Path, help="packed weights that the training started from")
    parser.add_argument("--share", type=float, default=0.6, help="of the checkpoint, with --before")
    parser.add_argument("--out", type=Path, default=Path("repair/artifacts/encoder"))
    args = parser.parse_args()
    states = [torch.load(folder / "checkpoint.pt", weights_only=True)["net"] for folder in args.checkpoints]
    before = load_network(args.before)[0].state_dict() if args.before else {}
    packed: dict[str, np.ndarray] = {}
    for name in states[0]:
        value = np.mean([state[name].float().numpy() for state in states], axis=0)
        if name.endswith(("position_ids", "token_type_ids")):
            continue
        if name.endswith("position_embeddings.weight"):
            value = value[:POSITIONS]
        if name in before:
            value = args.share * value + (1 - args.share) * before[name].numpy()
        if value.ndim == 2 and value.shape[0] > 2:
            scale = np.abs(value).max(1).clip(1e-8) / 127
            scale = scale.astype(np.float16)
            packed[name] = np.round(value / scale.astype(np.float32)[:, None]).clip(-127, 127).astype(np.int8)
            packed[f"{name}|scale"] = scale
        else:
            packed[name] = value.astype(np.float16)
    pieces = (args.checkpoints[0] / "pieces.txt").read_text(encoding="utf-8")
    config = json.loads((args.checkpoints[0] / "config.json").read_text(encoding="utf-8"))
    keys = (
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "intermediate_size",
        "hidden_act",
        "layer_norm_eps",
    )
    small = {k: config[k] for k in keys} | {"vocab_size": pieces.count("\n") + 1, "max_position_embeddings": POSITIONS}
    args.out.mkdir(parents=True, exist_ok=True)
    np.savez(args.out / "weights.npz", **packed)
    (args.out / "config.json").write_text(json.dumps(small, indent=1) + "\n", encoding="utf-8")
    (args.out / "pieces.txt").write_text(pieces, encoding="utf-8")
    print(f"{sum(f.stat().st_size for f in args.out.iterdir()) / 1e6:.1f} MB in {args.out}")


if __name__ == "__main__":
    main()
