"""Which words of the n-gram store edited English writes with a capital: training/names.py.

Counts capitals inside lines only (a word after a full stop proves nothing), in two of the building corpora.
"""

from __future__ import annotations

import argparse
from collections import Counter
from itertools import islice
from pathlib import Path

from repair.ngrams import NgramStore
from repair.segment import TOKEN
from training.corpora import building_lines

LINES = 250_000  # of each corpus
SHARE = 0.9  # written with a capital at least so often
LEAST = 4  # times seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ngrams", type=Path, default=Path("repair/artifacts/ngrams"))
    args = parser.parse_args()
    known = NgramStore(args.ngrams).ids
    capital: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for name in ("allsides_articles", "wikipedia_2015_core"):
        for line in islice(building_lines(name), LINES):
            before = "."
            for word in TOKEN.findall(line):
                if before[-1] not in ".!?:\"“”'" and word[0].isalpha():
                    low = word.lower()
                    seen[low] += 1
                    capital[low] += word[0].isupper()
                before = word
    names = sorted(w for w, n in seen.items() if n >= LEAST and w in known and capital[w] >= SHARE * n)
    (args.ngrams / "names.txt").write_text(" ".join(names), encoding="utf-8")
    print(f"{len(names):,} names of {len(seen):,} words")


if __name__ == "__main__":
    main()
