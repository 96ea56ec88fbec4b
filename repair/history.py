"""What a journal comes to: the decisions that hold, those that can be redone, and where each stands by now.

A decision is anchored in the text that it was made on. Texts change between two reviews, by other hands and by our own
writing: every anchor is followed to where it is certain to stand, or reported as lost, never guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from repair.journal import ACTIONS, Anchor, Event, digest, find
from repair.report import Edit, OffsetMap

Span = tuple[int, int, int]  # the article's index, start, end


@dataclass(frozen=True, slots=True)
class Lost:
    """A decision that no longer has a place, since the article changed."""

    anchor: Anchor
    action: str

    def __str__(self) -> str:
        made = f"{self.action} {self.anchor.text!r}" if self.anchor.text else self.action
        return f"{self.anchor.article}: {self.anchor.observed!r} ({made}) is not certain to be found any more"


@dataclass(frozen=True, slots=True)
class _Writing:
    """A moment at which an article was replaced by its repair: the text it became, and where places went."""

    at: str
    sha: str
    offsets: OffsetMap


class History:
    """The decisions of a journal on articles as they are now, given by their names and texts.

    ``done`` are those that hold, ``undone`` those that can be redone, the latest last; what is written into the article
    is in neither. ``revoked`` names all that were undone, also what can't be redone. ``spans`` says where an event's
    places stand and what wording each is to get.
    """

    def __init__(self, names: Sequence[str], texts: Sequence[str], events: Sequence[Event]) -> None:
        self.shas = [digest(text) for text in texts]
        self.done: list[Event] = []
        self.undone: list[Event] = []
        self.revoked: set[str] = set()
        self.spans: dict[str, list[tuple[Span, str]]] = {}
        self.lost: list[Lost] = []
        self._texts = texts
        self._by_name = {name: e for e, name in enumerate(names)}
        self._by_sha: dict[str, list[int]] = defaultdict(list)
        for e, sha in enumerate(self.shas):
            self._by_sha[sha].append(e)
        self._fold(events)
        self._writings = self._written(events)
        self._resolve()
        self.done = [event for event in self.done if event.at in self.spans]
        self.undone = [event for event in self.undone if event.at in self.spans]

    def add(self, event: Event, spans: Sequence[tuple[Span, str]]) -> None:
        """A new decision, after which nothing can be redone."""
        self.done.append(event)
        self.undone.clear()
        self.spans[event.at] = list(spans)

    def undo(self) -> None:
        """The last decision holds no more."""
        self.undone.append(self.done.pop())
        self.revoked.add(self.undone[-1].at)

    def redo(self) -> None:
        """What was undone last holds again."""
        self.done.append(self.undone.pop())
        self.revoked.discard(self.done[-1].at)

    def _fold(self, events: Sequence[Event]) -> None:
        """Go through the events in order; one may name only what can be undone, or redone, at its time."""
        by_name = {event.at: event for event in events}
        for event in events:
            named = by_name.get(event.of[0]) if event.of else None
            if event.do == "decide" and event.action in ACTIONS:
                self.done.append(event)
                self.undone.clear()
            elif event.do == "undo" and named in self.done:
                self.done.remove(named)
                self.undone.append(named)
                self.revoked.add(named.at)
            elif event.do == "redo" and named in self.undone:
                self.undone.remove(named)
                self.done.append(named)
                self.revoked.discard(named.at)

    def _written(self, events: Sequence[Event]) -> dict[str, _Writing]:
        """By the text that was there before: each writing of an article."""
        out = {}
        for event in events:
            if event.do == "written" and event.places:
                note = event.places[0]
                before = (a for d in self.done if d.at < event.at for a in d.places if a.sha == note.sha)
                last = {(a.start, a.end): a for a in before}
                edits = [Edit(a.start, a.end, a.observed, a.text) for _, a in sorted(last.items()) if a.text]
                out[note.sha] = _Writing(event.at, note.text, OffsetMap(edits))
        return out

    def _resolve(self) -> None:
        """Find the places of all events; what is in the text by now is done with, and no loss."""
        holding = {event.at for event in self.done}
        for event in [*self.done, *self.undone]:
            for anchor in event.places:
                sha, start, end = self._followed(event.at, anchor)
                e = self._article(sha, anchor.article)
                if not sha or e is None:
                    continue
                span: tuple[int, int] | None = (start, end)
                if self.shas[e] != sha or self._texts[e][start:end] != anchor.observed:
                    span = find(anchor, self._texts[e])
                if span:
                    self.spans.setdefault(event.at, []).append(((e, *span), anchor.text))
                elif event.at in holding and event.action != "skip":
                    self.lost.append(Lost(anchor, event.action))

    def _followed(self, at: str, anchor: Anchor) -> tuple[str, int, int]:
        """The text that an anchor is about after all writings, and its offsets there; no text where it was put in."""
        sha, start, end = anchor.sha, anchor.start, anchor.end
        while sha not in self._by_sha and (writing := self._writings.get(sha)) and at < writing.at:
            if anchor.text:
                return "", 0, 0
            at, sha = writing.at, writing.sha
            start, end = writing.offsets.to_new(start), writing.offsets.to_new(end)
        return sha, start, end

    def _article(self, sha: str, name: str) -> int | None:
        """The article with this name, or with this very text where only one has it: it may have been renamed."""
        named = self._by_name.get(name)
        if named is not None and self.shas[named] == sha:
            return named
        same = self._by_sha.get(sha, ())
        return same[0] if len(same) == 1 else named
