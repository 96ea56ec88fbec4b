"""Conditions on a report, for --drop-if and --keep-if: one comparison such as ``verdict>=spun`` or ``density>0.1``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from repair.errors import UsageError
from repair.report import Label, Report

VERDICTS: tuple[Label, ...] = get_args(Label)  # from best to worst
SHORT = {"paraphrased": "paraphrased beyond repair"}
FIELDS: dict[str, Callable[[Report], float]] = {
    "verdict": lambda report: VERDICTS.index(report.verdict.label),
    "probability": lambda report: report.verdict.probability,
    "density": lambda report: report.verdict.density,
    "words": lambda report: report.words,
    "findings": lambda report: len(report.findings),
    "replacements": lambda report: sum(f.action == "replace" for f in report.findings),
}
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}
CONDITION = re.compile(r"\s*([a-z]+)\s*(>=|<=|!=|==|>|<|=)\s*(.+?)\s*")


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a report's field with a value."""

    field: str
    operator: str
    value: float

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Raises UsageError where ``text`` is no condition."""
        match = CONDITION.fullmatch(text)
        if not match or match[1] not in FIELDS:
            raise UsageError(
                f'{text!a} is no condition; write one such as "verdict>=spun" or "density>0.1" '
                f"({', '.join(FIELDS)} with >= > <= < == !=)"
            )
        field, sign, value = match.groups()
        return cls(field, sign, _verdict(value) if field == "verdict" else _number(text, value))

    def holds(self, report: Report) -> bool:
        return OPERATORS[self.operator](FIELDS[self.field](report), self.value)


@dataclass(frozen=True, slots=True)
class Filter:
    """Drops an article if one of ``drop`` holds, or one of ``keep`` does not."""

    drop: tuple[Condition, ...] = ()
    keep: tuple[Condition, ...] = ()

    @classmethod
    def parse(cls, drop: Sequence[str], keep: Sequence[str]) -> Filter:
        return cls(tuple(map(Condition.parse, drop)), tuple(map(Condition.parse, keep)))

    def drops(self, report: Report) -> bool:
        return any(c.holds(report) for c in self.drop) or not all(c.holds(report) for c in self.keep)

    def __bool__(self) -> bool:
        return bool(self.drop or self.keep)


def _verdict(value: str) -> float:
    value = value.strip("\"'").lower()
    name = SHORT.get(value, value)
    if name not in VERDICTS:
        raise UsageError(f"{value!a} is no verdict; from best to worst they are: {', '.join(VERDICTS)}")
    return VERDICTS.index(name)


def _number(condition: str, value: str) -> float:
    if not re.fullmatch(r"\d+(\.\d+)?|\.\d+", value):
        raise UsageError(f"{condition!a}: {value!a} is no number; write it as 0.1")
    return float(value)
