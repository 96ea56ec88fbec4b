"""A callable class for Ray Data's map_batches: Arrow tables in and out, models loaded once in an actor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from repair.adapters.step import Step, missing
from repair.display import json_line
from repair.errors import UsageError

try:
    import pyarrow
except ImportError as error:
    missing("ray", "pyarrow", error)

from repair.parquet import changed, is_text


class RepairBatch:
    """Repairs a column of each batch; order, schema and other columns stay, what is added comes as text columns.

    text: the column with the texts; a null stays one. id: a column with names for the reports. settings: those of
    repair.adapters.step.Step. Give map_batches ``batch_format="pyarrow"`` and a ``compute`` of actors. A report is the
    JSON of the contract, as in the Parquet files that ``repair fix`` writes; that of a text that can't be judged holds
    the error. Raises UsageError where a column is missing, or is there already, or is no text.
    """

    def __init__(self, text: str = "text", id: str | None = None, **settings: Any) -> None:
        self.text, self.id = text, id
        self.step = Step(**settings)

    def __call__(self, batch: pyarrow.Table) -> pyarrow.Table:
        if not isinstance(batch, pyarrow.Table):
            raise UsageError(f"not an Arrow table but {type(batch).__name__}; give map_batches batch_format='pyarrow'")
        self._check(batch)
        texts = batch.column(self.text).to_pylist()
        ids = [""] * len(texts) if self.id is None else [str(id) for id in batch.column(self.id).to_pylist()]
        results = self.step.results(texts, ids, self.text)
        changes = {
            row: None if result.dropped else {name: _cell(value) for name, value in result.changes.items()}
            for row, result in enumerate(results)
        }
        return changed(pyarrow, batch, changes, self.step.new(self.text))

    def _check(self, batch: pyarrow.Table) -> None:
        names: Sequence[str] = batch.column_names
        for name in filter(None, (self.text, self.id)):
            if name not in names:
                raise UsageError(f"no column {name!a} (there are: {', '.join(map(ascii, names[:8]))}); name another")
        if not is_text(pyarrow, batch.schema.field(self.text).type):
            raise UsageError(f"the column {self.text!a} is not text; name another with text=")
        for name in self.step.new(self.text):
            if name in names:
                raise UsageError(f"there is a column {name!a} already; choose another with key= or output=")


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else json_line(value)
