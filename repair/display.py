"""What people and programs see: reports as text, JSON lines or annotations, explanations, progress and the summary.

Articles are scraped, so nothing of them reaches a terminal before its control characters are made visible.
"""

from __future__ import annotations

import json
import os
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Literal

from repair.errors import InputError
from repair.report import SCHEMA, Edit, Finding, Report

if TYPE_CHECKING:
    from repair.repairer import Candidate

Colour = Literal["auto", "always", "never"]

# Controls, what turns the direction of the line, what breaks lines or has no width, and what UTF-8 can't write.
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
JSON_UNSAFE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
SNIPPET = 30


def plain(text: str, keep: str = "") -> str:
    """``text`` with everything that could steer a terminal written as an escape."""
    return UNSAFE.sub(lambda m: m[0] if m[0] in keep else m[0].encode("unicode_escape").decode(), text)


def as_read(text: str) -> str:
    """``text`` for a page: lines and tabs stay, all else that steers or hides is made visible."""
    return plain(text.replace("\r\n", "\n"), "\n\t")


def counted(number: int, noun: str) -> str:
    """A number with what it counts: "1 change", "1,200 changes"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def json_line(row: dict[str, Any]) -> str:
    """``row`` as one line of JSON that is safe to print and to send as UTF-8."""
    return JSON_UNSAFE.sub(lambda m: f"\\u{ord(m[0]):04x}", json.dumps(row, ensure_ascii=False, default=str))


def error_row(id: str, error: InputError) -> dict[str, Any]:
    """The line of the JSONL contract for an article that could not be read."""
    return {"schema": SCHEMA, "id": id, "error": {"code": error.code, "message": str(error)}}


def wants_colour(choice: Colour, stream: IO[str]) -> bool:
    """Whether to colour what goes to ``stream``: asked for, or a terminal that nobody told not to."""
    if choice != "auto":
        return choice == "always"
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


@dataclass(frozen=True, slots=True)
class Paint:
    """Colours, or none."""

    on: bool

    def __call__(self, text: str, colour: str | None = None, *, bold: bool = False, dim: bool = False) -> str:
        from typer import style

        return style(text, fg=colour, bold=bold or None, dim=dim or None) if self.on else text


class Places:
    """Line and column, both from one and in code points, of the offsets of a text; and the way back."""

    def __init__(self, text: str) -> None:
        self.length = len(text)
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def of(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int | None:
        """The offset of a place; None where the text has no such place."""
        if not 1 <= line <= len(self.starts) or column < 1:
            return None
        end = self.starts[line] if line < len(self.starts) else self.length + 1
        offset = self.starts[line - 1] + column - 1
        return offset if offset < end and offset <= self.length else None


def report_text(name: str, text: str, report: Report, paint: Paint, *, verbose: bool = False) -> Iterator[str]:
    """A report for people: the verdict, then a line for each finding, with its surroundings and evidence if wanted."""
    verdict = report.verdict
    colour = {"clean": "green", "suspicious": "yellow"}.get(verdict.label, "red")
    sure = f"{verdict.probability:.2f}, {verdict.density:.0%} of {report.words:,} words"
    yield f"{paint(plain(name), bold=True)}: {paint(verdict.label, colour)} ({sure})"
    places = Places(text)
    rows = [(_place(places.of(f.start)), plain(f.observed), _offer(f)) for f in report.findings]
    wide = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    for finding, (place, observed, offer) in zip(report.findings, rows, strict=True):
        shown = paint(offer.ljust(min(wide[2], 40)), "green" if finding.action == "replace" else "yellow")
        source = finding.suggestions[0].source if finding.suggestions else ""
        yield (
            f"  {paint(place.rjust(wide[0]), dim=True)}  {paint(observed.ljust(min(wide[1], 40)), 'red')} → {shown}"
            f"  {finding.confidence:.2f} {finding.action:7}  {paint(plain(source), dim=True)}".rstrip()
        )
        if verbose:
            yield from _details(text, finding, paint)


def changes_text(text: str, edits: Sequence[Edit], paint: Paint) -> Iterator[str]:
    """A line for each edit made."""
    places = Places(text)
    for edit in edits:
        place = _place(places.of(edit.start))
        yield f"  {paint(place, dim=True)}  {paint(plain(edit.before), 'red')} → {paint(plain(edit.after), 'green')}"


def github(file: str, text: str, report: Report) -> Iterator[str]:
    """The findings as GitHub's workflow commands, which show beside the lines of a pull request."""
    places = Places(text)
    for finding in report.findings:
        (line, column), (last, end) = places.of(finding.start), places.of(finding.end)
        message = f"{plain(finding.observed)} → {_offer(finding)} ({finding.confidence:.2f})"
        where = f"file={_property(plain(file))},line={line},endLine={last},col={column},endColumn={end}"
        yield f"::warning {where},title=repair::{_escape(message)}"


def explain_text(text: str, candidates: Sequence[Candidate], paint: Paint) -> Iterator[str]:
    """Every candidate of a place, best first: its score, its source, why it won or lost, and its evidence."""
    places = Places(text)
    spans = list(dict.fromkeys((c.start, c.end) for c in candidates))
    for start, end in spans:
        here = [c for c in candidates if (c.start, c.end) == (start, end)]
        yield f"{_place(places.of(start))}  {paint(_surroundings(text, start, end), bold=True)}"
        wide = min(40, max(len(plain(c.text)) for c in here))
        for c in here:
            mark = paint("✓", "green") if c.won else paint("·", dim=True)
            wording = paint(plain(c.text).ljust(wide), "green" if c.won else None)
            yield f"  {mark} {wording}  {c.score:7.3f}  {plain(c.source)}: {plain(c.why)}"
            for line in evidence(c.evidence):
                yield paint(f"      {line}", dim=True)


def diff_text(lines: Iterable[str], paint: Paint) -> Iterator[str]:
    """A diff's lines in colour, safe for a terminal."""
    colours = {"-": "red", "+": "green", "@": "cyan"}
    for line in lines:
        bold = line.startswith(("--- ", "+++ "))
        yield paint(plain(line.rstrip("\n"), "\t\n"), None if bold else colours.get(line[0]), bold=bold)


def _place(place: tuple[int, int]) -> str:
    return f"{place[0]}:{place[1]}"


def _offer(finding: Finding) -> str:
    return plain(finding.suggestions[0].text) if finding.suggestions else "?"


def _surroundings(text: str, start: int, end: int) -> str:
    left, right = max(0, start - SNIPPET), min(len(text), end + SNIPPET)
    pieces = text[left:start], text[start:end], text[end:right]
    before, middle, after = (plain(re.sub(r"\s", " ", piece)) for piece in pieces)
    return f"{'…' if left else ''}{before}[{middle}]{after}{'…' if right < len(text) else ''}"


def _details(text: str, finding: Finding, paint: Paint) -> Iterator[str]:
    yield paint(f"      {_surroundings(text, finding.start, finding.end)}", dim=True)
    if finding.suggestions:
        others = ", ".join(f"{plain(s.text)} {s.probability:.2f} ({plain(s.source)})" for s in finding.suggestions[:5])
        yield paint(f"      {others}", dim=True)
    for line in evidence(finding.evidence):
        yield paint(f"      {line}", dim=True)


def evidence(found: Mapping[str, Any]) -> Iterator[str]:
    """The evidence of a finding in lines that are safe to show."""
    for key, value in found.items():
        yield f"{plain(str(key))}: {plain(_worded(value))}"


def _worded(value: Any) -> str:
    """Evidence for people: no brackets and quotes of a data format."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_worded(held)}" for key, held in value.items())
    return ", ".join(map(_worded, value)) if isinstance(value, list | tuple) else str(value)


def _escape(message: str) -> str:
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _escape(value).replace(":", "%3A").replace(",", "%2C")
