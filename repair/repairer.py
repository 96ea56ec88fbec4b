"""The library's front door: a Repairer checks and fixes articles."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

from repair.errors import UsageError
from repair.report import Article, Repair, Report, apply

if TYPE_CHECKING:
    from repair.pipeline import Pipeline

Caution = Literal["low", "normal", "high"]
BATCH_ARTICLES = 16
BATCH_CHARACTERS = 200_000


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

    without: names of sources to switch off (repair.candidates.SOURCES). lexicons: further lexicon files of the user,
    read after the shipped ones. ignore: wordings never to report. caution: low reports and rewrites more, high less.
    report_at, rewrite_at: thresholds of one's own, 0 to 1, in place of those that ``caution`` sets: least confidence to
    report, least chance that a rewrite restores the source. screen: False analyses in full even what is clean at a
    glance. Raises UsageError for an unknown source or caution.
    """

    def __init__(
        self,
        *,
        without: Collection[str] = (),
        lexicons: Sequence[Path] = (),
        ignore: Collection[str] = (),
        caution: Caution = "normal",
        report_at: float | None = None,
        rewrite_at: float | None = None,
        screen: bool = True,
    ) -> None:
        if caution not in ("low", "normal", "high"):
            raise UsageError(f"unknown caution {caution!r}; it is low, normal or high")
        self._options = (frozenset(without), tuple(lexicons), frozenset(ignore), caution, report_at, rewrite_at, screen)
        self._lock = Lock()
        self._loaded: Pipeline | None = None

    @property
    def _pipeline(self) -> Pipeline:
        with self._lock:
            if self._loaded is None:
                from repair.decide import THRESHOLDS
                from repair.pipeline import Pipeline

                without, lexicons, ignore, caution, report_at, rewrite_at, screen = self._options
                thresholds = THRESHOLDS[caution]
                if report_at is not None:
                    thresholds = replace(thresholds, report=report_at)
                if rewrite_at is not None:
                    thresholds = replace(thresholds, rewrite=rewrite_at)
                self._loaded = Pipeline(without, lexicons, ignore, thresholds, screen)
            return self._loaded

    def check(self, text: str | Article) -> Report:
        """Findings and verdict of one article; never changes anything."""
        return next(self.check_stream([text]))

    def fix(self, text: str | Article) -> Repair:
        """The article with every finding whose action is "replace" put right. Fixing it again changes nothing."""
        return next(self.fix_stream([text]))

    def check_stream(self, texts: Iterable[str | Article]) -> Iterator[Report]:
        """Reports of many articles, in order, with bounded memory; articles are batched through the encoder."""
        for repair in self.fix_stream(texts):
            yield repair.report

    def fix_stream(self, texts: Iterable[str | Article]) -> Iterator[Repair]:
        """Repairs of many articles, in order, with bounded memory."""
        from repair.rounds import settle

        for batch in _batches(texts):
            for article, (report, edits) in zip(batch, settle(self._pipeline, batch), strict=True):
                yield Repair(apply(article.text, edits), edits, report)

    def spent(self) -> dict[str, float]:
        """Seconds by stage, and the number of "sentences" that the encoder read, since the last call."""
        return self._loaded.meter.take() if self._loaded else {}

    @property
    def loaded(self) -> bool:
        """Whether everything that an analysis needs is in memory."""
        return self._loaded is not None and self._loaded.loaded

    def explain(self, text: str | Article, at: int) -> list[Candidate]:
        """Every candidate considered at code point ``at``, best first, with its scores and why it won or lost."""
        from repair.explain import candidates_at

        return candidates_at(self._pipeline, _article(text), at)


def _article(text: str | Article) -> Article:
    return text if isinstance(text, Article) else Article(text)


def _batches(texts: Iterable[str | Article]) -> Iterator[list[Article]]:
    """Articles in groups small enough to hold, large enough to fill the encoder."""
    source = iter(texts)
    batch: list[Article] = []
    size = 0
    while part := list(islice(source, 1)):
        batch.append(_article(part[0]))
        size += len(batch[-1].text)
        if len(batch) >= BATCH_ARTICLES or size >= BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
