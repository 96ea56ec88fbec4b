"""Counts every lexicon row on held-back clean text, writes the count beside it, and lowers weights to what it allows.

    python -m training.lexicon_counts [--words 3000000] [FILE...]

A row's count (column ``clean``) is the number of places per million words of clean text where its observed wording
stands, in any of its inflections and with its context conditions holding: all of them false alarms. Such a wording
alone can't speak loudly for a swap, so a weight is at most

    cap(c) = 0.9 / (1 + (c / 4.3) ** 0.62), but never held below 0.12

for c hits per million: 0.90 at none, 0.50 at 3, 0.25 at 20, 0.12 from 86 on. A weight is never raised.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from repair import rows
from repair.lexicon import Lexicon
from repair.rows import Row
from repair.segment import Text
from training.corpora import HELD, lines


def cap(clean: float) -> float:
    """The most that a wording with so many hits per million clean words may weigh."""
    allowed: float = 0.9 / (1 + (clean / 4.3) ** 0.62)
    return max(0.12, round(allowed, 2))


def sample(words: int, seed: int = 1) -> Iterator[Text]:
    """Lines of the held-back corpora in a fixed random order, an equal number of words of each."""
    for name in HELD:
        all_lines = list(dict.fromkeys(lines(name)))
        random.Random(seed).shuffle(all_lines)
        left = words / len(HELD)
        for line in all_lines:
            text = Text(line)
            yield text
            left -= sum(text.is_word)
            if left < 0:
                break


def hits(lexicon: Lexicon, texts: Iterable[Text]) -> tuple[Counter[Row], int]:
    """For each row how many places of the texts it fires at, and how many words these have."""
    found: Counter[Row] = Counter()
    words = 0
    for text in texts:
        words += sum(text.is_word)
        for match in lexicon.matches(text):
            found.update({entry.row for entry in match.entries})
    return found, words


def measured(row: Row, count: int, words: int) -> Row:
    """The row with its count per million words, to two digits, and a weight that this allows."""
    clean = float(f"{count / words * 1e6:.2g}")
    return replace(row, clean=clean, weight=row.weight if row.kind == "ignore" else min(row.weight, cap(clean)))


def main() -> None:
    parser = argparse.ArgumentParser(description="Count lexicon rows on held-back clean text.")
    parser.add_argument("files", type=Path, nargs="*", default=rows.shipped())
    parser.add_argument("--words", type=int, default=3_000_000)
    args = parser.parse_args()
    found, words = hits(Lexicon(args.files), sample(args.words))
    print(f"{words} words of clean text")
    print(f"{'file':24}{'rows':>7}{'0 hits':>8}{'> 3':>7}{'> 20':>7}{'> 100':>7}{'lowered':>9}")
    for path in args.files:
        before = rows.read(path)
        after = [measured(row, found[row], words) for row in before]
        rows.write(path, after)
        counts = [row.clean or 0 for row in after]
        above = [sum(c > limit for c in counts) for limit in (3, 20, 100)]
        lowered = sum(a.weight < b.weight for a, b in zip(after, before, strict=True))
        print(f"{path.name:24}{len(after):7}{counts.count(0):8}" + "".join(f"{n:7}" for n in above) + f"{lowered:9}")


if __name__ == "__main__":
    main()
