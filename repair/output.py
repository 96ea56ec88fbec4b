"""Where ``repair fix`` puts the repaired articles: stdout, a diff, the file itself, or a mirrored folder.

Each takes one source with its results, in order. The text that goes to stdout is all that goes there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from repair.display import changes_text, diff_text, plain
from repair.errors import InputError
from repair.read import Item, Line, Source
from repair.report import Repair
from repair.session import Session
from repair.write import diff, replacing

Results = Iterable[tuple[Item, Repair | None]]


class Output(Protocol):
    """Takes the results of one source. Raises InputError where they can't be put away."""

    def __call__(self, source: Source, results: Results) -> None: ...


class _Drop(Exception):
    """What was written so far is not to take the file's place: nothing changed, or the source broke off."""


class ToStdout:
    """The cleaned text alone; on a terminal with control characters made visible."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def __call__(self, source: Source, results: Results) -> None:
        terminal = sys.stdout.isatty()
        for item, repair in results:
            self.session.progress.clear()
            if not terminal:
                _put(sys.stdout.buffer, item, repair, source)
            elif isinstance(item.form, Line) or not repair:
                sys.stdout.write(plain(_bytes(item, repair, source).decode("utf-8", "replace"), "\n\t"))
            else:
                sys.stdout.write(plain(repair.text, "\n\t"))
            if self.session.verbose:
                _tell(self.session, item, repair)
        sys.stdout.flush()


class ToDiff:
    """A unified diff of what would change."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def __call__(self, source: Source, results: Results) -> None:
        paint = self.session.paint
        plain_lines = not paint.on and not sys.stdout.isatty()
        headed = False
        for item, repair in results:
            if not repair or not repair.edits:
                continue
            self.session.progress.clear()
            lines: Iterable[str]
            if isinstance(item.form, Line):
                lines = _line_diff(source.name, item, repair, headed)
                headed = True
            else:
                lines = diff(source.name, item.article.text if item.article else "", repair.edits)
            if plain_lines:
                # As bytes, so that line ends and the encoding are those of the file and `patch` accepts it.
                encoding = getattr(item.form, "encoding", "utf-8")
                for line in lines:
                    sys.stdout.buffer.write(line.encode(encoding, "backslashreplace"))
            else:
                sys.stdout.writelines(f"{line}\n" for line in diff_text(lines, paint))
        sys.stdout.flush()


class InPlace:
    """The file itself, replaced in one step, where anything changed."""

    def __init__(self, session: Session, backup: str = "") -> None:
        self.session, self.backup = session, backup

    def __call__(self, source: Source, results: Results) -> None:
        for first, changed in _ahead(source, results):
            path = _writable(source)
            with suppress(_Drop), replacing(path, backup=self.backup, stamp=first.stamp, gz=source.gz) as file:
                if not _put_all(file, source, changed, self.session):
                    raise _Drop


def _writable(source: Source) -> Path:
    if source.format == "html":
        message = "html is extracted, so it can't be written in place; use -o DIR or stdout for the text"
        raise InputError(f"{source.name}: {message}", "not-writable")
    if source.path is None or not source.path.is_file():
        raise InputError(f"{source.name}: only a regular file can be written in place; use stdout", "not-writable")
    return source.path


class ToFolder:
    """The same places below another folder. Html becomes text and says so by its name."""

    def __init__(self, session: Session, root: Path) -> None:
        self.session, self.root = session, root
        self.written: dict[Path, str] = {}

    def __call__(self, source: Source, results: Results) -> None:
        for _, all_of_it in _ahead(source, results, always=True):
            target = self._target(source)
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise InputError(f"{target.parent}: can't make this folder ({error.strerror})", "unwritable") from None
            with suppress(_Drop), replacing(target, gz=source.gz and source.format != "html") as file:
                _put_all(file, source, all_of_it, self.session)
            self.written[target] = source.name

    def _target(self, source: Source) -> Path:
        """Where the source's text goes; never onto an input, nor onto what this run wrote."""
        inside = source.inside or Path("stdin.jsonl" if source.format == "jsonl" else "stdin.txt")
        name = f"{inside.name.removesuffix('.gz')}.txt" if source.format == "html" else inside.name
        target = self.root / inside.with_name(name)
        if source.path and target.exists() and os.path.samefile(source.path, target):
            raise InputError(f"{source.name}: -o would overwrite the input itself; use -w for that", "same-file")
        if other := self.written.get(target):
            raise InputError(f"{source.name}: {target} was already written from {other}; use another -o", "same-file")
        return target


def _ahead(source: Source, results: Results, *, always: bool = False) -> Iterator[tuple[Item, Results]]:
    """The results with their first item, so that a file is only opened for writing when there is something to write.

    Yields nothing for a source that could not be read at all or, unless ``always``, for one that needs no change. A
    line format is streamed: whether it changes is seen while writing.
    """
    iterator = iter(results)
    if source.format == "jsonl":
        first = next(iterator, None)
        if first and not _fatal(first[0]):
            yield first[0], _chain(first, iterator)
        return
    held = list(iterator)  # one article, and the error that followed it
    if any(_fatal(item) for item, _ in held):
        return
    if held and (always or any(repair and repair.edits for _, repair in held)):
        yield held[0][0], held


def _chain(first: tuple[Item, Repair | None], rest: Results) -> Iterator[tuple[Item, Repair | None]]:
    yield first
    yield from rest


def _fatal(item: Item) -> bool:
    """The error of a whole file, after which what was read of it is worth nothing (and was told already)."""
    return item.error is not None and item.line is None


def _put_all(file: BinaryIO, source: Source, results: Results, session: Session) -> int:
    """Write the results and tell every change; the number of changes."""
    changes = 0
    for item, repair in results:
        if _fatal(item):
            raise _Drop
        _put(file, item, repair, source)
        _tell(session, item, repair)
        changes += len(repair.edits) if repair else 0
    return changes


def _tell(session: Session, item: Item, repair: Repair | None) -> None:
    """Say what changes in an article: nothing is rewritten in silence."""
    if repair and repair.edits and item.article:
        paint = session.error_paint
        lines = changes_text(item.article.text, repair.edits, paint)
        session.say("\n".join([f"{paint(plain(item.id), bold=True)}:", *lines]))


def _put(file: BinaryIO, item: Item, repair: Repair | None, source: Source) -> None:
    file.write(_bytes(item, repair, source))


def _bytes(item: Item, repair: Repair | None, source: Source) -> bytes:
    """The item's bytes, repaired where it has a repair; an unreadable line goes through as it came."""
    try:
        return item.encode(repair.text) if repair else item.raw
    except InputError as error:
        raise InputError(f"{source.name}: {error}", error.code) from None


def _line_diff(name: str, item: Item, repair: Repair, headed: bool) -> Iterator[str]:
    """One changed line of a jsonl file, without surroundings: those are other articles."""
    if not headed:
        yield f"--- {name}\n"
        yield f"+++ {name}\n"
    old, new = (data.decode("utf-8").rstrip("\n") for data in (item.raw, item.encode(repair.text)))
    yield f"@@ -{item.line} +{item.line} @@\n"
    yield f"-{old}\n"
    yield f"+{new}\n"
