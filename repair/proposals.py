"""What ``repair learn`` proposes: pairs of texts to rows of a lexicon, with counts and the places they come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from rapidfuzz.distance import JaroWinkler

from repair.alignment import FUNCTION, MOST_WORDS, WORD, Alignment, Swap, align, base_form, base_forms, same_lemma
from repair.errors import InputError
from repair.inflection import analyses
from repair.learning import Learned
from repair.rows import CONTROL
from repair.thesaurus import FAR, Thesaurus

SNIPPET = 25  # code points of context on each side
_MODALS = ["can", "could", "may", "might", "must", "shall", "should", "will", "would"]
_BEFORE_VERB = frozenset([*_MODALS, "to", "not", "don't", "didn't", "i", "we", "you", "they", "who"])
_AFTER_VERB = frozenset(
    ["the", "a", "an", "her", "his", "its", "their", "our", "my", "your", "him", "them", "us", "me"]
)


@dataclass(slots=True)
class Proposal:
    """One swap in base form, how often it was met, and its first place: what stands before, there, and after."""

    observed: str
    original: str
    kind: str
    count: int
    place: str
    context: tuple[str, str, str]

    @property
    def lesson(self) -> Learned:
        """What the lexicon learns where the proposal is accepted."""
        return Learned(self.observed, self.original, self.kind, self.count, 0)


class Proposer:
    """Aligns pairs of texts and keeps the swaps. Loads the thesaurus and the shipped lexicons when first needed."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], Proposal] = {}
        self.related = lru_cache(maxsize=500_000)(self._related)
        self.listed = lru_cache(maxsize=100_000)(self._is_listed)

    def add(self, name: str, spun: str, source: str) -> Alignment:
        """Take in the swaps of one pair. Raises InputError where the texts are no pair."""
        alignment = align(spun, source, self.related, self.listed)
        if not alignment.trusted:
            share = f"only {alignment.shared:.0%} of the words are shared in order"
            raise InputError(f"{name}: this is no spun text and its source, {share}; check the pairing", "misaligned")
        for swap in alignment.swaps:
            if row := self.row(spun, swap):
                known = self.found.setdefault(row[:2], Proposal(*row, 0, name, _context(spun, swap)))
                known.count += 1
        return alignment

    def proposals(self, least: int = 1) -> Iterator[Proposal]:
        """What was met at least so often, the most frequent first."""
        for proposal in sorted(self.found.values(), key=lambda p: (-p.count, p.observed, p.original)):
            if proposal.count >= least:
                yield proposal

    def row(self, spun: str, swap: Swap) -> tuple[str, str, str] | None:
        """The swap in base form with its kind; None where it is mere agreement, a number, or nothing for a lexicon."""
        one, other = swap.observed_folded.split(" "), swap.original_folded.split(" ")
        if max(len(one), len(other)) > MOST_WORDS or CONTROL.search(swap.observed + swap.original):
            return None
        if len(one) == len(other) and all(same_lemma(a, b) for a, b in zip(one, other, strict=True)):
            return None
        if "'s" in one + other or {*one, *other} <= {"a", "the"} or all(w[0].isdigit() for w in one):
            return None
        if "'" in swap.observed_folded and FUNCTION.issuperset(other):  # they'd = they had
            return None
        if swap.observed.islower() and not swap.original.islower() and swap.original[0].isalpha():
            return swap.observed_folded, swap.original, "function"  # america = United States
        return base_form(swap.observed_folded, swap.original_folded, _kind_wanted(spun, swap))

    @cached_property
    def _thesaurus(self) -> Thesaurus:
        from repair.pipeline import artifacts

        return Thesaurus(artifacts() / "thesaurus")

    @cached_property
    def _known(self) -> set[tuple[str, str]]:
        """The swaps of the shipped lexicons, folded."""
        from repair import rows

        pairs = {(one.lower(), other.lower()) for path in rows.shipped() for one, other in rows.pairs(path)}
        return {pair for pair in pairs if pair[0] != pair[1]}

    @cached_property
    def _sides(self) -> tuple[set[str], set[str]]:
        """What the lexicons have as observed, and as original."""
        return {one for one, _ in self._known}, {other for _, other in self._known}

    def _is_listed(self, wording: str, side: int) -> bool:
        """Whether a source knows a folded wording in any base form, as observed (``side`` 0) or as original."""
        return any(base in self._sides[side] or base in self._thesaurus.ids for base in base_forms(wording))

    def _related(self, one: str, other: str) -> float:
        """How near two folded wordings are, 0 to 1: known swaps, dictionary neighbours, similar letters."""
        if one == other or (one, other) in self._known:
            return 1.0
        if " " not in one + other and same_lemma(one, other):
            return 0.4 if one in FUNCTION or other in FUNCTION else 0.9
        if self.listed(one, 0) and self.listed(other, 1):
            observed, original, _ = base_form(one, other)
            if (observed, original) in self._known:
                return 1.0
            neighbours = self._thesaurus.neighbours
            if bits := neighbours(observed).get(original, 0) | neighbours(one).get(other, 0):
                return 0.5 if bits == FAR else 0.8
        return 0.5 if len(one) > 3 and JaroWinkler.similarity(one, other) > 0.87 else 0.0


def _kind_wanted(text: str, swap: Swap) -> str:
    """The kind of word that the neighbours of a place ask for."""
    before = text[max(0, swap.start - SNIPPET) : swap.start].lower().split()
    after = WORD.match(text, swap.end + 1)  # no word where a mark follows
    if (before and before[-1] in _BEFORE_VERB) or (after and after[0].lower() in _AFTER_VERB):
        return "verb"
    return "adjective" if after and analyses(after[0].lower()) and " " not in swap.observed else "noun"


def _context(text: str, swap: Swap) -> tuple[str, str, str]:
    before, after = text[max(0, swap.start - SNIPPET) : swap.start], text[swap.end : swap.end + SNIPPET]
    pieces = (before.partition(" ")[2] or before, text[swap.start : swap.end], after.rpartition(" ")[0] or after)
    one, here, other = (" ".join(f"|{piece}|".split())[1:-1] for piece in pieces)
    return one, here, other
