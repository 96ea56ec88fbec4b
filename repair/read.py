"""Inputs to articles: finds the files that PATHs name and reads the articles in them, keeping what writes them back.

Nothing here raises for one bad input among many: an Item carries either an article or the error that took its place,
and the run goes on.
"""

from __future__ import annotations

import contextlib
import glob
import gzip
import io
import json
import os
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePath
from typing import Any, BinaryIO, Literal

from repair.decode import Decoded, decode, refuse_binary
from repair.errors import InputError
from repair.markdown import protected
from repair.report import Article

Format = Literal["text", "markdown", "html", "jsonl"]

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
}
LATER = {
    ".parquet": "parquet is not read yet; convert it to jsonl first",
    ".warc": "warc is not read yet; extract the pages to html or jsonl first",
    ".zst": "zstandard is not read yet; unpack it first (zstd -d) or use .gz",
}
LIMIT = 256 * 1024 * 1024  # bytes of one article; also what a decompression bomb can cost
STDIN = "-"


@dataclass(frozen=True, slots=True)
class Fields:
    """The names of the JSON fields that hold an article. ``id`` None: "id" where there is one."""

    id: str | None = None
    text: str = "text"


@dataclass(frozen=True, slots=True)
class Source:
    """One input: a file, or standard input (``path`` None). ``inside`` is its place below the PATH that named it."""

    name: str
    format: Format
    path: Path | None = None
    inside: PurePath | None = None
    gz: bool = False


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


@dataclass(frozen=True, slots=True)
class Line:
    """A parsed line of a jsonl file."""

    row: dict[str, Any]
    field: str

    def encode(self, raw: bytes, text: str) -> bytes:
        """``raw`` with the article's text replaced, every other byte as it was wherever that can be had."""
        line, new = raw.decode("utf-8"), self.row | {self.field: text}
        old = self.row[self.field]
        for ascii_only in (False, True):
            quoted = json.dumps(old, ensure_ascii=ascii_only)
            if line.count(quoted) == 1:
                out = line.replace(quoted, json.dumps(text, ensure_ascii=ascii_only or line.isascii()))
                if json.loads(out) == new:
                    return out.encode("utf-8")
        body = line.strip()
        dumped = json.dumps(new, ensure_ascii=line.isascii())
        return line.replace(body, dumped).encode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True)
class Item:
    """One article of a source, or what stands in its place: an error, or bytes that hold no article (a blank line)."""

    source: Source
    id: str
    raw: bytes = b""
    line: int | None = None
    article: Article | None = None
    error: InputError | None = None
    form: Decoded | Line | None = None
    stamp: Stamp | None = None

    def encode(self, text: str) -> bytes:
        """The bytes of this item with its article reading ``text``."""
        if self.article is None or text == self.article.text:
            return self.raw
        if isinstance(self.form, Line):
            return self.form.encode(self.raw, text)
        assert self.form is not None
        return self.form.encode(text)


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


def read(source: Source, fields: Fields = Fields()) -> Iterator[Item]:
    """The articles of one source, in order. Never raises InputError: a bad input is an item with an error."""
    try:
        with _open(source) as (stream, file):
            before = Stamp.of(file) if source.path else None
            items = (
                _lines(source, stream, fields, before) if source.format == "jsonl" else _whole(source, stream, before)
            )
            yield from items
            if source.path and source.path.is_file() and Stamp.of(source.path) != before:
                raise InputError("the file changed while it was read; run again when nobody writes to it", "changed")
    except InputError as error:
        yield Item(source, source.name, error=_about(source.name, error))
    except PermissionError:
        message = "no permission to read it; change its mode (chmod +r) or run as its owner"
        yield Item(source, source.name, error=InputError(f"{source.name}: {message}", "permission"))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        message = f"the gzip data is damaged ({error}); fetch or compress the file again"
        yield Item(source, source.name, error=InputError(f"{source.name}: {message}", "gzip"))
    except OSError as error:
        message = f"it can't be read ({error.strerror or error}); check the path and the disk"
        yield Item(source, source.name, error=InputError(f"{source.name}: {message}", "unreadable"))


def _about(name: str, error: InputError) -> InputError:
    return InputError(f"{name}: {error}", error.code)


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
        raise InputError(f"{root}: no file with a known ending ({kinds}, also .gz); name the files", "missing")
    return found


def _file(path: Path, inside: PurePath, input: Format | None) -> Source:
    format, gz = _format(path)
    if not format or not input:
        for ending in reversed(path.suffixes):
            if ending.lower() in LATER:
                raise InputError(f"{path}: {LATER[ending.lower()]}", "format")
    return Source(str(path), input or format or "text", path, inside, gz)


def _format(path: Path) -> tuple[Format | None, bool]:
    gz = path.suffix.lower() == ".gz"
    return ENDINGS.get((path.with_suffix("") if gz else path).suffix.lower()), gz


def _ignored(source: Source, patterns: Sequence[str]) -> bool:
    path = Path(source.name).as_posix()
    return any(fnmatch(name, pattern) for pattern in patterns for name in (path, str(source.inside), Path(path).name))


@contextlib.contextmanager
def _open(source: Source) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The stream of the source's bytes, decompressed, and the file below it."""
    with contextlib.ExitStack() as stack:
        file: BinaryIO = sys.stdin.buffer if source.path is None else stack.enter_context(source.path.open("rb"))
        # A buffered reader around gzip: its own readline is slow.
        stream = io.BufferedReader(stack.enter_context(gzip.GzipFile(fileobj=file))) if source.gz else file
        yield stream, file


def _whole(source: Source, stream: BinaryIO, stamp: Stamp | None) -> Iterator[Item]:
    raw = stream.read(LIMIT + 1)
    if len(raw) > LIMIT:
        raise InputError(
            f"it is longer than {LIMIT >> 20} MB; split it, or put one article a line into jsonl", "too-large"
        )
    form = decode(raw, html=source.format == "html")
    text = extract(form.text) if source.format == "html" else form.text
    zones = protected(text) if source.format == "markdown" else ()
    article = Article(text, source.name, zones)
    if source.format == "html":
        # What goes out is the extracted text, so nothing of the page's own bytes is kept.
        form = Decoded(text, "utf-8", b"")
        raw = text.encode("utf-8")
    yield Item(source, source.name, raw, article=article, form=form, stamp=stamp)


def extract(page: str) -> str:
    """The main text of an html page; empty where it has none."""
    if not page.strip():
        return ""
    try:
        from trafilatura import extract as main_text

        # deduplicate off: trafilatura would remember passages of other pages, and results would depend on the order.
        text = main_text(page, include_comments=False, include_tables=False, deduplicate=False)
    except ImportError as error:
        raise InputError(
            f"html needs a package that is missing ({error}); pip install lxml_html_clean", "html"
        ) from None
    except (RecursionError, ValueError, AssertionError) as error:
        raise InputError(
            f"no text can be extracted from the html ({type(error).__name__}); save it as text", "html"
        ) from None
    return text or ""


def _lines(source: Source, stream: BinaryIO, fields: Fields, stamp: Stamp | None) -> Iterator[Item]:
    seen: set[int] = set()  # hashes: a million ids must not fill the memory
    number = 0
    while raw := stream.readline(LIMIT + 1):
        number += 1
        if len(raw) > LIMIT:
            raise InputError(f"line {number} is longer than {LIMIT >> 20} MB; is this jsonl?", "too-large")
        if number == 1:
            refuse_binary(raw)
            if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
                raise InputError("jsonl must be UTF-8; convert it first (iconv -f UTF-16 -t UTF-8)", "encoding")
        place = f"{source.name}:{number}"
        body = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
        if not body.strip():
            yield Item(source, place, raw, number, stamp=stamp)
            continue
        try:
            row, id = _row(body, place, fields)
            if (key := hash(id)) in seen:
                raise InputError(f"the id {_short(id)} was given before; make ids unique", "duplicate-id")
            seen.add(key)
        except InputError as error:
            yield Item(source, place, raw, number, error=_about(place, error), stamp=stamp)
        else:
            form = Line(row, fields.text)
            yield Item(source, id, raw, number, Article(row[fields.text], id), form=form, stamp=stamp)


def _row(raw: bytes, place: str, fields: Fields) -> tuple[dict[str, Any], str]:
    """The JSON object in ``raw`` and the id of its article."""
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
    if fields.text not in row:
        held = ", ".join(_short(key) for key in list(row)[:8]) or "none"
        raise InputError(
            f"no field {_short(fields.text)} (there are: {held}); name it with --text-field", "missing-field"
        )
    if not isinstance(row[fields.text], str):
        raise InputError(
            f"the field {_short(fields.text)} is not a string; name the text with --text-field", "wrong-type"
        )
    if fields.id is not None and fields.id not in row:
        raise InputError(f"no field {_short(fields.id)}; name the id with --id-field", "missing-field")
    id = row.get(fields.id or "id", place)
    if isinstance(id, bool) or not isinstance(id, str | int):
        raise InputError(f"the field {_short(fields.id or 'id')} is neither string nor integer", "wrong-type")
    for value in (str(id), row[fields.text]):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            code = f"\\u{ord(value[error.start]):04x}"
            raise InputError(
                f"a lone surrogate ({code}) at character {error.start}; drop or mend it", "surrogate"
            ) from None
    return row, str(id)


def _short(value: object) -> str:
    text = json.dumps(str(value))
    return text if len(text) <= 60 else text[:56] + '..."'
