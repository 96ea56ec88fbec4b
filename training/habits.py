"""Makes repair/artifacts/habits.tsv.gz: the swaps of our own articles and tables, and how many writers used each.

    python -m training.habits

Each writer put himself in the place of machines of his own and saw no other's articles, so what several of them wrote
is what machines write. Counted are writers, not articles, as a writer repeats himself; a table (training/tables.py) has
one. training/combination.py judges the articles of a writer by the swaps of all the others (``Others``).
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from functools import cache

from repair.candidates import Proposer
from repair.habits import Habits, write
from training.ahead import ARTIFACTS
from training.articles import Gold, cores, own
from training.swaps import as_rows, based, listed
from training.tables import usable

FILE = ARTIFACTS / "habits.tsv.gz"
Swap = tuple[str, str, str]  # observed and original in base form, kind


def writer(gold: Gold) -> str:
    """Who wrote an article: what its name begins with ("spun/na-bread" was written by "na"); the first have none."""
    first, _, rest = gold["id"].rpartition("/")[2].partition("-")
    return first if rest and len(first) <= 2 and first.isalpha() else ""


def swaps(gold: Gold) -> set[Swap]:
    """The swaps of an article, each once: of a term both as a whole and word by word."""
    found: set[Swap] = set()
    required = [unit for unit in gold["units"] if not unit["optional"]]
    parts = [cores(unit) for unit in required]
    terms = [unit for unit, within in zip(required, parts, strict=True) if len(within) > 1]
    for part in (*terms, *(part for within in parts for part in within)):
        a, b = part["observed"].replace("’", "'"), part["originals"][0].replace("’", "'")
        found.update(_rows(a, b, based))
    return {swap for swap in found if usable(*swap[:2])}


def by_writer(articles: Iterable[Gold]) -> dict[str, set[Swap]]:
    """The swaps that each writer used."""
    found: dict[str, set[Swap]] = defaultdict(set)
    for gold in articles:
        found[writer(gold)] |= swaps(gold)
    return found


def by_table() -> dict[str, set[Swap]]:
    """The swaps that each of our tables lists, without those held back from training."""
    return {
        name: {row for a, b, _ in table for row in _rows(a, b, as_rows)} for name, table in listed(held=False).items()
    }


def _rows(observed: str, original: str, kinds: Callable[[str, str], list[Swap]]) -> list[Swap]:
    """A swap as a name, or in lower case of the kinds that ``kinds`` gives it."""
    if " " in observed and observed[0].isupper() and original[0].isupper():
        return [(observed, original, "name")]
    return kinds(observed.lower(), original.lower())


class Others:
    """Habits by which an article of our own is judged as if its writer were new."""

    def __init__(self) -> None:
        self.all, self._used = Habits.read(FILE), by_writer(own("spun"))
        self._of = cache(lambda name: self.all.less(self._used.get(name, frozenset())))

    def tell(self, proposer: Proposer, gold: Gold | None) -> None:
        """Have a proposer that asks habits ask those of all writers but that of ``gold``; of all where it is None."""
        if proposer.habits:
            proposer.habits = self._of(writer(gold)) if gold else self.all


def main() -> None:
    argparse.ArgumentParser(description="Count the swaps of our own articles.").parse_args()
    used = by_writer(own("spun")) | by_table()
    counts = Counter(swap for found in used.values() for swap in found)
    write(FILE, counts)
    several = sum(n > 1 for n in counts.values())
    print(f"{len(counts)} swaps of {len(used)} writers, {several} of several; {FILE.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
