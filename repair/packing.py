"""Compressed files: reading .gz and .zst as streams, and writing them so that the same bytes come out each time."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from repair.errors import InputError, missing_extra
from repair.sources import Packing


def unpacked(file: BinaryIO, packing: Packing) -> BinaryIO:
    """The bytes packed in ``file``. Reading raises what ``damage`` explains."""
    if not packing:
        return file
    # A buffered reader around both: their own readline is slow.
    stream = gzip.GzipFile(fileobj=file) if packing == "gz" else _zstd().ZstdFile(file)
    return io.BufferedReader(stream)


@contextmanager
def packed(file: BinaryIO, packing: Packing) -> Iterator[BinaryIO]:
    """A stream whose bytes go into ``file``, packed."""
    if packing == "gz":
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as stream:
            yield stream  # type: ignore[misc]
    elif packing == "zst":
        with _zstd().ZstdFile(file, "wb") as stream:
            yield stream
    else:
        yield file


def damage(error: Exception, packing: Packing) -> InputError | None:
    """What an error of reading packed data means; None where it is another error."""
    kinds = {"EOFError", "ZstdError"}
    if packing and (isinstance(error, zlib.error | gzip.BadGzipFile) or type(error).__name__ in kinds):
        name, code = ("gzip", "gzip") if packing == "gz" else ("zstandard", "zstd")
        return InputError(f"the {name} data is damaged ({error}); fetch or compress the file again", code)
    return None


def _zstd() -> Any:
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError:
        raise missing_extra(".zst", "zst", "backports.zstd") from None
    return zstd
