"""What goes in and what comes out: articles, findings, verdicts, reports, repairs.

Plain frozen dataclasses, the only vocabulary that the modules share. Offsets are code points into the text that
came in, end exclusive. One representation of an edit serves report, rewrite and undo, so that all three are exact.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

SCHEMA = "repair/1"

Label = Literal["clean", "suspicious", "spun", "paraphrased beyond repair"]
Action = Literal["replace", "flag"]


@dataclass(frozen=True, slots=True)
class Article:
    """One document, plain text already extracted.

    ``protected`` holds (start, end) stretches that no edit may touch, beside those that the segmenter finds itself.
    """

    text: str
    id: str = ""
    protected: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One candidate for the original wording, inflected and cased so that it can be put in place."""

    text: str
    probability: float
    source: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One artifact: a stretch whose wording a machine replaced, with what it probably read before."""

    start: int
    end: int
    observed: str
    confidence: float
    action: Action
    suggestions: tuple[Suggestion, ...]
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The finding as the JSONL contract writes it."""
        return {
            "start": self.start,
            "end": self.end,
            "observed": self.observed,
            "confidence": round(self.confidence, 4),
            "action": self.action,
            "suggestions": [
                {"text": s.text, "probability": round(s.probability, 4), "source": s.source} for s in self.suggestions
            ],
            "evidence": dict(self.evidence),
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of the whole article. ``density`` is the share of words inside findings, 0 to 1."""

    label: Label
    probability: float
    density: float

    def __str__(self) -> str:
        return f"article {self.label}, probability {self.probability:.2f}"

    def to_dict(self) -> dict[str, Any]:
        return {"label": self.label, "probability": round(self.probability, 4), "density": round(self.density, 4)}


@dataclass(frozen=True, slots=True)
class Report:
    """Findings (sorted, never overlapping) and verdict of one article."""

    words: int
    verdict: Verdict
    findings: tuple[Finding, ...] = ()

    def to_dict(self, id: str = "") -> dict[str, Any]:
        """The report as one line of the JSONL contract."""
        return {
            "schema": SCHEMA,
            "id": id,
            "words": self.words,
            "verdict": self.verdict.to_dict(),
            "findings": [f.to_dict() for f in self.findings],
        }


@dataclass(frozen=True, slots=True)
class Edit:
    """``before`` at [start, end) of the old text becomes ``after``."""

    start: int
    end: int
    before: str
    after: str


def edit_of(finding: Finding) -> Edit:
    """The edit that puts a finding's first suggestion in place."""
    return Edit(finding.start, finding.end, finding.observed, finding.suggestions[0].text)


class OffsetMap:
    """Maps offsets of the text before the edits to the text after them, and back.

    An offset inside an edited stretch maps to the start of what stands there on the other side; an offset at the end
    of a stretch maps to the end of the other one.
    """

    def __init__(self, edits: Sequence[Edit]) -> None:
        self._old: list[tuple[int, int]] = []
        self._new: list[tuple[int, int]] = []
        shift = 0
        for edit in edits:
            self._old.append((edit.start, edit.end))
            self._new.append((edit.start + shift, edit.start + shift + len(edit.after)))
            shift += len(edit.after) - (edit.end - edit.start)

    def to_new(self, offset: int) -> int:
        """The place in the new text of ``offset`` in the old one."""
        return self._map(offset, self._old, self._new)

    def to_old(self, offset: int) -> int:
        """The place in the old text of ``offset`` in the new one."""
        return self._map(offset, self._new, self._old)

    @staticmethod
    def _map(offset: int, here: list[tuple[int, int]], there: list[tuple[int, int]]) -> int:
        i = bisect_right(here, (offset, 1 << 62)) - 1
        if i < 0:
            return offset
        start, end = here[i]
        if start <= offset < end:
            return there[i][0]
        return offset - end + there[i][1]


@dataclass(frozen=True, slots=True)
class Repair:
    """A repaired text with all that is needed to explain it, to follow offsets through it and to take it back."""

    text: str
    edits: tuple[Edit, ...]
    report: Report

    @property
    def offsets(self) -> OffsetMap:
        return OffsetMap(self.edits)

    def undo(self) -> str:
        """The text that came in, byte for byte."""
        offsets = self.offsets
        out: list[str] = []
        at = 0
        for edit in self.edits:
            start = offsets.to_new(edit.start)
            out += self.text[at:start], edit.before
            at = start + len(edit.after)
        return "".join(out) + self.text[at:]


def apply(text: str, edits: Sequence[Edit]) -> str:
    """``text`` with ``edits`` (sorted, not overlapping) put in place.

    Raises ValueError where an edit does not fit: overlapping its neighbour, or the text there is not ``before``.
    """
    out: list[str] = []
    at = 0
    for edit in edits:
        if edit.start < at or text[edit.start : edit.end] != edit.before:
            raise ValueError(f"edit at {edit.start} does not fit the text: expected {edit.before!r}")
        out += text[at : edit.start], edit.after
        at = edit.end
    return "".join(out) + text[at:]


def composed(text: str, first: Sequence[Edit], then: Sequence[Edit]) -> list[Edit]:
    """One list of edits on ``text`` that does what ``first`` and, on its result, ``then`` do.

    Edits of ``then`` that touch what ``first`` wrote are merged with it; those that thereby change nothing are dropped.
    """
    offsets = OffsetMap(first)
    middle = apply(text, first)
    spans = [(e.start, e.end, offsets.to_new(e.start), offsets.to_new(e.start) + len(e.after)) for e in first]
    for e in then:
        spans.append((offsets.to_old(e.start), _old_end(offsets, e.end, first), e.start, e.end))
    spans.sort(key=lambda s: (s[0], s[1]))
    groups: list[list[int]] = []
    for start, end, new_start, new_end in spans:
        if groups and start < groups[-1][1]:
            last = groups[-1]
            groups[-1] = [last[0], max(last[1], end), min(last[2], new_start), max(last[3], new_end)]
        else:
            groups.append([start, end, new_start, new_end])
    out = []
    for start, end, new_start, new_end in groups:
        after = apply(
            middle[new_start:new_end],
            [
                Edit(e.start - new_start, e.end - new_start, e.before, e.after)
                for e in then
                if new_start <= e.start and e.end <= new_end
            ],
        )
        if after != text[start:end]:
            out.append(Edit(start, end, text[start:end], after))
    return out


def _old_end(offsets: OffsetMap, end: int, edits: Sequence[Edit]) -> int:
    """The old place of an end: where it falls inside an edit, that edit's end."""
    for e in edits:
        start = offsets.to_new(e.start)
        if start < end <= start + len(e.after):
            return e.end
    return offsets.to_old(end)
