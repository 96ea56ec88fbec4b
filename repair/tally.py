"""What a run came to: for the summary, for --stats, and for the exit code."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from repair.display import counted
from repair.report import Report

STAGES = ("read", "load", "screen", "encoder", "evidence", "decide", "write")


@dataclass(slots=True)
class Tally:
    """Counts of a run. ``seconds``: wall clock by stage, summed over workers. ``unreadable``: inputs or records."""

    articles: int = 0
    words: int = 0
    findings: int = 0
    replacements: int = 0
    unreadable: int = 0
    dropped: int = 0
    skipped: int = 0
    sentences: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    begun: float = field(default_factory=time.perf_counter)

    def add(self, report: Report) -> None:
        self.articles += 1
        self.words += report.words
        self.findings += len(report.findings)
        self.replacements += sum(f.action == "replace" for f in report.findings)
        self.verdicts[report.verdict.label] += 1
        for finding in report.findings:
            source = finding.suggestions[0].source if finding.suggestions else "none"
            self.sources.update(source.split("+"))

    def spend(self, spent: Mapping[str, float]) -> None:
        """Add what a Repairer's ``spent`` gave."""
        for name, amount in spent.items():
            if name == "sentences":
                self.sentences += int(amount)
            else:
                self.seconds[name] = self.seconds.get(name, 0.0) + amount

    def summary(self, done: str) -> str:
        """One line. ``done`` says what is true of the replacements: "would be replaced"."""
        more = f", {self.dropped:,} dropped" if self.dropped else ""
        more += f", {self.skipped:,} done before" if self.skipped else ""
        more += f", {self.unreadable:,} not readable" if self.unreadable else ""
        return (
            f"{counted(self.articles, 'article')}, {counted(self.words, 'word')}: "
            f"{counted(self.findings, 'finding')}, {self.replacements:,} {done}{more}"
        )

    def details(self) -> Iterator[str]:
        """Further lines for a long run."""
        if self.verdicts:
            yield "verdicts: " + _listed(self.verdicts)
        if self.sources:
            yield "findings by source: " + _listed(self.sources)
        if self.errors:
            yield "errors: " + _listed(self.errors)
        times = [f"{name} {self.seconds[name]:.1f}" for name in STAGES if self.seconds.get(name, 0) >= 0.05]
        took = time.perf_counter() - self.begun
        yield f"{took:.1f} s; by stage: {', '.join(times) or 'nothing to speak of'}; {self.sentences:,} sentences read"

    def to_dict(self) -> dict[str, Any]:
        """The counts as --stats writes them."""
        return {
            "articles": self.articles,
            "words": self.words,
            "verdicts": dict(self.verdicts),
            "findings": self.findings,
            "findings_by_source": dict(sorted(self.sources.items())),
            "replacements": self.replacements,
            "dropped": self.dropped,
            "files_done_before": self.skipped,
            "unreadable": self.unreadable,
            "errors": dict(sorted(self.errors.items())),
            "sentences_encoded": self.sentences,
            "seconds": {name: round(self.seconds.get(name, 0.0), 3) for name in STAGES}
            | {"total": round(time.perf_counter() - self.begun, 3)},
        }


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items(), key=lambda c: (-c[1], c[0])))
