"""Parquet files: rows to articles, and back with the schema kept; one slice of rows in memory at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, BinaryIO

from repair.errors import InputError, missing_extra
from repair.lines import Fields, check_names

SLICE = 5_000  # rows in memory; row groups that are larger are written as several


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """A slice of a file's rows (an Arrow RecordBatch), and the Parquet metadata that the copy is to keep."""

    batch: Any
    metadata: Any


@dataclass(frozen=True, slots=True)
class Cell:
    """The row of an article in its slice; -1 in a file without rows."""

    rows: Rows
    index: int


def cells(file: BinaryIO, fields: Fields) -> Iterator[tuple[Cell, str | None, str | None]]:
    """Each row with its id and its text (None: a null), slice by slice.

    Raises InputError where the file is damaged, or a column is missing or of another type.
    """
    pa, pq = _arrow()
    number = 0
    try:
        parquet = pq.ParquetFile(file, page_checksum_verification=True)  # of files that have checksums
        schema = parquet.schema_arrow
        check_names(dict.fromkeys(schema.names), fields)
        if not is_text(pa, schema.field(fields.text).type):
            raise InputError(f"the column {fields.text!a} is not text; name the text with --text-field", "wrong-type")
        id = fields.id or ("id" if "id" in schema.names else None)
        if not parquet.metadata.num_rows:
            empty = pa.RecordBatch.from_pylist([], schema=schema)
            yield Cell(Rows(empty, parquet.metadata), -1), None, None
        for group in range(parquet.num_row_groups):
            for batch in parquet.iter_batches(SLICE, row_groups=[group]):
                rows = Rows(batch, parquet.metadata)
                texts = batch.column(fields.text).to_pylist()
                ids = batch.column(id).to_pylist() if id else [None] * len(texts)
                for index, (name, text) in enumerate(zip(ids, texts, strict=True)):
                    number += 1
                    yield Cell(rows, index), None if name is None else str(name), text
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError, OSError) as error:
        said = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        message = f"it is no Parquet file, or a damaged one ({said}); write or fetch it again"
        raise InputError(message, "parquet") from None


def write(file: BinaryIO, results: Iterable[tuple[Cell, Mapping[str, str] | None]], new: Sequence[str] = ()) -> None:
    """Write rows with the texts that change or are added (None: drop the row), a slice as a row group.

    new: the columns that are added, of type string; a row that lacks its value gets a null.
    """
    pa, pq = _arrow()
    writer = None
    try:
        for rows, group in groupby(results, key=lambda result: result[0].rows):
            table = changed(pa, rows.batch, {cell.index: changes for cell, changes in group}, new)
            if writer is None:
                writer = pq.ParquetWriter(file, table.schema, compression=_compression(rows.metadata))
            if table.num_rows:
                writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def changed(pa: Any, batch: Any, changes: Mapping[int, Mapping[str, str] | None], new: Sequence[str]) -> Any:
    """An Arrow table of ``batch`` (a RecordBatch or a Table) with the changes of its rows; None, or no entry: drop it.

    new: the columns that are added, of type string.
    """
    schema, columns = batch.schema, list(batch.columns)
    taken = {index: row for index, row in changes.items() if row is not None and index >= 0}
    for name in dict.fromkeys([*new, *(name for row in taken.values() for name in row)]):
        at = schema.get_field_index(name)
        values = columns[at].to_pylist() if at >= 0 else [None] * batch.num_rows
        for index, row in taken.items():
            values[index] = row.get(name, values[index])
        if at >= 0:
            columns[at] = _as(pa, values, schema.field(at).type)
        else:
            columns.append(pa.array(values, pa.string()))
            schema = schema.append(pa.field(name, pa.string()))
    table = pa.table(columns, schema=schema)
    return table if len(taken) == batch.num_rows else table.take(pa.array(sorted(taken), pa.int64()))


def _as(pa: Any, values: list[str | None], kind: Any) -> Any:
    """An array of the type that the column had."""
    if pa.types.is_dictionary(kind):
        return pa.array(values, kind.value_type).dictionary_encode().cast(kind)
    return pa.array(values, kind)


def _compression(metadata: Any) -> Any:
    """The codec of each column, as the file had it, in the names that the writer takes."""
    if not metadata.num_row_groups:
        return "snappy"
    group = metadata.row_group(0)
    columns = [group.column(i) for i in range(group.num_columns)]
    return {
        c.path_in_schema: {"UNCOMPRESSED": "NONE", "LZ4_RAW": "LZ4"}.get(c.compression, c.compression) for c in columns
    }


def is_text(pa: Any, kind: Any) -> bool:
    """Whether an Arrow type holds text."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise missing_extra("parquet", "parquet", "pyarrow") from None
    return pyarrow, pyarrow.parquet
