"""What an editor answers in the walk of docs/review.md: from what was found, whatever the models of the day find.

The plan is made by going through a review without an interface. It is a list of keys, which terminal and page then get,
and of what they did, for the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from repair.review import Filter, Review, Scope

# What the sources of the two articles had. What an editor would take as well stands behind a bar.
SOURCES = """
with out = without; workforce = staff | team; primary = first; 5 = five; nighttime = night; wearing = carrying
remedy = medicine; group of workers = staff; droop = suspend; for the reason that = since | ever since
most effective = only; by means of = by; have been = were; stated = said | announced that; contributors = members
paintings = work | duty; whilst = while; proceed = continue | go on; requested = asked; upward push = rise | pay rise
in line with cent = per cent; presented = offered; 3 = three; corporate = company; mentioned = said; used to be = was
happy = pleased; commonplace = common; further = extra | more; could be = would be; clean = clear; aspects = sides
informed = told; meals = food; federal government = government; no longer in = not in; neighborhood = community
will have to = should | must; health facility = hospital; had been right down = was down; right down = down
gained = received | got; profound = deep; principle = main; misfortune = loss; distinguish = detect; depict = describe
remote = wireless; organization = network; minimal expense = low-cost; moistness tests = moisture probes
moistness = moisture; brain network = neural network; water interest = water demand
preparation information = training data; developing seasons = growing seasons; straight relapse = linear regression
irregular backwoods = random forest; help vector = support vector; diminished = reduced
outright blunder = absolute error; contrasted = compared; gauge = baseline; highlight extraction = feature extraction
gadget = device; crude information = raw data; framework = system; fake commotion = artificial noise; signs = signals
execution = performance; restriction = limitation; review = study; remember destinations = include sites
watchwords = keywords; accuracy agribusiness = precision agriculture; water system = irrigation
"""
PAIRS = [pair.split(" = ") for pair in re.split(r";|\n", SOURCES.strip())]
SWAPS = {one.strip(): tuple(w.strip() for w in other.split("|")) for one, other in PAIRS}
FILTERS = (">0.9 source:lexicon", ">0.9", ">0.5", ">0")  # the first that something passes is shown


@dataclass(frozen=True, slots=True)
class Stop:
    """A picture of the walk: the keys that lead to it, and each answer in words. ``at``: the place chosen there."""

    name: str
    keys: tuple[str, ...]
    told: tuple[str, ...]
    at: int
    line: str = ""  # the filter or the search that was typed


def restored(observed: str) -> tuple[str, ...]:
    """What the source had for a wording, the best first; empty where the wording is its own."""
    for one in sorted(SWAPS, key=len, reverse=True):
        pattern = rf"(?i)\b{re.escape(one)}\b"
        if re.search(pattern, observed):
            found = tuple(re.sub(pattern, other, observed) for other in SWAPS[one])
            return tuple(w[:1].upper() + w[1:] if observed[:1].isupper() else w for w in found)
    return ()


class Walk:
    """Goes through a review of two articles and remembers the keys."""

    def __init__(self, review: Review) -> None:
        self.review = review
        self.at = review.open_after(-1) or 0
        self.keys: list[str] = []
        self.told: list[str] = []

    def stops(self) -> Iterator[Stop]:
        """The plan: five stops, whatever was found."""
        yield self.stop("opened")
        wording = self.until("e", 4, 12)
        yield self.stop("own", *("e", *wording))  # typed, and seen before Enter
        self.answer("e", wording)
        self.keys = ["enter"]
        self.until("n", 2, 15)
        yield self.stop("where", "i")
        self.answer("n")
        self.keys = ["u", "u", "n"]  # everywhere for the user; undone; rejected
        line = next(line for line in FILTERS if self.passing(line) is not None)
        self.at = self.passing(line) or 0
        yield self.stop("filter", "f", *line, "enter", line=line)
        line = self.several()
        self.at = self.passing(line) or 0
        before = self.at
        self.answer("A", self.best(before)[1])
        self.at, self.keys = before, []
        yield self.stop("all", "f", *line, "enter", "A", line=line)

    def stop(self, name: str, *more: str, line: str = "") -> Stop:
        """A stop after the keys so far and these, which decide nothing that is not told."""
        out = Stop(name, (*self.keys, *more), tuple(self.told), self.at, line)
        self.keys, self.told = [], []
        return out

    def until(self, wanted: str, least: int, most: int) -> str:
        """Answer so many places, until the key wanted is the right one for the next; a right wording there.

        After ``most`` any place will do for which an editor has another wording than those offered.
        """
        for n in count():
            key, wording = self.best(self.at)
            finding = self.review.places[self.at].finding
            offered = {s.text.casefold() for s in finding.suggestions}
            others = [w for w in restored(finding.observed) if w.casefold() not in offered]
            if n >= least and key == wanted:
                return wording
            if n >= most and (others or n >= 2 * most):
                return others[0] if others else finding.observed
            self.answer(key, wording)
        raise AssertionError

    def best(self, i: int) -> tuple[str, str]:
        """The right key for a place, and the wording that is right, if not its own."""
        finding = self.review.places[i].finding
        texts = [s.text.casefold() for s in finding.suggestions]
        right = restored(finding.observed)
        for wording in right:
            if wording.casefold() in texts:
                n = texts.index(wording.casefold())
                several = n == 0 and len(self.review.same(i, "article")) > 1
                return "a" if several else "y" if n == 0 else str(n + 1), finding.suggestions[n].text
        return ("e", right[0]) if right else ("n", "")

    def answer(self, key: str, text: str = "") -> None:
        """Decide the chosen place as the key does, and go on."""
        review, finding = self.review, self.review.places[self.at].finding
        if key == "n":
            changed = review.decide(self.at, "reject")
        elif key == "e":
            changed = review.decide(self.at, "own", text)
        else:
            nth = int(key) - 1 if key.isdigit() else 0
            scope: Scope = "article" if key == "a" else "batch" if key == "A" else "place"
            changed = review.decide(self.at, "accept", nth=nth, scope=scope)
        self.keys += ["e", *text, "enter"] if key == "e" else [key]
        wording = f"{finding.observed} → {text}" if text else finding.observed
        self.told.append(f"`{key}` {wording}" + (f" ({len(changed)} places)" if len(changed) > 1 else ""))
        self.at = review.open_after(self.at) or 0

    def passing(self, line: str) -> int | None:
        """The next place that passes a filter, as the interfaces choose it."""
        chosen = Filter.parse(line)
        order = [*range(self.at + 1, len(self.review)), *range(self.at + 1)]
        return next((i for i in order if chosen.passes(self.review.places[i])), None)

    def several(self) -> str:
        """The filter for a swap whose first suggestion is right in several places, rather in the second article."""
        review, best = self.review, (-1, 0, "")
        for i, place in enumerate(review.places):
            if review.decision(i) or self.best(i)[0] not in ("a", "y"):
                continue
            line = f"swap:{max(place.finding.observed.casefold().split(), key=len)}"
            first = self.passing(line)
            if first is not None and review.places[first].swap == place.swap and not review.decision(first):
                several = len(review.same(i, "batch"))
                best = max(best, (review.places[first].entry * (several > 1), several, line))
        return best[2] or f"swap:{review.places[review.open_after(-1) or 0].finding.observed.casefold().split()[0]}"
