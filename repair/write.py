"""Writing back: a file is replaced whole or not at all, and a diff shows what would change.

The new bytes go to a temporary file in the same folder, which takes the place of the old one in a single step. Whatever
goes wrong before that (disk full, Ctrl-C, another program writing) leaves the original as it was.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from repair.errors import InputError
from repair.read import Stamp
from repair.report import Edit, apply


@contextlib.contextmanager
def replacing(target: Path, *, backup: str = "", stamp: Stamp | None = None, gz: bool = False) -> Iterator[BinaryIO]:
    """A stream whose bytes become the file ``target`` when the block ends without an error.

    backup: a suffix; the old file is kept under its name with that suffix. stamp: what the file was when it was read;
    it is not replaced when it has changed since.
    """
    target = Path(os.path.realpath(target))  # a link stays a link
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:80]}.", suffix=".tmp", dir=target.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            if gz:
                with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as stream:
                    yield stream  # type: ignore[misc]
            else:
                yield file
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


def _failure(target: Path, error: OSError) -> InputError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
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
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    yield f"--- {name}\n"
    yield f"+++ {name}\n"
    shift = 0
    for hunk in _hunks(starts, edits, context):
        first, last = _lines_of(starts, hunk)
        top, bottom = max(0, first - context), min(len(lines) - 1, last + context)
        if not lines[bottom] and bottom == len(lines) - 1 and bottom > last:
            bottom -= 1  # what follows the last line end is no line
        out: list[str] = [f" {line}" for line in lines[top:first]]
        old = lines[first : last + 1]
        at = starts[first]
        inside = [Edit(e.start - at, e.end - at, e.before, e.after) for e in hunk]
        new = apply("\n".join(old), inside).split("\n")
        out += [f"-{line}" for line in old]
        mark = "\n\\ No newline at end of file"
        if last == len(lines) - 1:
            out[-1] += mark
        out += [f"+{line}" for line in new]
        out += [f" {line}" for line in lines[last + 1 : bottom + 1]]
        if bottom == len(lines) - 1:
            out[-1] += mark
        before, after = bottom - top + 1, bottom - top + 1 + len(new) - len(old)
        yield f"@@ -{top + 1},{before} +{top + 1 + shift},{after} @@\n"
        yield from (f"{line}\n" for line in out)
        shift += after - before


def _hunks(starts: Sequence[int], edits: Sequence[Edit], context: int) -> Iterator[list[Edit]]:
    hunk: list[Edit] = []
    for edit in edits:
        if hunk and _lines_of(starts, [edit])[0] - _lines_of(starts, hunk)[1] > 2 * context:
            yield hunk
            hunk = []
        hunk.append(edit)
    yield hunk


def _lines_of(starts: Sequence[int], edits: Sequence[Edit]) -> tuple[int, int]:
    """The first and the last line, from zero, that the edits touch."""
    from bisect import bisect_right

    return bisect_right(starts, edits[0].start) - 1, bisect_right(starts, max(edits[-1].start, edits[-1].end - 1)) - 1
