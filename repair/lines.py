"""jsonl: lines to articles, and lines back with nothing changed but what is meant to."""

from __future__ import annotations

import json
import os
import re
import select
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from repair.decode import refuse_binary, refuse_surrogates
from repair.errors import InputError

PATIENCE = 0.05  # seconds that a silent pipe is waited for before those who have work are let to it
MOST_IDS = 100_000  # ids remembered at least, at most twice as many: memory must not grow with the input
PIECE = 1 << 16
_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"[\ufeff \t\r\n]*")


@dataclass(frozen=True, slots=True)
class Fields:
    """The names of the fields or columns that hold an article. ``id`` None: "id" where there is one.

    ``new``: fields that the run is going to add; a record that has one already is an error, as it would be lost.
    """

    id: str | None = None
    text: str = "text"
    new: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A parsed line of a jsonl file."""

    row: Mapping[str, Any]
    field: str

    def encode(self, raw: bytes, changes: Mapping[str, Any]) -> bytes:
        """``raw`` with the values of ``changes`` put in the place of the old ones, new ones at the end of the object.

        Every other byte stays: numbers, escapes and spaces are as they came.
        """
        line = raw.decode("utf-8")
        ascii_only = line.isascii()
        spans, end = _values(line)
        edits = []
        added = ""
        for name, value in changes.items():
            dumped = json.dumps(value, ensure_ascii=ascii_only)
            if name in spans:
                edits.append((*spans[name], dumped))
            else:
                comma = ", " if spans or added else ""
                added += f"{comma}{json.dumps(name, ensure_ascii=ascii_only)}: {dumped}"
        out, at = [], 0
        for start, stop, new in [*sorted(edits), (end, end, added)]:
            out += [line[at:start], new]
            at = stop
        return "".join([*out, line[at:]]).encode("utf-8", "backslashreplace")


def _values(line: str) -> tuple[dict[str, tuple[int, int]], int]:
    """Where the values of a JSON object stand, and where the last one ends; of a key given twice the last counts."""
    spans: dict[str, tuple[int, int]] = {}
    at = _BLANK.match(line).end() + 1  # type: ignore[union-attr]
    end = at
    while line[at := _BLANK.match(line, at).end()] != "}":  # type: ignore[union-attr]
        if line[at] == ",":
            at = _BLANK.match(line, at + 1).end()  # type: ignore[union-attr]
        key, at = _DECODER.raw_decode(line, at)
        start = _BLANK.match(line, line.index(":", at) + 1).end()  # type: ignore[union-attr]
        _, at = _DECODER.raw_decode(line, start)
        spans[key] = start, at
        end = at
    return spans, end


def raw_lines(stream: BinaryIO, most: int, *, patient: bool) -> Iterator[bytes | None]:
    """The lines of a stream. A line of more than ``most`` bytes comes cut to one byte more, and is the last.

    patient: yield None whenever a pipe has nothing for now (``tail -f``), so that what was read can go on.
    """
    if not (patient and _is_pipe(stream)):
        while raw := stream.readline(most + 1):
            yield raw
        return
    held: list[bytes] = []
    size = 0
    while True:
        if not select.select([stream], [], [], PATIENCE)[0]:
            yield None
            continue
        piece = os.read(stream.fileno(), PIECE)
        if b"\n" in piece:
            first, *lines = piece.split(b"\n")
            yield b"".join([*held, first, b"\n"])
            yield from (line + b"\n" for line in lines[:-1])
            held, size = [lines[-1]], len(lines[-1])
        elif piece:
            held.append(piece)
            size += len(piece)
        if size > most:
            yield b"".join(held)[: most + 1]
            return
        if not piece:
            if rest := b"".join(held):
                yield rest
            return


def _is_pipe(stream: BinaryIO) -> bool:
    """Whether a stream may be silent for a while, and can be asked about it."""
    if os.name != "posix":
        return False
    try:
        import stat

        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode)


class Ids:
    """Notices an id that was given before, among the last MOST_IDS ones at least."""

    def __init__(self) -> None:
        self._now: set[int] = set()
        self._before: set[int] = set()

    def new(self, id: str) -> bool:
        """Whether ``id`` was not given before."""
        key = hash(id)  # a hundred thousand ids take as little as they can
        if key in self._now or key in self._before:
            return False
        self._now.add(key)
        if len(self._now) >= MOST_IDS:
            self._before, self._now = self._now, set()
        return True


def parsed(raw: bytes, place: str, fields: Fields) -> tuple[dict[str, Any], str]:
    """The JSON object in a line and the id of its article (``place`` where it has none)."""
    try:
        row = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte {error.start} of the line is not UTF-8; convert the file to UTF-8", "encoding"
        ) from None
    except json.JSONDecodeError as error:
        raise InputError(
            f"broken JSON at column {error.colno} ({error.msg}); write one object a line", "json"
        ) from None
    except (RecursionError, ValueError) as error:
        raise InputError(f"JSON that can't be read ({type(error).__name__}); simplify the object", "json") from None
    if not isinstance(row, dict):
        raise InputError(f'not an object but {type(row).__name__}; write {{"{fields.text}": ...}}', "json")
    check_names(row, fields)
    if not isinstance(row[fields.text], str):
        raise InputError(
            f"the field {short(fields.text)} is not a string; name the text with --text-field", "wrong-type"
        )
    id = row.get(fields.id or "id", place)
    if isinstance(id, bool) or not isinstance(id, str | int):
        raise InputError(f"the field {short(fields.id or 'id')} is neither string nor integer", "wrong-type")
    for value in (str(id), row[fields.text]):
        refuse_surrogates(value)
    return row, str(id)


def check_names(there: Mapping[str, Any], fields: Fields) -> None:
    """Raise InputError where a record or table lacks a field, or has one that is to be added."""
    if fields.text not in there:
        held = ", ".join(short(key) for key in list(there)[:8]) or "none"
        raise InputError(
            f"no field {short(fields.text)} (there are: {held}); name it with --text-field", "missing-field"
        )
    if fields.id is not None and fields.id not in there:
        raise InputError(f"no field {short(fields.id)}; name the id with --id-field", "missing-field")
    for name in fields.new:
        if name in there:
            raise InputError(
                f"the field {short(name)} is there already; choose another name for what is added", "field-taken"
            )


def first_line(raw: bytes) -> None:
    """Raise InputError where the first line of a file shows that it is no jsonl."""
    refuse_binary(raw)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError("jsonl must be UTF-8; convert it first (iconv -f UTF-16 -t UTF-8)", "encoding")


def short(value: object) -> str:
    text = json.dumps(str(value))
    return text if len(text) <= 60 else text[:56] + '..."'
