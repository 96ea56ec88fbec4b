"""Spins clean text the way the machines do, and remembers what stood there.

Every window of text gets a spinner of its own: which sources it draws on, how much it touches, whether it is patchy,
spares quotations, mends a/an, and repeats its choices. A share of the windows stays clean, so that a model learns to
leave tempting words alone.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from repair.inflection import analyses, article_for, like
from repair.segment import Text
from training.swaps import ANY, KINDS_OF_NEIGHBOUR, SPLIT, WALK, Choice, Swaps

_DETERMINERS = frozenset(
    [
        "a", "an", "the", "this", "that", "these", "those", "his", "her", "its", "their", "our", "my", "your", "no",
        "some", "any", "each", "every",
    ]
)  # fmt: skip
_TO_VERB = frozenset(
    [
        "to", "will", "would", "can", "could", "should", "may", "might", "must", "shall", "not", "n't", "don't",
        "didn't", "doesn't", "can't", "won't",
    ]
)  # fmt: skip
_NEVER = frozenset(["be", "have", "do"])


@dataclass(frozen=True, slots=True)
class Unit:
    """One swap in a spun text: words [first, last) of it stand where ``original`` stood."""

    first: int
    last: int
    original: str


@dataclass(slots=True)
class Spinner:
    """The habits of one machine on one article."""

    appetite: float
    sources: dict[str, float]
    patchy: float
    spare_quotes: bool
    mend_articles: bool
    loyal: float
    chosen: dict[str, str] = field(default_factory=dict)

    @classmethod
    def draw(cls, rng: random.Random, tables: Sequence[str], clean: float = 0.3) -> Spinner:
        """A random machine; with probability ``clean`` one that touches nothing."""
        appetite = 0.0 if rng.random() < clean else min(0.8, 0.03 + rng.betavariate(1.2, 1.8) * 0.85)
        names = [*KINDS_OF_NEIGHBOUR, SPLIT, WALK, *tables]
        sources = {n: rng.random() ** 2 for n in names if rng.random() < 0.6}
        return cls(
            appetite, sources or {n: 1.0 for n in names}, rng.choice([0.0, 0.0, 0.4]), rng.random() < 0.4,
            rng.random() < 0.6, rng.random(),
        )  # fmt: skip


def spin(text: str, spinner: Spinner, swaps: Swaps, rng: random.Random) -> tuple[list[str], list[Unit], list[bool]]:
    """The spun text as words, its units, and for each word whether white space stands before it."""
    cut = Text(text)
    words: list[str] = []
    spaced: list[bool] = []
    units: list[Unit] = []
    skip_line = False
    i, n = 0, len(cut)
    quoted = cut.quoted if spinner.spare_quotes else [False] * n
    while i < n:
        if cut.line_starts[i]:
            skip_line = rng.random() < spinner.patchy
        blank = i == 0 or cut.starts[i] > cut.ends[i - 1]
        hit = None
        if spinner.appetite and not skip_line and not quoted[i] and cut.is_word[i]:
            hit = _swap(cut, i, spinner, swaps, rng)
        if hit is None:
            words.append(cut.words[i])
            spaced.append(blank)
            i += 1
            continue
        length, observed = hit
        original = text[cut.starts[i] : cut.ends[i + length - 1]]
        new = Text(like(original, observed))
        first = len(words)
        if spinner.mend_articles and words and words[-1].lower() in ("a", "an") and new.words:
            words[-1] = like(words[-1], article_for(new.words[0]))
        words += new.words
        spaced += [blank if k == 0 else s > new.ends[k - 1] for k, s in enumerate(new.starts)]
        units.append(Unit(first, len(words), original))
        i += length
    return words, units, spaced


def annotated(text: str, spinner: Spinner, swaps: Swaps, rng: random.Random) -> tuple[str, list[dict[str, Any]]]:
    """The spun text, line by line, and its units as the scorer reads them."""
    lines: list[str] = []
    units: list[dict[str, Any]] = []
    at = 0
    for line in text.split("\n"):
        words, found, spaced = spin(line, spinner, swaps, rng)
        starts, out = [], ""
        for word, blank in zip(words, spaced, strict=True):
            out += " " if blank and out else ""
            starts.append(len(out))
            out += word
        for u in found:
            a, z = starts[u.first], starts[u.last - 1] + len(words[u.last - 1])
            units.append(
                {"start": at + a, "end": at + z, "observed": out[a:z], "originals": [u.original], "optional": False}
            )
        lines.append(out)
        at += len(out) + 1
    return "\n".join(lines), units


def _swap(cut: Text, i: int, spinner: Spinner, swaps: Swaps, rng: random.Random) -> tuple[int, str] | None:
    """What the spinner puts in place of the words from ``i`` on: how many, and what; None to leave them."""
    longest = min(swaps.longest.get(cut.folded[i], 1), len(cut) - i)
    for length in range(longest, 0, -1):
        if length > 1 and rng.random() > spinner.appetite * 1.3:
            continue
        if length == 1 and rng.random() > spinner.appetite:
            return None
        phrase = " ".join(cut.folded[i : i + length])
        pool: list[tuple[float, list[Choice]]] = []
        for name, table in swaps.tables.items():
            if (weight := spinner.sources.get(name)) and (found := table.get(phrase)):
                pool.append((weight * 3, found))
        if length == 1 and not (cut.words[i][0].isupper() and not cut.line_starts[i] and rng.random() < 0.8):
            pool += _neighbours(cut, i, spinner, swaps, rng)
        if not pool:
            continue
        if phrase in spinner.chosen and rng.random() < spinner.loyal:
            return length, spinner.chosen[phrase]
        choices = rng.choices([c for _, c in pool], [w for w, _ in pool])[0]
        observed = rng.choices([c for c, _ in choices], [w for _, w in choices])[0]
        if observed.lower() == phrase:
            return None
        spinner.chosen[phrase] = observed
        return length, observed
    return None


def _neighbours(
    cut: Text, i: int, spinner: Spinner, swaps: Swaps, rng: random.Random
) -> list[tuple[float, list[Choice]]]:
    readings = [r for r in analyses(cut.folded[i]) if r[0] not in _NEVER]
    before = cut.folded[i - 1] if i else ""
    if before in _TO_VERB:
        readings = [r for r in readings if r[1] == "VB"] or readings
    elif before in _DETERMINERS:
        readings = [r for r in readings if r[1][0] in "NJ"] or readings
    if not readings:
        return []
    lemma, tag = rng.choice(readings)
    found = swaps.neighbours(lemma, tag)
    pool = [(w, c) for name, c in found.items() if (w := spinner.sources.get(name))]
    if (w := spinner.sources.get(ANY)) and (choices := swaps.any(lemma, tag, rng)):
        pool.append((w, choices))
    return pool
