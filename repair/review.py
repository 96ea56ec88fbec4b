"""A review without an interface: the places to decide, what was decided, undo, and what follows for the articles.

The terminal, the page and the plain mode only show this and call it. Every change goes through the journal first, so
what is on the screen is on the disk. A review is the sum of its events: reading the journal again gives the same one.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from repair.errors import UsageError
from repair.history import History
from repair.ignoring import Silence, Unasked
from repair.journal import Action, Anchor, Done, Event, Journal, Lesson, Taught, anchor, digest
from repair.report import Article, Edit, Finding, Repair, Report, apply
from repair.rows import CONTROL

Scope = Literal["place", "article", "batch"]
Swap = tuple[str, str]
Follow = Callable[[Sequence[Taught], Sequence[Taught]], object]
SCOPES: tuple[Scope, ...] = ("place", "article", "batch")
LONGEST = 1000  # code points of an own wording

# Keys that decide at once, and for which places.
ANSWERS: Mapping[str, tuple[Action, Scope]] = {
    "y": ("accept", "place"),
    "a": ("accept", "article"),
    "A": ("accept", "batch"),
    "n": ("reject", "place"),
    "d": ("reject", "article"),
    "D": ("reject", "batch"),
    "i": ("ignore", "place"),
    "s": ("skip", "place"),
}
# What every interface offers: the key and what it does.
KEYS = (
    ("y", "accept the first suggestion"),
    ("1-9", "accept that suggestion"),
    ("e", "type your own wording"),
    ("n", "reject: leave it as it stands"),
    ("a", "accept at every open place of this swap in the article (A: in all articles)"),
    ("d", "reject at every open place of this swap in the article (D: in all articles)"),
    ("i", "ignore this wording always, here and in future"),
    ("s", "skip: ask again in the next review"),
    ("u", "undo, without limit (r: redo)"),
    ("j", "next place (k: the one before)"),
    ("f", "filter, such as: >0.8 source:lexicon swap:workforce words"),
    ("/", "search wordings and suggestions"),
    ("q", "quit; everything decided is kept"),
    ("?", "these keys"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One article under review. ``name`` is what the journal calls it: the same on every machine."""

    name: str
    article: Article
    report: Report


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about a place. ``text``: the wording that takes its place, after accept and own."""

    action: Action
    text: str = ""

    @property
    def rewrites(self) -> bool:
        return self.action in ("accept", "own")


@dataclass(frozen=True, slots=True)
class Place:
    """One finding of one article (its index among the entries)."""

    entry: int
    finding: Finding

    @property
    def swap(self) -> Swap:
        first = self.finding.suggestions[0].text if self.finding.suggestions else ""
        return self.finding.observed.casefold(), first.casefold()


@dataclass(frozen=True, slots=True)
class Filter:
    """Which places to show. Parsed from words such as ``>0.8 source:lexicon swap:workforce more words``."""

    confidence: float = 0.0
    source: str = ""
    swap: str = ""
    words: str = ""

    @classmethod
    def parse(cls, line: str) -> Filter:
        """Raises UsageError for a confidence that is none."""
        out, words = cls(), []
        for part in line.split():
            if part[0] == ">":
                try:
                    out = replace(out, confidence=float(part.lstrip(">=")))
                except ValueError:
                    raise UsageError(f"{part!a} is no confidence; write >0.8") from None
            elif part.startswith(("source:", "swap:")):
                key, _, value = part.partition(":")
                wanted = value.casefold()
                out = replace(out, source=wanted) if key == "source" else replace(out, swap=wanted)
            else:
                words.append(part)
        return replace(out, words=" ".join(words).casefold())

    def passes(self, place: Place) -> bool:
        finding = place.finding
        sources = " ".join(s.source for s in finding.suggestions)
        wordings = " ".join([finding.observed, *(s.text for s in finding.suggestions)]).casefold()
        return (
            finding.confidence >= self.confidence
            and self.source in sources.casefold()
            and self.swap in " ".join(place.swap)
            and self.words in wordings
        )


class Review:
    """The review of a batch of articles, resumed from ``journal``. ``silence`` is told what is to be ignored always."""

    def __init__(self, entries: Sequence[Entry], journal: Journal, silence: Silence | None = None) -> None:
        self.entries, self.journal = tuple(entries), journal
        self.silence = silence or Unasked()
        texts = [entry.article.text for entry in entries]
        self.history = History([entry.name for entry in entries], texts, journal.events)
        self.places = self._places()
        self._index = {(p.entry, p.finding.start, p.finding.end): i for i, p in enumerate(self.places)}
        self._swaps: dict[Swap, list[int]] = defaultdict(list)
        for i, place in enumerate(self.places):
            self._swaps[place.swap].append(i)
        self._held: dict[int, list[tuple[str, Decision]]] = defaultdict(list)
        self._counts: dict[int | None, Counter[str]] = defaultdict(Counter)  # by article, None for all
        for place in self.places:
            self._counts[place.entry]["open"] += 1
            self._counts[None]["open"] += 1
        self._kept = {event.at for event in self.history.done}  # earlier skips count no more: they are asked again
        for event in self.history.done:
            self._apply(event)

    def __len__(self) -> int:
        return len(self.places)

    def decision(self, i: int) -> Decision | None:
        """What holds for a place; None while it is open."""
        for at, decision in reversed(self._held.get(i, ())):
            if decision.action != "skip" or at not in self._kept:
                return decision
        return None

    def open_after(self, i: int, chosen: Filter = Filter()) -> int | None:
        """The next open place after ``i`` (-1: from the start), wrapping round; None where there is none."""
        order = [*range(i + 1, len(self)), *range(0, max(0, i + 1))]
        return next((k for k in order if not self.decision(k) and chosen.passes(self.places[k])), None)

    def beside(self, i: int, step: int, chosen: Filter = Filter()) -> int:
        """The nearest place that passes, ``step`` 1 after ``i`` or -1 before it, wrapping round; ``i`` for none."""
        order = ((i + step * n) % len(self) for n in range(1, len(self) + 1))
        return next((k for k in order if chosen.passes(self.places[k])), i)

    def counts(self, entry: int | None = None) -> Counter[str]:
        """How many places hold each action, "open" for none, in one article or all."""
        return +self._counts[entry]

    def same(self, i: int, scope: Scope) -> list[int]:
        """The place and, in a wider scope, the open ones of the same swap."""
        place = self.places[i]
        if scope == "place":
            return [i]
        there = self._swaps[place.swap]
        return [k for k in there if k == i or (not self.decision(k) and (scope == "batch" or self._near(k, place)))]

    def decide(self, i: int, action: Action, text: str = "", nth: int = 0, scope: Scope = "place") -> list[int]:
        """Decide a place, and with it others of its swap; the places that changed.

        text: the own wording. nth: which suggestion to accept, from 0. Raises UsageError for what can't be done and
        InputError where the journal can't be written; nothing is decided then.
        """
        finding = self.places[i].finding
        if action == "accept":
            if not 0 <= nth < len(finding.suggestions):
                raise UsageError(f"there is no suggestion {nth + 1} for {finding.observed!a}; type your own wording")
            text = finding.suggestions[nth].text
        elif action == "own":
            text = text.strip()
            if not text or len(text) > LONGEST or CONTROL.search(text) or "\t" in text:
                raise UsageError(f"an own wording has 1 to {LONGEST} characters, no line breaks and no controls")
        else:
            text = ""
        if action == "ignore":
            folded = finding.observed.casefold()
            members = [k for k, p in enumerate(self.places) if p.finding.observed.casefold() == folded]
            members = [k for k in members if k == i or not self.decision(k)]
            where = self.silence.where
            if where is None:
                raise UsageError("say first whether to ignore it for you everywhere or in this project")
            self.silence(finding.observed, True, where)
        else:
            members, where = self.same(i, scope), None
        fitted = [(k, self._fitted(text, i, k) if text else "") for k in members]
        spans = [(k, new) for k, new in fitted if new is not None]
        anchors = tuple(self._anchor(k, new) for k, new in spans)
        event = self.journal.new("decide", action, places=anchors, where=where or "")
        self.journal.append(event)
        self.history.add(event, [(self._span(k), new) for k, new in spans])
        return self._apply(event)

    def undo(self) -> list[int]:
        """Take the last decision back; the places that changed. There is no limit, not even the end of a session."""
        return self._turn("undo", self.history.done)

    def redo(self) -> list[int]:
        """Do again what was undone last."""
        return self._turn("redo", self.history.undone)

    def edits(self, entry: int) -> tuple[Edit, ...]:
        """What the decisions change in an article, sorted."""
        lo = bisect_left(self.places, entry, key=lambda place: place.entry)
        hi = bisect_left(self.places, entry + 1, key=lambda place: place.entry)
        out = []
        for i in range(lo, hi):
            decision, f = self.decision(i), self.places[i].finding
            if decision and decision.rewrites and decision.text != f.observed:
                out.append(Edit(f.start, f.end, f.observed, decision.text))
        return tuple(out)

    def repair(self, entry: int) -> Repair:
        """The article as it reads with the decisions made."""
        held, edits = self.entries[entry], self.edits(entry)
        return Repair(apply(held.article.text, edits), edits, held.report)

    def written(self, entry: int) -> None:
        """Note that an article is about to be replaced by its repair, so that a later review knows its decisions."""
        repair, name = self.repair(entry), self.entries[entry].name
        if repair.edits:
            places = (Anchor(name, self.history.shas[entry], 0, 0, "", text=digest(repair.text)),)
            self.journal.append(self.journal.new("written", places=places))

    def learn(self, follow: Follow) -> int:
        """Have ``follow``(taught, taken back) hear what it has not heard; the number of lessons.

        Lessons of decisions that no longer hold, undone or decided otherwise since, are taken back.
        """
        taught = Counter[Lesson]()
        for event in self.journal.events:
            if event.do == "learned":
                taught.update(event.lessons)
            elif event.do == "unlearned":
                taught.subtract(event.lessons)
        holding, passed = Counter[Lesson](), Counter[Lesson]()
        for i in range(len(self)):
            mine = [self._lesson(i, *held) for held in self._held.get(i, ()) if held[1].action != "skip"]
            passed.update(mine[:-1])
            holding.update(lesson for lesson in mine[-1:] if lesson[2])
        gone = Counter({lesson: n for lesson, n in taught.items() if lesson[0] in self.history.revoked})
        for lesson, times in passed.items():
            gone[lesson] += max(0, min(times, taught[lesson] - holding[lesson]))
        back, fresh = tuple(gone.elements()), tuple((holding - taught).elements())
        if back or fresh:
            follow([lesson[1:] for lesson in fresh], [lesson[1:] for lesson in back])
        kinds: tuple[tuple[Done, tuple[Lesson, ...]], ...] = (("unlearned", back), ("learned", fresh))
        for do, lessons in kinds:
            if lessons:
                of = tuple(dict.fromkeys(lesson[0] for lesson in lessons))
                self.journal.append(self.journal.new(do, of=of, lessons=lessons), self._articles(set(of)))
        return len(back) + len(fresh)

    def _articles(self, ats: set[str]) -> dict[str, None]:
        """The names of the articles that events are about."""
        return {a.article: None for event in self.journal.events if event.at in ats for a in event.places}

    def _lesson(self, i: int, at: str, decision: Decision) -> Lesson:
        """What a decision about a place teaches; without a wording: nothing."""
        f = self.places[i].finding
        first = f.suggestions[0].text if f.suggestions and decision.action != "ignore" else ""
        return at, f.observed, decision.text or first, decision.rewrites

    def _near(self, k: int, place: Place) -> bool:
        return self.places[k].entry == place.entry

    def _span(self, i: int) -> tuple[int, int, int]:
        return self.places[i].entry, self.places[i].finding.start, self.places[i].finding.end

    def _anchor(self, i: int, text: str) -> Anchor:
        entry, start, end = self._span(i)
        held = self.entries[entry]
        return anchor(held.name, self.history.shas[entry], held.article.text, (start, end), text)

    def _fitted(self, text: str, i: int, k: int) -> str | None:
        """The wording chosen at ``i`` as place ``k`` of the same swap needs it; None where that is not clear."""
        here, there = self.places[i].finding, self.places[k].finding
        if k == i or here.observed == there.observed:
            return text
        own = (s.text for s in there.suggestions if s.text.casefold() == text.casefold())
        upper = here.observed[:1].islower() and there.observed == here.observed[:1].upper() + here.observed[1:]
        return next(own, text[:1].upper() + text[1:] if upper else None)

    def _turn(self, do: Literal["undo", "redo"], source: list[Event]) -> list[int]:
        if not source:
            return []
        event = source[-1]
        for place in event.places[:1] if event.action == "ignore" else ():
            self.silence(place.observed, do == "redo", "project" if event.where == "project" else "user")
        self.journal.append(self.journal.new(do, of=(event.at,)), (a.article for a in event.places))
        (self.history.undo if do == "undo" else self.history.redo)()
        return self._apply(event, back=do == "undo")

    def _apply(self, event: Event, *, back: bool = False) -> list[int]:
        """Put an event's decisions on their places, or take them off; the places."""
        out = []
        for span, text in self.history.spans.get(event.at, ()):
            i = self._index.get(span)
            if i is not None:
                before = self.decision(i)
                self._held[i] = [held for held in self._held[i] if held[0] != event.at]
                if not back:
                    insort(self._held[i], (event.at, Decision(cast(Action, event.action), text)), key=lambda h: h[0])
                for counts in (self._counts[span[0]], self._counts[None]):
                    counts[_named(before)] -= 1
                    counts[_named(self.decision(i))] += 1
                out.append(i)
        return out

    def _places(self) -> list[Place]:
        """Every finding, and every decided stretch that is none any more: what was decided stays."""
        taken: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for event in reversed(self.history.done):  # where stretches overlap, the later decision holds
            for (e, start, end), _ in self.history.spans.get(event.at, ()):
                if event.action != "skip" and _free(taken[e], start, end):
                    insort(taken[e], (start, end))
        out = []
        for e, entry in enumerate(self.entries):
            findings = {(f.start, f.end): f for f in entry.report.findings}
            for start, end in taken[e]:
                if (start, end) not in findings:
                    observed = entry.article.text[start:end]
                    why = {"decided": "in an earlier review"}
                    findings[start, end] = Finding(start, end, observed, 0.0, "flag", (), why)
            decided = set(taken[e])
            kept = (f for span, f in sorted(findings.items()) if span in decided or _free(taken[e], *span))
            out += [Place(e, f) for f in kept]
        return out


def _named(decision: Decision | None) -> str:
    return decision.action if decision else "open"


def _free(taken: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    """Whether a stretch meets none of the taken ones (sorted, apart)."""
    k = bisect_left(taken, (start, end))
    return (k == len(taken) or taken[k][0] >= end) and (k == 0 or taken[k - 1][1] <= start)
