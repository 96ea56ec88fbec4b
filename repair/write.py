"""Writing back: a file is replaced whole or not at all, and a diff shows what would change.

The new bytes go to a temporary file in the same folder, which takes the place of the old one in a single step. Whatever
goes wrong before that (disk full, Ctrl-C, another program writing) leaves the original as it was.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import tempfile
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from repair.errors import InputError, OutputError
from repair.packing import packed
from repair.report import Edit, apply
from repair.sources import Packing, Stamp


@contextlib.contextmanager
def replacing(
    target: Path, *, backup: str = "", stamp: Stamp | None = None, packing: Packing = ""
) -> Iterator[BinaryIO]:
    """A stream whose bytes become the file ``target`` when the block ends without an error.

    backup: a suffix; the old file is kept under its name with that suffix. stamp: what the file was when it was read;
    it is not replaced when it has changed since.
    """
    target = Path(os.path.realpath(target))  # a link stays a link
    if target.exists() and not target.is_file():  # a pipe or /dev/null is written to, never replaced
        with noting(target), target.open("wb") as file:
            yield file
        return
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:80]}.", suffix=".tmp", dir=target.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            with packed(file, packing) as stream:
                yield stream
            file.flush()
            os.fsync(file.fileno())
        _keep_mode(target, temporary)
        if stamp and Stamp.of(target) != stamp:
            raise InputError(f"{target}: it changed since it was read, and was left alone; run again", "changed")
        if backup:
            _back_up(target, target.with_name(target.name + backup))
        os.replace(temporary, target)
        temporary = None
    except OSError as error:
        raise _failure(target, error) from None
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                temporary.unlink()


def _keep_mode(target: Path, temporary: Path) -> None:
    if target.exists():
        shutil.copymode(target, temporary)
        with contextlib.suppress(OSError, AttributeError):  # not ours to give away, or not a POSIX system
            os.chown(temporary, target.stat().st_uid, target.stat().st_gid)
    else:
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)


def _back_up(target: Path, backup: Path) -> None:
    """A copy, not a rename: at no moment is there no file under the old name."""
    if backup.exists():
        # The first backup holds the true original; a second run must not overwrite it with repaired text.
        raise InputError(f"{backup}: this backup exists already; move it away or give another --backup", "backup")
    with tempfile.NamedTemporaryFile(prefix=".backup.", dir=target.parent, delete=False) as file:
        copy = Path(file.name)
    try:
        shutil.copy2(target, copy)
        os.replace(copy, backup)
    finally:
        copy.unlink(missing_ok=True)


@contextlib.contextmanager
def noting(path: Path | str) -> Iterator[None]:
    """Where a run notes something in a file that it keeps open: raises OutputError where that can't be done."""
    try:
        yield
    except OSError as error:
        cure = "free space" if full(error) else "check the path and the disk"
        raise OutputError(f"{path}: it can't be written ({error.strerror}), so the run ends here; {cure}") from None


def full(error: Exception) -> bool:
    """Whether an error says that there is no room."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _failure(target: Path, error: OSError) -> InputError:
    if full(error):
        return InputError(
            f"{target}: no room to write it ({error.strerror}); it was left as it was; free space", "full"
        )
    if isinstance(error, PermissionError):
        return InputError(f"{target}: no permission to write there; change the folder's mode, or use -o", "permission")
    return InputError(f"{target}: it can't be written ({error.strerror or error}); it was left as it was", "unwritable")


def diff(name: str, text: str, edits: Sequence[Edit], context: int = 3) -> Iterator[str]:
    """The unified diff that ``edits`` make, line by line (each with its line end), without comparing the texts.

    A general diff takes quadratic time on long texts; here it is known what changes.
    """
    if not edits:
        return
    starts = [0, *(match.end() for match in re.finditer("\n", text)), len(text)]
    yield f"--- {name}\n"
    yield f"+++ {name}\n"
    shift = 0
    for hunk in _hunks(starts, edits, context):
        first, last = _lines_of(starts, hunk)
        top, bottom = max(0, first - context), min(len(starts) - 2, last + context)
        at, end = starts[first], starts[last + 1]
        inside = [Edit(edit.start - at, edit.end - at, edit.before, edit.after) for edit in hunk]
        lead, tail = _split(text[starts[top] : at]), _split(text[end : starts[bottom + 1]])
        old, new = _split(text[at:end]), _split(apply(text[at:end], inside))
        around = len(lead) + len(tail)
        removed, added = around + len(old), around + len(new)
        # An empty side is counted from the line before it.
        yield f"@@ -{top + bool(removed)},{removed} +{top + shift + bool(added)},{added} @@\n"
        for sign, lines in ((" ", lead), ("-", old), ("+", new), (" ", tail)):
            for line in lines:
                yield f"{sign}{line}" if line.endswith("\n") else f"{sign}{line}\n\\ No newline at end of file\n"
        shift += added - removed


def _split(text: str) -> list[str]:
    """Lines with their ends. Only line feeds end a line; the last one may lack its end."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _hunks(starts: Sequence[int], edits: Sequence[Edit], context: int) -> Iterator[list[Edit]]:
    hunk: list[Edit] = []
    for edit in edits:
        if hunk and _lines_of(starts, [edit])[0] - _lines_of(starts, hunk)[1] > 2 * context:
            yield hunk
            hunk = []
        hunk.append(edit)
    yield hunk


def _lines_of(starts: Sequence[int], edits: Sequence[Edit]) -> tuple[int, int]:
    """The first and the last line, from zero, that the edits change: where a line end goes, also the line after it."""
    last = len(starts) - 2
    return min(last, bisect_right(starts, edits[0].start) - 1), min(last, bisect_right(starts, edits[-1].end) - 1)
