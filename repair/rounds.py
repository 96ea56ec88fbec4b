"""Reading an article again after its sure rewrites, until nothing more would be rewritten.

A restored word makes its neighbours easier to judge. Reading on until the text settles also makes ``fix`` a function
whose result it leaves alone: what stands at the end is by construction a text that has no rewrite left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from repair.report import Article, Edit, Finding, OffsetMap, Report, Suggestion, apply, composed, edit_of

if TYPE_CHECKING:
    from repair.pipeline import Pipeline

MOST_ROUNDS = 6  # texts settle after two or three; one that circles is left as the last round had it
MOST_WORDS = 10  # in a finding, by the contract


@dataclass(slots=True)
class Settling:
    """An article on its way: the report of the first reading, and what has been rewritten since."""

    article: Article
    report: Report
    edits: list[Edit]
    later: list[Finding]  # findings of further readings, in offsets of the text that came in

    def settled(self) -> tuple[Report, tuple[Edit, ...]]:
        """One report: rewrites of all rounds, and what the first reading flagged beside them."""
        known = {(f.start, f.end): f for f in self.report.findings}
        later = {(f.start, f.end): f for f in self.later}
        findings = []
        for edit in self.edits:
            base = (
                later.get((edit.start, edit.end))
                or known.get((edit.start, edit.end))
                or _widest(edit, [*self.later, *self.report.findings])
            )
            findings.append(_as_replacement(base, edit))
        taken = [(e.start, e.end) for e in self.edits]
        for span, finding in known.items():
            if not any(a < span[1] and span[0] < z for a, z in taken):
                flag = later.get(span, finding)
                findings.append(replace(flag, action="flag", confidence=max(flag.confidence, finding.confidence)))
        findings.sort(key=lambda f: f.start)
        # Further readings have verdicts of their own, on texts that nobody sees.
        verdict = {"verdict": str(self.report.verdict)}
        told = tuple(replace(f, evidence={**f.evidence, **verdict}) for f in findings)
        return replace(self.report, findings=told), tuple(self.edits)


def settle(pipeline: Pipeline, articles: Sequence[Article]) -> list[tuple[Report, tuple[Edit, ...]]]:
    """Report and edits of each article, in order."""
    states = [Settling(a, r, _edits(r), []) for a, r in zip(articles, pipeline.reports(articles), strict=True)]
    waiting = [s for s in states if s.edits]
    for _ in range(MOST_ROUNDS):
        if not waiting:
            break
        again = [_edited(s.article, s.edits) for s in waiting]
        for state, report in zip(waiting, pipeline.reports(again), strict=True):
            offsets = OffsetMap(state.edits)
            state.later = [*_moved(report.findings, offsets, state), *state.later]
            then = _edits(report)
            state.edits = composed(state.article.text, state.edits, then) if then else state.edits
            state.edits = [e for e in state.edits if len(e.before.split()) <= MOST_WORDS]
            if not then:
                waiting = [s for s in waiting if s is not state]
    return [s.settled() for s in states]


def _edits(report: Report) -> list[Edit]:
    return [edit_of(f) for f in report.findings if f.action == "replace"]


def _edited(article: Article, edits: Sequence[Edit]) -> Article:
    """The article after edits, its protected zones moved along."""
    offsets = OffsetMap(edits)
    zones = tuple((offsets.to_new(a), offsets.to_new(z)) for a, z in article.protected)
    return Article(apply(article.text, edits), article.id, zones)


def _moved(findings: Sequence[Finding], offsets: OffsetMap, state: Settling) -> list[Finding]:
    """Findings of the edited text in offsets of what came in; those on rewritten words are left to the edits."""
    out = []
    for f in findings:
        start, end = offsets.to_old(f.start), offsets.to_old(f.end)
        if state.article.text[start:end] == f.observed:
            out.append(replace(f, start=start, end=end))
    return out


def _widest(edit: Edit, findings: Sequence[Finding]) -> Finding | None:
    inside = [f for f in findings if edit.start <= f.start and f.end <= edit.end]
    return max(inside, key=lambda f: f.end - f.start, default=None)


def _as_replacement(base: Finding | None, edit: Edit) -> Finding:
    """The finding that an edit stands for, its first suggestion being what the edit writes."""
    if base is None:
        return Finding(edit.start, edit.end, edit.before, 0.9, "replace", (Suggestion(edit.after, 0.9, "context"),))
    first = next((s for s in base.suggestions if s.text == edit.after), None)
    if first is None:
        top = base.suggestions[0] if base.suggestions else Suggestion("", 0.9, "context")
        first = Suggestion(edit.after, top.probability, top.source)
    others = [s for s in base.suggestions if s.text != edit.after]
    return replace(
        base, start=edit.start, end=edit.end, observed=edit.before, action="replace", suggestions=(first, *others)[:5]
    )
