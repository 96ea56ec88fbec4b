"""How far a run has come: a bar on a terminal, or a line of JSON now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, BinaryIO

from repair.display import plain
from repair.sources import Missing, Source

WIDTH = 24
MANY = 5  # files, from which on a bar is shown at once
SOON = 1.0  # seconds after which it is shown for fewer
EVERY = 0.1  # seconds between two drawings
EVERY_LINE = 10.0  # seconds between two lines of JSON


class Progress:
    """Follows a run by the bytes of its files. The bar stands on stderr; clear it before anything else is printed.

    log: takes the figures now and then instead, where logs are for machines.
    """

    def __init__(
        self,
        found: Sequence[Source | Missing] = (),
        *,
        quiet: bool,
        log: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        self.files, self.done, self.articles, self.name = len(found), 0, 0, ""
        self._log = log
        self._sizes = [_size(source) for source in found]
        self._total = sum(size or 0 for size in self._sizes)
        self._known = all(size is not None for size in self._sizes)
        self._past = 0  # bytes of the files that are done
        self._file: BinaryIO | None = None
        self._begun = time.monotonic()
        self._next = self._begun + (EVERY_LINE if log else 0 if self.files >= MANY else SOON)
        self._on = bool(found) and (log is not None or (not quiet and sys.stderr.isatty()))
        self._drawn = False

    def step(self, name: str) -> None:
        """One more file begun."""
        if self.done:
            self._past += self._sizes[self.done - 1] or 0
        self.done += 1
        self.name, self._file = name, None
        self._draw(now=self.files >= MANY and not self._log)

    def watch(self, file: BinaryIO) -> None:
        """The file being read, whose position tells how much of it is done."""
        self._file = file

    def count(self) -> None:
        """One more article done."""
        self.articles += 1
        self._draw()

    def clear(self) -> None:
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._drawn = False

    def figures(self) -> dict[str, Any]:
        """Files, articles, articles a second, and the seconds that remain where that can be told."""
        took = max(time.monotonic() - self._begun, 1e-6)
        share = self._share()
        return {
            "file": self.done,
            "files": self.files,
            "articles": self.articles,
            "per_second": round(self.articles / took, 1),
            "share": None if share is None else round(share, 4),
            "remaining_seconds": round(took / share - took) if share and self.articles else None,
        }

    def _share(self) -> float | None:
        """How much of the input is done, 0 to 1."""
        if not self._known or not self._total:
            return None
        here = 0
        if self._file is not None:
            with suppress(OSError, ValueError):  # closed, or a pipe
                here = self._file.tell()
        return min(1.0, (self._past + here) / self._total)

    def _draw(self, now: bool = False) -> None:
        if not self._on or (not now and time.monotonic() < self._next):
            return
        figures = self.figures()
        if self._log:
            self._next = time.monotonic() + EVERY_LINE
            self._log(figures)
            return
        self._next = time.monotonic() + EVERY
        share = figures["share"]
        if share is None:
            share = (self.done - 1) / max(1, self.files) if self._known else None
        filled = 0 if share is None else round(WIDTH * share)
        bar = "" if share is None else f"{'█' * filled}{'·' * (WIDTH - filled)} "
        rate = f" {figures['per_second']:,.1f}/s" if self.articles else ""
        left = "" if figures["remaining_seconds"] is None else f" {_clock(figures['remaining_seconds'])} left"
        sys.stderr.write(f"\r\x1b[K{bar}{self.done}/{self.files} {plain(self.name)[-40:]}{rate}{left}")
        sys.stderr.flush()
        self._drawn = True


def _size(source: Source | Missing) -> int | None:
    """The bytes of an input; None where that can't be told."""
    if isinstance(source, Missing):
        return 0
    if source.path is None:
        return None
    with suppress(OSError):
        if source.path.is_file():
            return source.path.stat().st_size
    return None


def _clock(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
