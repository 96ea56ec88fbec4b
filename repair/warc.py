"""WARC files: each page that a crawler got becomes a jsonl record with its address, date and main text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from repair.decode import decode
from repair.errors import InputError, missing_extra

if TYPE_CHECKING:
    from repair.lines import Fields

HTML = ("text/html", "application/xhtml+xml")


def records(stream: BinaryIO, fields: Fields, most: int) -> Iterator[tuple[str, dict[str, Any] | InputError]]:
    """The name and the jsonl row (or the error) of each response that holds a page or plain text.

    Answers other than 2xx, other kinds of record and other kinds of content are passed over. Raises InputError where
    the file is no WARC, or ends in the middle.
    """
    try:
        from warcio.archiveiterator import ArchiveIterator
        from warcio.exceptions import ArchiveLoadFailed
        from warcio.statusandheaders import StatusAndHeadersParserException
    except ImportError:
        raise missing_extra("warc", "warc", "warcio") from None
    try:
        for number, record in enumerate(ArchiveIterator(stream), 1):
            if record.rec_type != "response" or not _wanted(record):
                continue
            url = record.rec_headers.get_header("WARC-Target-URI") or f"record {number}"
            try:
                yield url, _row(record, fields, most)
            except InputError as error:
                yield url, error
        stream.read(1)  # warcio takes a broken end for the end; here it raises again
    except (ArchiveLoadFailed, StatusAndHeadersParserException) as error:
        raise InputError(f"it is no WARC file, or a damaged one ({error}); fetch it again", "warc") from None


def _wanted(record: Any) -> bool:
    headers = record.http_headers
    return bool(headers) and headers.get_statuscode().startswith("2") and _kind(record) in (*HTML, "text/plain")


def _kind(record: Any) -> str:
    return (record.http_headers.get_header("Content-Type") or "").partition(";")[0].strip().lower()


def _row(record: Any, fields: Fields, most: int) -> dict[str, Any]:
    from repair.extract import main_text

    try:
        raw = record.content_stream().read(most + 1)
        while record.raw_stream.read(1 << 16):
            pass
    except (EOFError, OSError):
        raise  # the file itself is broken
    except Exception as error:  # whatever a broken encoding makes of its decoder
        raise InputError(f"its content can't be unpacked ({type(error).__name__}); fetch it again", "warc") from None
    if len(raw) > most:
        raise InputError(f"it is longer than {most >> 20} MB; leave it out", "too-large")
    if getattr(record.raw_stream, "limit", 0) > 0:
        raise InputError("the file ends inside this record; fetch it again", "warc")
    charset = (record.http_headers.get_header("Content-Type") or "").lower().partition("charset=")[2]
    page = decode(raw, html=_kind(record) in HTML, announced=charset.split(";")[0].strip(" \"'")).text
    text = main_text(page) if _kind(record) in HTML else page
    head = record.rec_headers
    row = {
        fields.id or "id": head.get_header("WARC-Record-ID") or head.get_header("WARC-Target-URI") or "",
        "url": head.get_header("WARC-Target-URI"),
        "date": head.get_header("WARC-Date"),
        fields.text: text.encode("utf-8", "replace").decode(),
    }
    return row


def line(row: dict[str, Any]) -> bytes:
    """A row as a line of jsonl."""
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"
