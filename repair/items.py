"""One article of an input with what writes it back, or what stands in its place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from repair.decode import Decoded
from repair.errors import InputError
from repair.lines import Line
from repair.markup import Page
from repair.report import Article, Repair, apply
from repair.sources import Source, Stamp

if TYPE_CHECKING:
    from repair.parquet import Cell


@dataclass(frozen=True, slots=True)
class Item:
    """One article of a source, or what stands in its place: an error, or bytes that hold no article (a blank line).

    ``line``: the number of the line or record, from one; None for the whole of a file. ``dropped``: a filter took it.
    """

    source: Source
    id: str
    raw: bytes = b""
    line: int | None = None
    article: Article | None = None
    error: InputError | None = None
    form: Decoded | Line | Page | Cell | None = None
    stamp: Stamp | None = None
    dropped: bool = False

    def encode(self, text: str) -> bytes:
        """The bytes of this item with its article reading ``text``."""
        if self.article is None or text == self.article.text:
            return self.raw
        if isinstance(self.form, Line):
            return self.form.encode(self.raw, {self.form.field: text})
        assert isinstance(self.form, Decoded)
        return self.form.encode(text)

    def fitting(self, repair: Repair) -> Repair:
        """``repair`` without the edits that can't be made in this form (over a page's markup): they are flagged."""
        if not isinstance(self.form, Page):
            return repair
        edits = tuple(edit for edit in repair.edits if self.form.place(edit))
        if len(edits) == len(repair.edits):
            return repair
        spans = {(edit.start, edit.end) for edit in edits}
        findings = tuple(
            f if f.action == "flag" or (f.start, f.end) in spans else replace(f, action="flag")
            for f in repair.report.findings
        )
        return Repair(apply(self.form.article.text, edits), edits, replace(repair.report, findings=findings))
