"""The library's front door: a Repairer checks and fixes articles.

(Skeleton: the real pipeline is being built.)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from repair.report import Article, Edit, Finding, Repair, Report, Verdict, apply

Caution = Literal["low", "normal", "high"]
SOURCES = ("lexicon", "words", "wordnet", "ppdb", "roget", "ngrams", "acronyms", "units", "article", "spelling", "encoder")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One reading that was considered at a place, for ``explain``."""

    start: int
    end: int
    observed: str
    text: str
    source: str
    score: float
    won: bool
    why: str
    evidence: dict[str, Any]


class Repairer:
    """Checks and fixes articles. Loads its data on first use, is immutable after that, safe to share between threads.

    without: names of sources (see SOURCES) to switch off. lexicons: further lexicon files of the user, read after the
    shipped ones. ignore: wordings never to report (case folded), as the configuration file's ``ignore`` gives them.
    caution: low reports and rewrites more, high less.
    """

    def __init__(
        self,
        *,
        without: Collection[str] = (),
        lexicons: Sequence[Path] = (),
        ignore: Collection[str] = (),
        caution: Caution = "normal",
    ) -> None:
        self._ignore = frozenset(w.casefold() for w in ignore)

    def check(self, text: str | Article) -> Report:
        """Findings and verdict of one article; never changes anything."""
        return next(self.check_stream([text]))

    def fix(self, text: str | Article) -> Repair:
        """The article with every finding whose action is "replace" put right."""
        return next(self.fix_stream([text]))

    def check_stream(self, texts: Iterable[str | Article]) -> Iterator[Report]:
        """Reports of many articles, in order, with bounded memory."""
        for text in texts:
            body = text.text if isinstance(text, Article) else text
            yield Report(len(body.split()), Verdict("clean", 0.0, 0.0), ())

    def fix_stream(self, texts: Iterable[str | Article]) -> Iterator[Repair]:
        """Repairs of many articles, in order, with bounded memory."""
        for text in texts:
            body = text.text if isinstance(text, Article) else text
            report = self.check(text)
            edits = tuple(edit_of(f) for f in report.findings if f.action == "replace")
            yield Repair(apply(body, edits), edits, report)

    def explain(self, text: str | Article, at: int) -> list[Candidate]:
        """Every candidate that was considered at code point ``at``, best first, with its scores and why it won or lost."""
        return []


def edit_of(finding: Finding) -> Edit:
    """The edit that puts the finding's first suggestion in place."""
    return Edit(finding.start, finding.end, finding.observed, finding.suggestions[0].text)
