"""What ``repair learn`` proposes: pairs of texts to rows of a lexicon, with counts and the places they come from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from repair.alignment import FUNCTION, MOST_WORDS, Alignment, Swap, align, base_form, same_lemma
from repair.rows import CONTROL
from repair.thesaurus import FAR, Thesaurus

SNIPPET = 30  # code points of context on each side
_VERBAL = frozenset("to will would can could may might must shall should not don't didn't won't i we you they".split())


@dataclass(slots=True)
class Proposal:
    """One swap in base form, how often it was met, and where first: the words before it, itself, the words after it."""

    observed: str
    original: str
    kind: str
    count: int
    place: str
    context: tuple[str, str, str]


class Proposer:
    """Aligns pairs of texts. Loads the thesaurus and the shipped lexicons when first needed."""

    def __init__(self) -> None:
        self.related = lru_cache(maxsize=500_000)(self._related)

    @cached_property
    def _thesaurus(self) -> Thesaurus:
        from repair.pipeline import artifacts

        return Thesaurus(artifacts() / "thesaurus")

    @cached_property
    def _known(self) -> set[tuple[str, str]]:
        """The swaps of the shipped lexicons, folded."""
        from repair import rows

        pairs = ((row.observed.lower(), row.original.lower()) for path in rows.shipped() for row in rows.read(path))
        return {pair for pair in pairs if pair[0] != pair[1]}

    def _related(self, one: str, other: str) -> float:
        """How near two folded wordings are, 0 to 1: known swaps, dictionary neighbours, similar letters."""
        from rapidfuzz.distance import JaroWinkler

        if one == other or (one, other) in self._known:
            return 1.0
        if one.count(" ") + other.count(" ") == 0 and same_lemma(one, other):
            return 0.4 if one in FUNCTION or other in FUNCTION else 0.9
        pair = base_form(one, other)[:2]
        if pair in self._known:
            return 1.0
        bits = 0
        for a in {one, pair[0]}:
            bits |= self._thesaurus.neighbours(a).get(pair[1], 0) | self._thesaurus.neighbours(a).get(other, 0)
        if bits:
            return 0.5 if bits == FAR else 0.8
        return 0.5 if len(one) > 3 and JaroWinkler.similarity(one, other) > 0.87 else 0.0

    def row(self, spun: str, swap: Swap) -> tuple[str, str, str] | None:
        """The swap in base form with its kind; None where it is mere agreement, a number, or nothing for a lexicon."""
        one, other = swap.observed_folded.split(" "), swap.original_folded.split(" ")
        if max(len(one), len(other)) > MOST_WORDS or CONTROL.search(swap.observed + swap.original):
            return None
        if len(one) == len(other) and all(same_lemma(a, b) for a, b in zip(one, other, strict=True)):
            return None
        if "'s" in {*one, *other} or {*one, *other} <= {"a", "the"} or all(w[0].isdigit() for w in one) or swap.original[0].isdigit():
            return None
        before = spun[max(0, swap.start - 20) : swap.start].lower().split()
        return base_form(swap.observed_folded, swap.original_folded, verbal=bool(before) and before[-1] in _VERBAL)
