"""A spaCy component that sets doc.spans: a span for each finding, the report beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from repair.adapters.step import Result, Step, missing

try:
    from spacy.language import Language
    from spacy.tokens import SpanGroup
except ImportError as error:
    missing("spacy", "spacy", error)


class RepairComponent:
    """Puts findings into ``doc.spans[key]``; the text stays, as spaCy's texts do.

    Labels are the findings' actions, "replace" or "flag". The group's ``attrs`` are the report of the contract: its
    "findings" are those of the spans one by one, with suggestions, evidence and exact offsets (a span is made of whole
    tokens). Both go along with ``doc.to_bytes()``. options: those of repair.Repairer.
    """

    def __init__(self, key: str, options: dict[str, Any]) -> None:
        self.key = key
        self.step = Step(report="full", rewrite=False, **options)

    def __call__(self, doc: Any) -> Any:
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Any], *, batch_size: int = 16) -> Iterator[Any]:
        docs = iter(stream)
        while batch := list(islice(docs, min(batch_size, 64))):
            results = self.step.results([doc.text for doc in batch], [""] * len(batch))
            for doc, result in zip(batch, results, strict=True):
                doc.spans[self.key] = self._group(doc, result)
                yield doc

    def _group(self, doc: Any, result: Result) -> Any:
        spans = []
        for finding in result.repair.report.findings if result.repair else ():
            spans.append(doc.char_span(finding.start, finding.end, label=finding.action, alignment_mode="expand"))
        return SpanGroup(doc, name=self.key, attrs=dict(result.changes[self.step.record.key]), spans=spans)


@Language.factory("repair", default_config={"key": "repair", "options": {}}, assigns=["doc.spans"])
def make(nlp: Any, name: str, key: str, options: dict[str, Any]) -> RepairComponent:
    """What ``nlp.add_pipe("repair", config={"options": {...}})`` calls."""
    return RepairComponent(key, options)
