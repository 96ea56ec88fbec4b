"""Neighbours of common words worked out ahead: python -m training.ahead [--out build/neighbours.npz].

A word's neighbours take up to 30 milliseconds (training/swaps.py), which a graphics card does not wait for. Two to five
minutes on two cores; training/encoder.py takes the file where it finds it.
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np

from repair import rows
from repair.inflection import analyses
from repair.ngrams import NgramStore
from repair.thesaurus import Thesaurus
from training.swaps import KINDS_OF_NEIGHBOUR, SPLIT, WALK, Choice, Swaps

ARTIFACTS = Path("repair/artifacts")
SOURCES = (*KINDS_OF_NEIGHBOUR, SPLIT, WALK)
COMMON = 60_000  # of the store's words, the most frequent; others are worked out when they are met

Key = tuple[str, str]  # base form and tag


class Ahead:
    """The file's neighbours by base form and tag, as training.swaps.Swaps has them."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as kept:
            self._forms = str(kept["forms"]).split("\n")
            self._weights = kept["weights"].tolist()
            self._ids, sizes = kept["ids"], kept["sizes"]
            self._at: dict[Key, int] = {tuple(k.rsplit(" ", 1)): i for i, k in enumerate(str(kept["keys"]).split("\n"))}
        self._ends = np.concatenate([[0], np.cumsum(sizes.reshape(-1), dtype=np.int64)])

    def get(self, key: Key) -> dict[str, list[Choice]] | None:
        """By source; None for a word that is not common."""
        if (row := self._at.get(key)) is None:
            return None
        at = row * len(SOURCES)
        out = {}
        for k, name in enumerate(SOURCES, at):
            if ids := self._ids[self._ends[k] : self._ends[k + 1]].tolist():
                even = name in (SPLIT, WALK)
                out[name] = [(self._forms[i], 1.0 if even else self._weights[i]) for i in ids]
        return out


def _share(job: tuple[int, int]) -> dict[Key, dict[str, list[Choice]]]:
    part, parts = job
    store, thesaurus = NgramStore(ARTIFACTS / "ngrams"), Thesaurus(ARTIFACTS / "thesaurus")
    thesaurus.neighbours = lru_cache(maxsize=None)(thesaurus._neighbours)
    swaps = Swaps(rows.shipped(), store, thesaurus)
    keys = dict.fromkeys(key for word in store.frequent(COMMON) for key in analyses(word))
    mine = set(list(dict.fromkeys(lemma for lemma, _ in keys))[part::parts])
    return {key: swaps.neighbours(*key) for key in keys if key[0] in mine}


def write(found: dict[Key, dict[str, list[Choice]]], path: Path) -> None:
    """What ``Ahead`` reads."""
    forms: dict[str, int] = {}
    weights: list[float] = []
    ids: list[int] = []
    sizes: list[int] = []
    for by_source in found.values():
        for name in SOURCES:
            choices = by_source.get(name, [])
            sizes.append(len(choices))
            for form, weight in choices:
                i = forms.setdefault(form, len(forms))
                if i == len(weights):
                    weights.append(weight)
                elif name not in (SPLIT, WALK):
                    weights[i] = weight
                ids.append(i)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path, forms=np.array("\n".join(forms)), weights=np.array(weights, np.float32), ids=np.array(ids, np.int32),
        sizes=np.array(sizes, np.uint16), keys=np.array("\n".join(" ".join(k) for k in found)),
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/neighbours.npz"))
    args = parser.parse_args()
    parts = mp.cpu_count()
    with mp.Pool(parts) as pool:
        shares = pool.map(_share, [(part, parts) for part in range(parts)])
    write({key: choices for share in shares for key, choices in share.items()}, args.out)
    print(f"{sum(map(len, shares))} base forms with tag, {args.out.stat().st_size / 1e6:.1f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()
