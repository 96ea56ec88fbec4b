"""pandas and Polars: functions on a column of texts. Neither is imported: whoever has a column has the package."""

from __future__ import annotations

import sys
from typing import Any, TypeVar, cast

from repair.adapters.step import Result, Step
from repair.display import json_line
from repair.errors import UsageError

Column = TypeVar("Column")
NUMBERS = ("probability", "density", "words", "findings", "replacements")


def fix(column: Column, **settings: Any) -> Column:
    """The column with its texts repaired: same kind, name and index. Missing values stay, as does what is no text.

    settings: those of repair.Repairer. Raises UsageError where ``column`` is neither a pandas nor a Polars Series.
    """
    results = _results(_texts(column), Step(report="none", **settings))
    values: list[Any] = column.to_list()  # type: ignore[attr-defined]
    fixed = [r.repair.text if r.repair else value for value, r in zip(values, results, strict=True)]
    return cast(Column, _series(column, fixed))


def report(column: Any, **settings: Any) -> Any:
    """A frame to put beside the column, of the same kind and index.

    Its columns: repaired, verdict, probability, density, words, findings, replacements, evidence. The last is the
    report as JSON, with offsets into the text that came in; where a text could not be judged it holds the error, and
    the others are null, as they are where there is no text. settings: those of repair.Repairer. Raises as ``fix``.
    """
    results = _results(_texts(column), Step(report="full", key="evidence", output="repaired", **settings))
    rows = [_row(result) for result in results]
    names = ("repaired", "verdict", *NUMBERS, "evidence")
    values = {name: [row.get(name) for row in rows] for name in names}
    if _package(column) == "polars":
        import polars

        kinds = {name: polars.Float64 if name in NUMBERS[:2] else polars.Int64 for name in NUMBERS}
        return polars.DataFrame(values, schema={name: kinds.get(name, polars.String) for name in names})
    import pandas

    frame = pandas.DataFrame(values, index=column.index)
    return frame.astype({name: "Float64" if name in NUMBERS[:2] else "Int64" for name in NUMBERS})


def _results(texts: list[Any], step: Step) -> list[Result]:
    return step.results(texts, [""] * len(texts))


def _row(result: Result) -> dict[str, Any]:
    """What stands in a row of the report; nothing where there was no text."""
    row = {name: json_line(value) if isinstance(value, dict) else value for name, value in result.changes.items()}
    if result.repair:
        said = result.repair.report
        row |= said.verdict.to_dict() | {"verdict": said.verdict.label, "words": said.words}
        row |= {name: value for name, value in result.counts() if name in NUMBERS}
    return row


def _texts(column: Any) -> list[Any]:
    """The values of a column, None where one is missing."""
    if _package(column) == "polars":
        return list(column.to_list())
    return [None if gone else value for value, gone in zip(column.to_list(), column.isna().to_list(), strict=True)]


def _series(column: Any, values: list[Any]) -> Any:
    """A column like ``column`` with other values; one of categories becomes one of strings, as values are new."""
    if _package(column) == "polars":
        import polars

        kind = polars.String if column.dtype in (polars.Categorical, polars.Enum) else column.dtype
        return polars.Series(column.name, values, dtype=kind)
    import pandas

    kind = column.dtype
    if isinstance(kind, pandas.CategoricalDtype):
        kind = kind.categories.dtype
    return pandas.Series(values, index=column.index, name=column.name, dtype=kind)


def _package(column: object) -> str:
    """ "pandas" or "polars"."""
    for name in ("pandas", "polars"):
        if (module := sys.modules.get(name)) and isinstance(column, module.Series):
            return name
    raise UsageError(f"not a pandas or Polars Series but {type(column).__name__}; pass one column, such as df['text']")
