"""Which wording of a spun text stands where which wording of its source stood: word alignment, without a model.

First the words that both texts share, in order (longest common subsequence), then every gap between sure anchors by
the cheapest way to cut both sides into pieces: an equal word costs nothing, a known swap or a dictionary neighbour
little, a word out of nowhere most.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from repair.errors import InputError
from repair.inflection import KIND_TAGS, NO_FORMS, analyses, british, head, inflect_phrase

WORD = re.compile(r"\d+(?:[.,:]\d+)*[^\W\d_]*|(?:[A-Za-z]\.){2,}|[^\W_]+(?:[-’'&](?![sS]\b)[^\W_]+)*|[’'][sS]\b")
MOST_WORDS = 6  # of one swap, on each side
MOST_TEXT = 20_000  # words of one text: the anchors take time and memory by the square
_MOST_GAP = 30  # words of a gap, on each side; where more is new, the texts tell different things
_LEAST_SHARED = (
    0.2  # of the content words of the shorter text; unrelated ones share up to 0.06, spun ones 0.33 and more
)
_INSERT, _INSERT_FUNCTION, _NEVER = 1.2, 0.8, 1e9
_LEAST = 0.29  # no piece of more than a word on either side costs less
_MOST_APART = 0.5  # how near wordings can be of which no source knows both
FUNCTION = (NO_FORMS - {"one", "two", "three"}) | {
    "into", "onto", "about", "after", "before", "against", "between", "through", "during", "'s",
}  # fmt: skip
_PARTICLES = frozenset(
    [
        "up", "out", "off", "down", "away", "back", "over", "along", "together",
    ]
)  # fmt: skip
_BREAK = re.compile(r"[.!?…,;:()\[\]“”\"\n]|[—–]| - ")

Related = Callable[[str, str], float]
Listed = Callable[[str, int], bool]
Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """A word with its place, "an" folded to "a"; ``after_break``: punctuation or a line end stands before it."""

    folded: str
    start: int
    end: int
    after_break: bool


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Words of one side that may make a piece: where they start, folded, apart and as one, and what stands beside."""

    start: int
    words: Words
    phrase: str
    after_break: bool
    ends: bool
    listed: bool


@dataclass(frozen=True, slots=True)
class Swap:
    """A stretch of the spun text (code points) and the source's wording for it; both as they stand and folded."""

    start: int
    end: int
    observed: str
    original: str
    observed_folded: str
    original_folded: str


@dataclass(frozen=True, slots=True)
class Alignment:
    """shared: the share of content words that both texts hold in the same order. lost: words without a counterpart."""

    swaps: tuple[Swap, ...]
    shared: float
    lost: int

    @property
    def trusted(self) -> bool:
        """Whether one text is a spun version of the other at all."""
        return self.shared >= _LEAST_SHARED


def tokens(text: str) -> list[Token]:
    """The words of a text, hyphened ones whole, a possessive ending apart."""
    out: list[Token] = []
    at = 0
    for match in WORD.finditer(text):
        breaks = not out or bool(_BREAK.search(text, at, match.start()))
        folded = _folded(match[0])
        out.append(Token("a" if folded == "an" else folded, *match.span(), breaks))
        at = match.end()
    return out


def align(spun: str, source: str, related: Related, listed: Listed) -> Alignment:
    """The swaps that lead from ``source`` to ``spun``, in order, each as short as it can be.

    related: how near two folded wordings are, 0 to 1. listed: whether any source knows a wording as observed (0) or as
    original (1); where not both are known, they are no nearer than 0.5. Raises InputError for texts that are too long.
    """
    from rapidfuzz.distance import LCSseq

    ours, theirs = tokens(spun), tokens(source)
    if max(len(ours), len(theirs)) > MOST_TEXT:
        raise InputError(f"longer than {MOST_TEXT:,} words; split it into articles", "too-large")
    a, b = [t.folded for t in ours], [t.folded for t in theirs]
    blocks = [(o.src_start, o.src_end, o.dest_start) for o in LCSseq.opcodes(a, b) if o.tag == "equal"]
    content = sum(a[i] not in FUNCTION for i, end, _ in blocks for i in range(i, end))
    least = min(sum(w not in FUNCTION for w in a), sum(w not in FUNCTION for w in b))
    shared = content / least if least else 0.0
    if shared < _LEAST_SHARED:
        return Alignment((), shared, len(a))
    swaps, lost = [], 0
    for (i, i_end), (j, j_end) in _gaps(a, b, blocks):
        if max(i_end - i, j_end - j) > _MOST_GAP:
            lost += i_end - i
            continue
        for first, last, start, end in _pieces(ours[i:i_end], theirs[j:j_end], related, listed):
            mine, other = ours[i + first : i + last], theirs[j + start : j + end]
            lost += 0 if other else len(mine)
            if mine and other and [t.folded for t in mine] != [t.folded for t in other]:
                swaps.append(_swap(spun, source, mine, other))
    return Alignment(tuple(swaps), shared, lost)


def _swap(spun: str, source: str, mine: Sequence[Token], other: Sequence[Token]) -> Swap:
    start, end = mine[0].start, mine[-1].end
    observed = " ".join(spun[t.start : t.end] for t in mine)
    original = " ".join(source[t.start : t.end] for t in other)
    return Swap(start, end, observed, original, _folded(observed), _folded(original))


def _folded(text: str) -> str:
    return text.lower().replace("’", "'")


def _gaps(
    a: Sequence[str], b: Sequence[str], blocks: Sequence[tuple[int, int, int]]
) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """What lies between sure anchors, with a word of the anchors on each side.

    An anchor of one or two function words says little where all around it is new: it falls into the gap.
    """
    i = j = 0
    for start, end, there in [*blocks, (len(a), len(a), len(b))]:
        words = a[start:end]
        if words and len(words) < 3 and all(w in FUNCTION for w in words):
            continue
        if start > i or there > j:
            yield (max(0, i - 1), min(len(a), start + 1)), (max(0, j - 1), min(len(b), there + 1))
        i, j = end, there + end - start


def _pieces(
    a: Sequence[Token], b: Sequence[Token], related: Related, listed: Listed
) -> list[tuple[int, int, int, int]]:
    """The cheapest cut of both sides into pieces: (first, last) of ``a`` against (start, end) of ``b``, in order."""
    best: dict[tuple[int, int], tuple[float, tuple[int, int]]] = {(0, 0): (0.0, (0, 0))}
    mine, others = _stretches(a, listed, 0), _stretches(b, listed, 1)
    for i, left in enumerate(mine):
        for j, right in enumerate(others):
            if (i, j) == (0, 0):
                continue
            found = (_NEVER, (0, 0))
            for x in left:  # short pieces first: they make most long ones too dear
                for y in right:
                    m, n = len(x.words), len(y.words)
                    if not m or not n:
                        if m + n != 1:
                            continue  # words come and go one by one
                        least = _INSERT_FUNCTION
                    else:
                        least = 0.0 if m + n == 2 else _LEAST if x.listed and y.listed else _APART[m, n]
                    before = best[x.start, y.start][0]
                    room = found[0] - before
                    if least <= room:
                        found = min(found, (before + _cost(x, y, related, room), (x.start, y.start)))
            best[i, j] = found
    out, at = [], (len(a), len(b))
    while at != (0, 0):
        i, j = at
        at = best[at][1]
        out.append((at[0], i, at[1], j))
    return out[::-1]


def _stretches(tokens: Sequence[Token], listed: Listed, side: int) -> list[list[_Stretch]]:
    """The stretches without a break that end before each token, and before the end: the short ones first."""
    out = []
    for end in range(len(tokens) + 1):
        # A function word or a break follows: a word inserted here belongs to the word before it.
        ends = end == len(tokens) or tokens[end].after_break or tokens[end].folded in FUNCTION
        here = [_Stretch(end, (), "", False, ends, False)]
        for start in range(end - 1, max(0, end - MOST_WORDS) - 1, -1):
            words = tuple(t.folded for t in tokens[start:end])
            phrase, breaks = " ".join(words), tokens[start].after_break
            here.append(_Stretch(start, words, phrase, breaks, ends, listed(phrase, side)))
            if breaks:
                break
        out.append(here)
    return out


def _cost(a: _Stretch, b: _Stretch, related: Related, room: float) -> float:
    """What it costs to take ``a`` for a spinner's wording of ``b``; one of them may be empty, the other a word then.

    room: a cost above it need not be exact, only above it.
    """
    x, y = a.words, b.words
    m, n = len(x), len(y)
    if not m or not n:
        return _INSERT_FUNCTION if (x or y)[0] in FUNCTION else _INSERT
    if x == y:
        return 0.0 if m == 1 else _NEVER
    near = related(a.phrase, b.phrase)
    if m == n == 1:
        odd = 0.2 * (a.after_break != b.after_break)
        if x[0] in FUNCTION or y[0] in FUNCTION:
            odd += 0.15 if near >= 0.8 else 0.3
        return 1.0 - 0.7 * near - 0.15 * alike(x[0], y[0]) + odd
    if x[0] == y[0] or x[-1] == y[-1]:
        return _edge(x, y, near, a.ends if m > n else b.ends)
    if near == 1.0:
        return 0.4 if m != n else 0.1 + 0.3 * m
    cost = _apart(m, n, near) + 0.4 * (x[0] == "of") + 0.4 * (y[0] == "of")
    if near or cost - 0.25 > room:
        return cost
    return cost - 0.25 * max(related(u, v) for u in {x[0], x[-1]} for v in {y[0], y[-1]})


@lru_cache(maxsize=10_000)
def _apart(m: int, n: int, near: float) -> float:
    """What so many words for so many cost that have neither end in common."""
    size = 0.35 * (m + n - 2) + 0.1 * max(0, m + n - 4)
    if min(m, n) > 1:
        size += 0.6 if m == n else 0.45
    return 1.0 + size - (0.7 + 0.25 * (m + n - 2)) * near


def _edge(x: Words, y: Words, near: float, ends: bool) -> float:
    """A word and the same word with company: "closed up" = closed, "other people" = people."""
    long, short = (x, y) if len(x) > len(y) else (y, x)
    if near == 1.0 and len(short) == 1:
        return 0.75
    if len(short) > 1 or len(long) > 2 or short[0] in FUNCTION:
        return _NEVER
    company, behind = (long[1], True) if long[0] == short[0] else (long[0], False)
    if company in FUNCTION and company not in _PARTICLES and near < 0.8:
        return _NEVER
    if company in _PARTICLES and behind:
        return 0.7 - 0.4 * near
    fits = ends == behind
    return 0.8 + 0.15 * (not fits) - 0.4 * near


# The least that a piece of so many words for so many costs where no source knows both wordings.
_APART = {
    (m, n): 0.5 if m + n == 3 else _apart(m, n, _MOST_APART) - 0.01
    for m in range(1, MOST_WORDS + 1)
    for n in range(1, MOST_WORDS + 1)
}  # fmt: skip


def alike(one: str, other: str) -> float:
    """1 where two words can have the same form (both plural, both past), else 0."""
    return float(bool({tag for _, tag in analyses(one)} & {tag for _, tag in analyses(other)}))


def same_lemma(one: str, other: str) -> bool:
    """Whether two words are forms or spellings of one."""
    if british(one) == british(other):
        return True
    return bool({lemma for lemma, _ in analyses(one)} & {lemma for lemma, _ in analyses(other)})


def base_form(observed: str, original: str, first: str = "noun") -> tuple[str, str, str]:
    """Folded wordings in base form with the kind that inflects both alike; as they stand, "function", where none does.

    first: the kind to take where several fit ("state" is a noun and a verb).
    """
    for kind in dict.fromkeys([first, *KIND_TAGS]):
        bases = _bases(observed, kind), _bases(original, kind)
        for tag in KIND_TAGS[kind] if bases[0] and bases[1] else ():
            if tag in bases[0] and tag in bases[1]:
                pair = bases[0][tag], bases[1][tag]
                if tuple(inflect_phrase(p, kind, tag) for p in pair) == (observed, original) and pair[0] != pair[1]:
                    return *pair, kind
    return observed, original, "function"


def base_forms(phrase: str) -> set[str]:
    """All that ``base_form`` may make of a folded wording on either side, itself among it."""
    return {phrase, *(base for kind in KIND_TAGS for base in _bases(phrase, kind).values())}


@lru_cache(maxsize=100_000)  # a text's alignment asks for the same few thousand again and again
def _bases(phrase: str, kind: str) -> dict[str, str]:
    """A folded wording in the base form that it has if its head stands in the form ``tag``, by tag."""
    words = phrase.split(" ")
    i = head(phrase, kind)
    known = {tag: lemma for lemma, tag in reversed(analyses(words[i])) if words[i] not in FUNCTION}
    return {tag: " ".join([*words[:i], lemma, *words[i + 1 :]]) for tag, lemma in known.items()}
