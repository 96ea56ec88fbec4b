"""Where ``repair fix`` puts the repaired articles: stdout, a diff, the file itself, or a mirrored folder.

Each takes one source with its results, in order. The text that goes to stdout is all that goes there. A record that
can't be read goes through as it came, unless it goes to --errors or an error record takes its place.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

from repair.display import changes_text, diff_text, error_row, json_line, plain
from repair.errors import InputError
from repair.items import Item
from repair.ledger import Ledger
from repair.lines import Line
from repair.markup import Page
from repair.report import Repair
from repair.session import Session
from repair.sources import Source
from repair.write import diff, replacing

BadLines = Literal["keep", "drop", "record"]
Results = Iterable[tuple[Item, Repair | None]]
LINES = ("jsonl", "warc")  # what is written line by line


class Output(Protocol):
    """Takes the results of one source. Raises InputError where they can't be put away."""

    def __call__(self, source: Source, results: Results) -> None: ...

    def admits(self, source: Source) -> bool:
        """Whether a source needs to be read at all. Raises InputError where its results could not be put away."""
        ...


class _Drop(Exception):
    """What was written so far is not to take the file's place: nothing changed, or the source broke off."""


class ToStdout:
    """The cleaned text alone; on a terminal with control characters made visible."""

    def __init__(self, session: Session, bad: BadLines) -> None:
        self.session, self.writer = session, _Writer(session, bad)

    def admits(self, source: Source) -> bool:
        if source.format == "parquet":
            raise InputError(f"{source.name}: parquet can't go to stdout; use -o DIR, or -w", "not-writable")
        return True

    def __call__(self, source: Source, results: Results) -> None:
        terminal = sys.stdout.isatty()
        for item, repair in results:
            data = self.writer.encoded(item, repair)
            if not terminal:
                sys.stdout.buffer.write(data)
            elif data:
                self.session.progress.clear()
                whole = repair and not isinstance(item.form, Line) and not self.session.html_in_place
                shown = repair.text if repair and whole else data.decode("utf-8", "replace")
                sys.stdout.write(plain(shown, "\n\t"))
            if self.session.verbose:
                _tell(self.session, item, repair)
        sys.stdout.flush()


class ToDiff:
    """A unified diff of what would change."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def admits(self, source: Source) -> bool:
        return True

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
                name = source.name if item.line is None else f"{source.name}:{item.line}"
                lines = diff(name, item.article.text if item.article else "", repair.edits)
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

    def __init__(self, session: Session, bad: BadLines, backup: str = "") -> None:
        self.session, self.writer, self.backup = session, _Writer(session, bad), backup

    def admits(self, source: Source) -> bool:
        return True

    def __call__(self, source: Source, results: Results) -> None:
        for first, changed in _ahead(source, results):
            path = self._writable(source)
            replaced = replacing(path, backup=self.backup, stamp=first.stamp, packing=source.packing)
            with suppress(_Drop), replaced as file:
                if not self.writer.all(file, source, changed):
                    raise _Drop

    def _writable(self, source: Source) -> Path:
        message = None
        if source.format == "html" and not self.session.html_in_place:
            message = "html is extracted, so it can't be written in place; use --html in-place, or -o DIR for the text"
        elif source.format == "warc":
            message = "a warc file is an archive, which is not rewritten; use -o DIR for its pages as jsonl"
        elif source.path is None or not source.path.is_file():
            message = "only a regular file can be written in place; use stdout"
        if message or source.path is None:
            raise InputError(f"{source.name}: {message}", "not-writable")
        return source.path


class ToFolder:
    """The same places below another folder. Html becomes text and says so by its name.

    ledger: where to note what is done, and to find what was; None where nobody will go on with the run.
    """

    def __init__(self, session: Session, bad: BadLines, root: Path, ledger: Ledger | None = None) -> None:
        self.session, self.writer, self.root, self.ledger = session, _Writer(session, bad), root, ledger
        self.written: dict[Path, str] = {}

    def admits(self, source: Source) -> bool:
        target = self._target(source)
        if self.ledger and self.ledger.has(source, target):
            self.written[target] = source.name
            return False
        return True

    def __call__(self, source: Source, results: Results) -> None:
        for _, all_of_it in _ahead(source, results, always=True):
            target = self._target(source)
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise InputError(f"{target.parent}: can't make this folder ({error.strerror})", "unwritable") from None
            packing = "" if self._extracted(source) else source.packing
            with suppress(_Drop), replacing(target, packing=packing) as file:
                self.writer.all(file, source, all_of_it)
                self.written[target] = source.name
            if self.ledger and target in self.written:
                self.ledger.done(source)

    def _target(self, source: Source) -> Path:
        """Where the source's text goes; never onto an input, nor onto what this run wrote."""
        lines = source.format in LINES
        inside = source.inside or Path("stdin.jsonl" if lines else "stdin.txt")
        name = inside.name
        if self._extracted(source):
            name = f"{name.removesuffix(f'.{source.packing}')}.txt"
        elif source.format == "warc" and source.inside:
            packed = f".{source.packing}" if source.packing else ""
            name = f"{name.removesuffix(packed)}.jsonl{packed}"
        target = self.root / inside.with_name(name)
        if source.path and target.exists() and os.path.samefile(source.path, target):
            raise InputError(f"{source.name}: -o would overwrite the input itself; use -w for that", "same-file")
        if other := self.written.get(target):
            raise InputError(f"{source.name}: {target} was already written from {other}; use another -o", "same-file")
        return target

    def _extracted(self, source: Source) -> bool:
        return source.format == "html" and not self.session.html_in_place


def _ahead(source: Source, results: Results, *, always: bool = False) -> Iterator[tuple[Item, Results]]:
    """The results with their first item, so that a file is only opened for writing when there is something to write.

    Yields nothing for a source that could not be read at all or, unless ``always``, for one that needs no change. A
    line format is streamed: whether it changes is seen while writing.
    """
    iterator = iter(results)
    if source.format in (*LINES, "parquet"):
        first = next(iterator, None)
        if first and not _fatal(first[0]):
            yield first[0], _chain(first, iterator)
        return
    held = list(iterator)  # one article, and the error that followed it
    if any(_fatal(item) or item.dropped for item, _ in held):
        return
    if held and (always or any(repair and repair.edits for _, repair in held)):
        yield held[0][0], held


def _chain(first: tuple[Item, Repair | None], rest: Results) -> Iterator[tuple[Item, Repair | None]]:
    yield first
    yield from rest


def _fatal(item: Item) -> bool:
    """The error of a whole file, after which what was read of it is worth nothing (and was told already)."""
    return item.error is not None and item.line is None


class _Writer:
    """Turns results into bytes. ``bad``: what becomes of a record that can't be read."""

    def __init__(self, session: Session, bad: BadLines) -> None:
        self.session, self.bad = session, bad

    def all(self, file: BinaryIO, source: Source, results: Results) -> bool:
        """Write the results of a source and tell every change; whether it changed."""
        if source.format == "parquet":
            return self._rows(file, results)
        changed = False
        for item, repair in results:
            if _fatal(item):
                raise _Drop
            data = self.encoded(item, repair)
            file.write(data)
            _tell(self.session, item, repair)
            changed |= data != item.raw
        return changed

    def encoded(self, item: Item, repair: Repair | None) -> bytes:
        """The item's bytes, repaired where it has a repair."""
        if item.dropped or _fatal(item):
            return b""
        if item.error:
            if self.bad == "record" or (self.bad == "keep" and not item.raw):
                return json_line(error_row(item.id, item.error)).encode() + b"\n"
            return item.raw if self.bad == "keep" else b""
        if not repair:
            return item.raw
        begin = time.perf_counter()
        try:
            return self._repaired(item, repair)
        except InputError as error:
            raise InputError(f"{item.source.name}: {error}", error.code) from None
        finally:
            self.session.tally.spend({"write": time.perf_counter() - begin})

    def _repaired(self, item: Item, repair: Repair) -> bytes:
        if isinstance(item.form, Line):
            changes = self._changes(item, repair)
            return item.form.encode(item.raw, changes) if changes else item.raw
        if isinstance(item.form, Page):
            return item.form.encode(repair.edits) if repair.edits else item.raw
        return item.encode(repair.text)

    def _changes(self, item: Item, repair: Repair) -> dict[str, Any]:
        before = item.article.text if item.article else ""
        return self.session.record.changes(item.id, before, repair, self.session.config.text_field)

    def _rows(self, file: BinaryIO, results: Results) -> bool:
        from repair.parquet import write

        new = self.session.record.new(self.session.config.text_field)
        changed = bool(new)

        def rows() -> Iterator[tuple[Any, Mapping[str, str] | None]]:
            nonlocal changed
            for item, repair in results:
                if _fatal(item):
                    raise _Drop
                changes = self._changes(item, repair) if repair else {}
                changed |= bool(changes) or item.dropped
                _tell(self.session, item, repair)
                texts = {k: v if isinstance(v, str) else json_line(v) for k, v in changes.items()}
                yield item.form, None if item.dropped else texts

        write(file, rows(), new)
        return changed


def _tell(session: Session, item: Item, repair: Repair | None) -> None:
    """Say what changes in an article: nothing is rewritten in silence."""
    if repair and repair.edits and item.article:
        paint = session.error_paint
        lines = changes_text(item.article.text, repair.edits, paint)
        text = "\n".join([f"{paint(plain(item.id), bold=True)}:", *lines])
        session.say(text, event="changed", source=item.source.name, line=item.line, id=item.id, edits=len(repair.edits))


def _line_diff(name: str, item: Item, repair: Repair, headed: bool) -> Iterator[str]:
    """One changed line of a jsonl file, without surroundings: those are other articles."""
    if not headed:
        yield f"--- {name}\n"
        yield f"+++ {name}\n"
    old, new = (data.decode("utf-8").rstrip("\n") for data in (item.raw, item.encode(repair.text)))
    yield f"@@ -{item.line} +{item.line} @@\n"
    yield f"-{old}\n"
    yield f"+{new}\n"
