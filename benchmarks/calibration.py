"""Are the chances true? python -m benchmarks.calibration [--write docs/calibration.md]

On articles that nothing was trained on (data/dev of ../shared and tests/articles): of the findings with a
confidence of about 0.8, how many touch an artifact; of the suggestions with a probability of about 0.8 for a true
artifact, how many are what the source said. The expected calibration error is the mean distance of the two, weighted by
findings. The same apart for the made articles of benchmarks/unseen.py: their texts are new to every model and their
swaps to the encoder, but the combination learnt from other texts with swaps of that kind.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.quality import CLEAN, SPUN, findings, heading, scorer
from repair import Repairer
from training.articles import Gold

BINS = 10
Point = tuple[float, bool]  # what was said, and whether it was so


@dataclass(frozen=True, slots=True)
class Bin:
    """Points of one tenth of the scale: how many, their mean chance, and the share that came true."""

    n: int
    said: float
    true: float


def bins(points: Sequence[Point]) -> list[Bin]:
    """The occupied tenths of the scale."""
    out = []
    for b in range(BINS):
        mine = [(p, t) for p, t in points if min(BINS - 1, int(p * BINS)) == b]
        if mine:
            out.append(Bin(len(mine), sum(p for p, _ in mine) / len(mine), sum(t for _, t in mine) / len(mine)))
    return out


def error(points: Sequence[Point]) -> float:
    """Expected calibration error (Naeini et al. 2015) with ten bins of equal width."""
    return sum(abs(b.said - b.true) * b.n for b in bins(points)) / max(1, len(points))


def gathered(repairer: Repairer, sets: Iterable[list[Gold]]) -> tuple[list[Point], list[Point]]:
    """Points of ``confidence`` and of ``probability``; findings on matters of taste are left out."""
    score = scorer()
    confidence: list[Point] = []
    probability: list[Point] = []
    for golds in sets:
        found = findings(repairer, golds)
        for gold in golds:
            for f in found[gold["id"]]["findings"]:
                units = [u for u in gold["units"] if score.overlaps(f, u)]
                if units and all(u["optional"] for u in units):
                    continue
                confidence.append((f["confidence"], bool(units)))
                for s in f["suggestions"] if len(units) == 1 else ():
                    alone = [f | {"suggestions": [s]}]
                    probability.append((s["probability"], score.restores(gold, units[0], alone, 1)))
    return confidence, probability


def page(name: str, points: Sequence[Point]) -> str:
    """A table with bars: the bar is what came true, the mark (|) what was said."""
    lines = [f"## {name}: expected calibration error {error(points):.3f} ({len(points):,} points)", ""]
    lines += ["| said | came true | points | 0 to 1 |", "|---|---|---|---|"]
    for b in bins(points):
        bar = ["█" if i < round(b.true * 40) else "·" for i in range(41)]
        bar[round(b.said * 40)] = "|"
        lines.append(f"| {b.said:.2f} | {b.true:.2f} | {b.n:,} | `{''.join(bar)}` |")
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, help="a page for the diagrams, such as docs/calibration.md")
    args = parser.parse_args()
    repairer = Repairer()
    written = (SPUN["dev"], SPUN["test"], CLEAN["devclean"], CLEAN["testclean"])
    body = ""
    for of, sets in (("", written), (" of made articles", (SPUN["unseen"], SPUN["tortured"]))):
        for name, points in zip(("confidence", "probability"), gathered(repairer, (s() for s in sets)), strict=True):
            body += page(f"`{name}`{of}", points) + "\n"
    print(body)
    if args.write:
        about = (__doc__ or "").split("\n", 2)[2]
        args.write.write_text(f"{heading('Calibration', 'calibration')}\n{about}\n{body}", encoding="utf-8")


if __name__ == "__main__":
    main()
