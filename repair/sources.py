"""Inputs: the files that PATHs name, in order, with what their names say of them."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePath
from typing import BinaryIO, Literal

from repair.errors import InputError

Format = Literal["text", "markdown", "html", "jsonl", "parquet", "warc"]
Packing = Literal["", "gz", "zst"]

ENDINGS: dict[str, Format] = {
    ".txt": "text",
    ".text": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".warc": "warc",
}
PACKINGS: dict[str, Packing] = {".gz": "gz", ".zst": "zst"}
STDIN = "-"


@dataclass(frozen=True, slots=True)
class Source:
    """One input: a file, or standard input (``path`` None). ``inside`` is its place below the PATH that named it."""

    name: str
    format: Format
    path: Path | None = None
    inside: PurePath | None = None
    packing: Packing = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """A PATH, or a part of one, that gives no source."""

    name: str
    error: InputError


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells whether a file is still the one that was read."""

    size: int
    mtime: int
    inode: int

    @classmethod
    def of(cls, file: BinaryIO | Path) -> Stamp:
        stat = os.stat(file) if isinstance(file, Path) else os.fstat(file.fileno())
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ino)


def find(
    paths: Iterable[str], input: Format | None = None, ignore_files: Iterable[str] = ()
) -> Iterator[Source | Missing]:
    """The inputs that ``paths`` name, in order and each once; what is missing in its place."""
    ignored, seen = tuple(ignore_files), set[str]()
    for given in paths:
        try:
            found = _named(given, input)
        except InputError as error:
            found = [Missing(given, error)]
        for source in found:
            if isinstance(source, Missing):
                yield source
                continue
            key = os.path.realpath(source.path) if source.path else STDIN
            if key not in seen and not (source.path and _ignored(source, ignored)):
                seen.add(key)
                yield source


def _named(given: str, input: Format | None) -> Sequence[Source | Missing]:
    if given == STDIN:
        return [Source("stdin", input or "text")]
    path = Path(given)
    try:
        if path.is_dir():
            return _folder(path, input)
        if os.path.lexists(path):
            return [_file(path, PurePath(path.name), input)]
    except PermissionError:
        raise InputError(f"{given}: no permission to look there; change its mode (chmod)", "permission") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{given!a}: no valid path ({error}); check the spelling", "missing") from None
    if not glob.has_magic(given):
        raise InputError(f"{given}: no such file or folder; check the spelling and the working folder", "missing")
    found = [Path(match) for match in sorted(glob.glob(given, recursive=True))]
    root = Path(*_fixed(path.parts))
    sources = [_file(p, PurePath(os.path.relpath(p, root)), input) for p in found if p.is_file()]
    if not sources:
        raise InputError(f"{given}: no file matches this pattern; check it, or name a folder", "missing")
    return sources


def _fixed(parts: Sequence[str]) -> Iterator[str]:
    for part in parts:
        if glob.has_magic(part):
            return
        yield part


def _folder(root: Path, input: Format | None) -> list[Source | Missing]:
    """Files below ``root`` whose ending is known (and of the wanted format, where one is given); nothing hidden."""
    found: list[Source | Missing] = []

    def closed(error: OSError) -> None:
        message = f"{error.filename}: no permission to look there; change its mode (chmod)"
        found.append(Missing(str(error.filename), InputError(message, "permission")))

    for folder, folders, files in os.walk(root, onerror=closed):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            format, _ = _format(path)
            if name.startswith(".") or not format or input not in (None, format):
                continue
            if path.is_file() or not path.exists():  # no pipe or device; a broken link will be told when it is read
                found.append(_file(path, path.relative_to(root), input))
    if not found:
        kinds = " ".join(ending for ending, format in ENDINGS.items() if input in (None, format))
        raise InputError(f"{root}: no file with a known ending ({kinds}, also .gz, .zst); name the files", "missing")
    return found


def _file(path: Path, inside: PurePath, input: Format | None) -> Source:
    format, packing = _format(path)
    return Source(str(path), input or format or "text", path, inside, packing)


def _format(path: Path) -> tuple[Format | None, Packing]:
    packing = PACKINGS.get(path.suffix.lower(), "")
    return ENDINGS.get((path.with_suffix("") if packing else path).suffix.lower()), packing


def _ignored(source: Source, patterns: Sequence[str]) -> bool:
    path = Path(source.name).as_posix()
    return any(fnmatch(name, pattern) for pattern in patterns for name in (path, str(source.inside), Path(path).name))
