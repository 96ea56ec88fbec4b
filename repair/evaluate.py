"""Scores findings against annotated articles: what was detected, restored, and wrongly touched.

An annotated article lists its units, a line of JSON each:
``{"id", "text", "units": [{"start", "end", "observed", "originals": [...], "optional": false}]}``.
A unit is the shortest stretch that a machine replaced; an optional one is a matter of taste, and costs nothing either
way.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repair.errors import InputError
from repair.report import Finding, Report

CHOICES = 3000  # combinations of suggestions that are tried for one unit
QUOTES = str.maketrans("’‘“”", "''\"\"")


@dataclass(frozen=True, slots=True)
class Unit:
    """One replaced stretch of an annotated article, with every acceptable restoration."""

    start: int
    end: int
    originals: tuple[str, ...]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Gold:
    """One annotated article."""

    id: str
    text: str
    units: tuple[Unit, ...]


def read_gold(path: Path) -> list[Gold]:
    """The annotated articles of a jsonl file. Raises InputError with the line that is wrong."""
    articles: dict[str, Gold] = {}
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise InputError(f"{path}: it can't be read ({error.strerror}); check the path", "unreadable") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; convert it to UTF-8", "encoding") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            gold = _gold(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(f"{path}:{number}: not an annotated article ({error!r}); see --help", "gold") from None
        if gold.id in articles:
            raise InputError(f"{path}:{number}: the id {gold.id!a} was given before; make ids unique", "duplicate-id")
        articles[gold.id] = gold
    return list(articles.values())


def _gold(row: Any) -> Gold:
    text, units = row["text"], []
    for unit in row["units"]:
        start, end = unit["start"], unit["end"]
        if text[start:end] != unit.get("observed", text[start:end]):
            raise ValueError(f"the unit at {start} does not hold its observed text")
        units.append(Unit(start, end, tuple(unit["originals"]), bool(unit.get("optional"))))
    return Gold(row["id"], text, tuple(units))


def score(articles: Sequence[Gold], reports: Mapping[str, Report]) -> dict[str, Any]:
    """The figures, and under "lists" what was missed, restored wrongly, flagged and rewritten without cause."""
    n: Counter[str] = Counter()
    lists: dict[str, list[str]] = {"missed": [], "wrong": [], "alarm": [], "harm": []}
    for article in articles:
        report = reports.get(article.id)
        findings = report.findings if report else ()
        edits = [finding for finding in findings if finding.action == "replace"]
        for unit in article.units:
            if not unit.optional:
                _count_unit(article, unit, findings, edits, n, lists)
        for finding in findings:
            _count_finding(article, finding, edits, n, lists)
    precision, recall = _ratio(n["hits"], n["findings"]), _ratio(n["detected"], n["units"])
    edit_precision, edit_recall = _ratio(n["good"], n["edits"]), _ratio(n["restored"], n["units"])
    return {
        "articles": len(articles),
        "units": n["units"],
        "findings": n["findings"],
        "replacements": n["edits"],
        "detection_precision": precision,
        "detection_recall": recall,
        "detection_f05": _f_half(precision, recall),
        "top1": _ratio(n["top1"], n["units"]),
        "top5": _ratio(n["top5"], n["units"]),
        "edit_precision": edit_precision,
        "edit_recall": edit_recall,
        "edit_f05": _f_half(edit_precision, edit_recall),
        "lists": lists,
    }


def score_clean(reports: Iterable[Report]) -> dict[str, Any]:
    """How much is found in text that holds no artifact, per 1,000 words; under "clean_list" what was rewritten."""
    words = findings = 0
    edits: list[Finding] = []
    for report in reports:
        words += report.words
        findings += len(report.findings)
        edits += (finding for finding in report.findings if finding.action == "replace")
    per = 1000 / words if words else 0.0
    return {
        "clean_words": words,
        "clean_findings_per_1000": round(findings * per, 3),
        "clean_replacements_per_1000": round(len(edits) * per, 3),
        "clean_list": [f"{f.observed} -> {f.suggestions[0].text if f.suggestions else '?'}" for f in edits],
    }


def _count_unit(
    article: Gold,
    unit: Unit,
    findings: Sequence[Finding],
    edits: Sequence[Finding],
    n: Counter[str],
    lists: dict[str, list[str]],
) -> None:
    here = [finding for finding in findings if _overlap(finding, unit)]
    first = _restores(article, unit, findings, 1)
    n["units"] += 1
    n["detected"] += bool(here)
    n["top1"] += first
    n["top5"] += first or _restores(article, unit, findings, 5)
    n["restored"] += _restores(article, unit, edits, 1)
    if not here:
        lists["missed"].append(f"{_show(article, unit)} -> {unit.originals[0]}")
    elif not first:
        said = [suggestion.text for finding in here for suggestion in finding.suggestions[:3]]
        lists["wrong"].append(f"{_show(article, unit)} -> {unit.originals[0]}; said {said}")


def _count_finding(
    article: Gold, finding: Finding, edits: Sequence[Finding], n: Counter[str], lists: dict[str, list[str]]
) -> None:
    units = [unit for unit in article.units if _overlap(finding, unit)]
    n["findings"] += 1
    n["hits"] += bool(units)
    if not units:
        lists["alarm"].append(_show(article, finding))
    if finding.action == "replace":
        good = bool(units) and all(_restores(article, unit, edits, 1) for unit in units)
        n["edits"] += 1
        n["good"] += good
        if not good:
            lists["harm"].append(f"{_show(article, finding)} -> {finding.suggestions[0].text}")


def _restores(article: Gold, unit: Unit, findings: Iterable[Finding], depth: int) -> bool:
    """Whether some choice among the first ``depth`` suggestions of the findings on this unit restores it."""
    here = sorted((f for f in findings if _overlap(f, unit) and f.suggestions), key=lambda f: f.start)
    if not here:
        return False
    start = min(unit.start, here[0].start)
    end = max(unit.end, *(finding.end for finding in here))
    inside = [other for other in article.units if other.start >= start and other.end <= end]
    pattern = _accepted(article.text, start, end, inside)
    originals = [re.compile(rf"(?<!\w){re.escape(_norm(original))}(?!\w)") for original in unit.originals]
    suggestions = [[suggestion.text for suggestion in finding.suggestions[:depth]] for finding in here]
    for choice in itertools.islice(itertools.product(*suggestions), CHOICES):
        out: list[str] = []
        at = start
        for finding, text in zip(here, choice, strict=True):
            out += article.text[at : max(at, finding.start)], text
            at = max(at, finding.end)
        result = _norm("".join(out) + article.text[at:end])
        if pattern.fullmatch(result) or pattern.fullmatch(result + " "):
            return True
        # A finding over several units counts for those that it got right.
        if len(inside) != 1 and any(original.search(result) for original in originals):
            return True
    return False


def _accepted(text: str, start: int, end: int, units: Iterable[Unit]) -> re.Pattern[str]:
    """Everything the stretch may read once each unit in it is restored; optional ones may stay as they are."""
    out: list[str] = []
    at = start
    for unit in sorted(units, key=lambda unit: unit.start):
        readings = [*unit.originals, *([text[unit.start : unit.end]] if unit.optional else [])]
        out.append(re.escape(_norm_piece(text[at : unit.start])))
        out.append(f"(?:{'|'.join(re.escape(_norm_piece(reading)) for reading in readings)})")
        at = unit.end
    out.append(re.escape(_norm_piece(text[at:end])))
    return re.compile("".join(out))


def _norm(text: str) -> str:
    """Case, kind of quotes, blanks, "an" for "a" and outer commas do not count."""
    text = re.sub(r"\ban\b", "a", text.translate(QUOTES).lower())
    return re.sub(r"\s+", " ", text).strip(" ,;")


def _norm_piece(text: str) -> str:
    """The same for a piece that others will be put beside: blanks at its ends stay."""
    before = " " if text[:1].isspace() else ""
    after = " " if text[-1:].isspace() and text.strip() else ""
    return before + _norm(text) + after or text


def _overlap(a: Finding | Unit, b: Finding | Unit) -> bool:
    return a.start < b.end and b.start < a.end


def _show(article: Gold, at: Finding | Unit) -> str:
    text = article.text
    before, here, after = text[max(0, at.start - 30) : at.start], text[at.start : at.end], text[at.end : at.end + 30]
    return f"{article.id}: …{before}[{here}]{after}…".replace("\n", " ")


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _f_half(precision: float, recall: float) -> float:
    if not precision or not recall:
        return 0.0
    return round(1.25 * precision * recall / (0.25 * precision + recall), 4)
