"""Sources to articles, keeping what writes them back.

Nothing here raises for one bad input among many: an Item carries either an article or the error that took its place,
and the run goes on.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import BinaryIO

from repair.decode import Decoded, decode
from repair.errors import InputError
from repair.extract import main_text
from repair.items import Item
from repair.lines import Fields, Ids, Line, check_names, first_line, parsed, raw_lines, short
from repair.markdown import protected
from repair.packing import damage, unpacked
from repair.report import Article
from repair.sources import STDIN, Format, Missing, Source, Stamp, find

__all__ = ["LIMIT", "STDIN", "Fields", "Format", "Item", "Line", "Missing", "Source", "Stamp", "find", "read"]

LIMIT = 256 * 1024 * 1024  # bytes of one article; also what a decompression bomb can cost
USUAL = Fields()


def read(
    source: Source,
    fields: Fields = USUAL,
    *,
    in_place: bool = False,
    watch: Callable[[BinaryIO], None] = lambda file: None,
) -> Iterator[Item]:
    """The articles of one source, in order. Never raises InputError: a bad input is an item with an error.

    in_place: keep the markup of html pages, so that their text nodes can be edited. watch: gets the file below the
    stream, to see how far reading has come.
    """
    for item in arrivals(source, fields, in_place=in_place, watch=watch, patient=False):
        assert item is not None
        yield item


def arrivals(
    source: Source,
    fields: Fields = USUAL,
    *,
    in_place: bool = False,
    watch: Callable[[BinaryIO], None] = lambda file: None,
    patient: bool = True,
) -> Iterator[Item | None]:
    """As ``read``, with None whenever a pipe has nothing for now."""
    try:
        with _open(source) as (stream, file):
            watch(file)
            before = Stamp.of(file) if source.path else None
            if source.format == "jsonl":
                yield from _lines(source, stream, fields, before, patient)
            elif source.format == "warc":
                yield from _records(source, stream, fields, before)
            elif source.format == "parquet":
                yield from _rows(source, stream, fields, before)
            else:
                yield _whole(source, stream, before, in_place)
            if source.path and source.path.is_file() and Stamp.of(source.path) != before:
                raise InputError("the file changed while it was read; run again when nobody writes to it", "changed")
    except InputError as error:
        yield Item(source, source.name, error=_about(source.name, error))
    except PermissionError:
        message = "no permission to read it; change its mode (chmod +r) or run as its owner"
        yield Item(source, source.name, error=InputError(f"{source.name}: {message}", "permission"))
    except Exception as error:
        cause = damage(error, source.packing)
        if cause is None and isinstance(error, OSError):
            cause = InputError(f"it can't be read ({error.strerror or error}); check the path and the disk")
        if cause is None:
            raise
        yield Item(source, source.name, error=_about(source.name, cause))


def _about(name: str, error: InputError) -> InputError:
    return InputError(f"{name}: {error}", error.code)


@contextlib.contextmanager
def _open(source: Source) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The stream of the source's bytes, decompressed, and the file below it."""
    with contextlib.ExitStack() as stack:
        file: BinaryIO = sys.stdin.buffer if source.path is None else stack.enter_context(source.path.open("rb"))
        stream = unpacked(file, source.packing)
        yield (stack.enter_context(stream) if stream is not file else stream), file


def _whole(source: Source, stream: BinaryIO, stamp: Stamp | None, in_place: bool) -> Item:
    raw = stream.read(LIMIT + 1)
    if len(raw) > LIMIT:
        raise InputError(
            f"it is longer than {LIMIT >> 20} MB; split it, or put one article a line into jsonl", "too-large"
        )
    if source.format != "html":
        form = decode(raw)
        zones = protected(form.text) if source.format == "markdown" else ()
        return Item(source, source.name, raw, article=Article(form.text, source.name, zones), form=form, stamp=stamp)
    if in_place:
        from repair.markup import Page, decoded

        page = Page.of(decoded(raw), source.name)
        return Item(source, source.name, raw, article=page.article, form=page, stamp=stamp)
    # What goes out is the extracted text, so nothing of the page's own bytes is kept.
    text = main_text(decode(raw, html=True).text)
    form = Decoded(text, "utf-8", b"")
    return Item(source, source.name, text.encode(), article=Article(text, source.name), form=form, stamp=stamp)


def _lines(
    source: Source, stream: BinaryIO, fields: Fields, stamp: Stamp | None, patient: bool
) -> Iterator[Item | None]:
    ids, number = Ids(), 0
    for raw in raw_lines(stream, LIMIT, patient=patient):
        if raw is None:
            yield None
            continue
        number += 1
        if len(raw) > LIMIT:
            raise InputError(f"line {number} is longer than {LIMIT >> 20} MB; is this jsonl?", "too-large")
        if number == 1:
            first_line(raw)
        place = f"{source.name}:{number}"
        body = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
        if not body.strip():
            yield Item(source, place, raw, number, stamp=stamp)
            continue
        try:
            row, id = parsed(body, place, fields)
            if id != place and not ids.new(id):
                raise InputError(f"the id {short(id)} was given before; make ids unique", "duplicate-id")
        except InputError as error:
            yield Item(source, place, raw, number, error=_about(place, error), stamp=stamp)
        else:
            article = Article(row[fields.text], id)
            yield Item(source, id, raw, number, article, form=Line(row, fields.text), stamp=stamp)
    if not number:
        yield Item(source, source.name, line=0, stamp=stamp)  # so that a file without lines is mirrored too


def _records(source: Source, stream: BinaryIO, fields: Fields, stamp: Stamp | None) -> Iterator[Item]:
    from repair.warc import line, records

    names = (fields.id or "id", "url", "date", fields.text)
    check_names(dict.fromkeys(names), fields)
    number = 0
    for number, (url, row) in enumerate(records(stream, fields, LIMIT), 1):
        place = f"{source.name}:{number}"
        if isinstance(row, InputError):
            yield Item(source, place, b"", number, error=_about(f"{place} ({url})", row), stamp=stamp)
            continue
        id = str(row[fields.id or "id"]) or place
        article = Article(row[fields.text], id)
        yield Item(source, id, line(row), number, article, form=Line(row, fields.text), stamp=stamp)
    if not number:
        yield Item(source, source.name, line=0, stamp=stamp)


def _rows(source: Source, stream: BinaryIO, fields: Fields, stamp: Stamp | None) -> Iterator[Item]:
    from repair.parquet import cells

    if source.path is None or source.packing:
        raise InputError("parquet is read from plain files only; name one, unpacked", "format")
    for number, (cell, id, text) in enumerate(cells(stream, fields), 1):
        name = id or f"{source.name}:{number}"
        article = None if text is None else Article(text, name)
        yield Item(source, name, b"", number, article, form=cell, stamp=stamp)
