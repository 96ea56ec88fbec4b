"""Which files a run into a folder has finished, so that a broken run goes on where it stopped."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from repair.errors import InputError, UsageError
from repair.sources import Source, Stamp
from repair.write import noting, replacing

NAME = ".repair-journal.jsonl"


class Ledger:
    """A file in the output folder with a line for each file that is done; gone when all are.

    run: the hash of what results depend on. resume: go on where an earlier run broke off. Raises UsageError where that
    run had another ``run``, or there was none.
    """

    def __init__(self, folder: Path, run: str, *, resume: bool) -> None:
        self.path = folder / NAME
        rows = self._read(run) if resume else []
        self._done: dict[str, list[int]] = {row["source"]: row["stamp"] for row in rows}
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder}: can't make this folder ({error.strerror})", "unwritable") from None
        with replacing(self.path) as file:  # without the line at which the run broke off
            file.writelines(_line(row) for row in [{"run": run}, *rows])
        self._file = self.path.open("ab")
        self._any = bool(rows)

    def has(self, source: Source, target: Path) -> bool:
        """Whether a source, as it is now, was done and its output is there."""
        stamp = self._done.get(_key(source))
        return stamp is not None and target.exists() and stamp == _stamp(source)

    def done(self, source: Source) -> None:
        self._any = True
        self._write({"source": _key(source), "stamp": _stamp(source)})

    def close(self, *, complete: bool) -> None:
        """Ends the run. complete: nothing is left to go on with; nor is there where nothing was done."""
        self._file.close()
        if complete or not self._any:
            self.path.unlink(missing_ok=True)
            with suppress(OSError):  # a folder in which nothing was put is not left behind
                self.path.parent.rmdir()

    def _write(self, row: dict[str, Any]) -> None:
        with noting(self.path):
            self._file.write(_line(row))
            self._file.flush()

    def _read(self, run: str) -> list[dict[str, Any]]:
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        rows = []
        for line in lines:
            try:
                rows.append(json.loads(line))
            except ValueError:
                break
        if not rows or rows[0].get("run") != run:
            raise UsageError(
                f"{self.path}: version, options, lexicons or artifacts have changed since that run broke off; "
                "run without --resume to do all files again"
            )
        return rows[1:]


def _line(row: dict[str, Any]) -> bytes:
    return json.dumps(row).encode() + b"\n"


def _key(source: Source) -> str:
    return os.path.realpath(source.path) if source.path else source.name


def _stamp(source: Source) -> list[int] | None:
    if source.path is None:
        return None
    stamp = Stamp.of(source.path)
    return [stamp.size, stamp.mtime]
