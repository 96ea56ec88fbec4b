"""What goes into a record beside or in place of its text: the repaired wording, and the report as evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from repair.report import SCHEMA, Repair

Detail = Literal["full", "counts", "none"]


@dataclass(frozen=True, slots=True)
class Record:
    """output: the field that gets the repaired text, None for the one it came from. report: how much of the report

    goes into the field ``key``; offsets are those of the text that came in. run: the hash that says what it depends on
    (repair.provenance).
    """

    output: str | None = None
    report: Detail = "none"
    key: str = "repair"
    run: str = ""

    def new(self, text: str) -> tuple[str, ...]:
        """The fields that are added to records whose text is in the field ``text``."""
        output = (self.output,) if self.output not in (None, text) else ()
        return (*output, *((self.key,) if self.report != "none" else ()))

    def changes(self, id: str, before: str, repair: Repair, text: str) -> dict[str, Any]:
        """The fields of a record that change or are new."""
        out: dict[str, Any] = {}
        if self.output or repair.text != before:
            out[self.output or text] = repair.text
        if self.report == "full":
            out[self.key] = repair.report.to_dict(id) | {"run": self.run}
        elif self.report == "counts":
            out[self.key] = self._counts(repair)
        return out

    def _counts(self, repair: Repair) -> dict[str, Any]:
        report = repair.report
        return {
            "schema": SCHEMA,
            **{name: value for name, value in report.verdict.to_dict().items() if name != "label"},
            "verdict": report.verdict.label,
            "words": report.words,
            "findings": len(report.findings),
            "replacements": sum(finding.action == "replace" for finding in report.findings),
            "run": self.run,
        }
