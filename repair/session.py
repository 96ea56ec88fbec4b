"""One run of the command: settings, the Repairer they make, inputs read in order, errors told, results counted."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from repair.config import Config, user_lexicon
from repair.display import Paint, json_line, plain
from repair.errors import InputError, UsageError
from repair.filters import Filter
from repair.items import Item
from repair.log import Log
from repair.progress import Progress
from repair.read import Fields, Format, Missing, Source, arrivals, find
from repair.record import Record
from repair.report import Repair
from repair.tally import Tally

if TYPE_CHECKING:
    from repair.repairer import Repairer
    from repair.workers import Outcome, Work

BATCH = 16  # articles
BATCH_CHARACTERS = 200_000  # more make a batch full
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(slots=True)
class Session:
    """What the commands share. ``quiet`` 1 silences remarks, 2 also the errors of single inputs."""

    config: Config
    quiet: int = 0
    verbose: int = 0
    paint: Paint = field(default_factory=lambda: Paint(False))
    jobs: int = 1
    batch: int = BATCH
    filter: Filter = field(default_factory=Filter)
    record: Record = field(default_factory=Record)
    rewrite: bool = True
    html_in_place: bool = False
    log_json: bool = False
    rejects: BinaryIO | None = None
    tally: Tally = field(default_factory=Tally)
    progress: Progress = field(default_factory=lambda: Progress(quiet=True))

    @property
    def log(self) -> Log:
        return Log(self.log_json, self.quiet)

    def options(self) -> dict[str, Any]:
        """The options of the Repairer that the settings describe, with the user's own lexicon."""
        config = self.config
        own = user_lexicon()
        options: dict[str, Any] = {
            "without": config.without,
            "ignore": config.ignore,
            "caution": config.caution,
            "lexicons": [*([own] if own.is_file() else []), *config.lexicons],
            "report_at": config.min_confidence,
            "rewrite_at": config.min_rewrite,
        }
        return {name: value for name, value in options.items() if value is not None}

    def repairer(self) -> Repairer:
        """The Repairer that the settings describe."""
        from repair.repairer import Repairer

        return Repairer(**self.options())

    def provenance(self) -> dict[str, Any]:
        """What the results depend on."""
        from repair.provenance import provenance

        return provenance(self.options())

    def items(self, paths: Sequence[str], input: Format | None) -> Iterator[Item]:
        """The articles of all inputs, in order. Errors are told here and counted; the items that hold them follow."""
        for item in self._arrivals(paths, input, lambda source: True):
            if item is not None:
                if item.error:
                    self.failed(item.error, item)
                yield item

    def results(
        self, paths: Sequence[str], input: Format | None, admits: Callable[[Source], bool] = lambda source: True
    ) -> Generator[tuple[Item, Repair | None]]:
        """Each item of all inputs with its repair; None where it has no article, an error, or was dropped by a filter.

        Errors are told and counted. admits: whether to read a source; may raise InputError. Close it to stop workers.
        """
        waiting: deque[list[Item]] = deque()

        def batches() -> Iterator[list[Any] | None]:
            for group in _grouped(self._arrivals(paths, input, admits), self.batch):
                if group is not None:
                    waiting.append(group)
                yield group if group is None else [item.article for item in group if item.article]

        with closing(self._work().run(batches())) as done:
            for outcomes in done:
                each = iter(outcomes)
                for item in waiting.popleft():
                    yield self._result(item, next(each) if item.article else None)
                sys.stdout.flush()  # so that whoever reads along sees the batch
        self.progress.clear()

    def _result(self, item: Item, outcome: Outcome | None) -> tuple[Item, Repair | None]:
        self.progress.count()
        if isinstance(outcome, InputError):
            item = replace(item, error=InputError(f"{item.id}: {outcome}", outcome.code))
        if item.error or not isinstance(outcome, Repair):
            if item.error:
                self.failed(item.error, item)
            return item, None
        repair = item.fitting(outcome)
        self.tally.add(repair.report)
        if self.filter.drops(repair.report):
            self.tally.dropped += 1
            return replace(item, dropped=True), None
        if not self.rewrite and item.article:
            repair = Repair(item.article.text, (), repair.report)
        return item, repair

    def _arrivals(
        self, paths: Sequence[str], input: Format | None, admits: Callable[[Source], bool]
    ) -> Iterator[Item | None]:
        """Items as they come; None while a pipe is silent."""
        found = list(find(paths, input, self.config.ignore_files))
        self.progress = Progress(found, quiet=self.quiet > 0, log=self._progressed if self.log_json else None)
        fields = Fields(self.config.id_field, self.config.text_field, self.record.new(self.config.text_field))
        for source in found:
            if isinstance(source, Missing):
                yield Item(Source(source.name, "text"), source.name, error=source.error)
                continue
            self.progress.step(source.name)
            try:
                if not admits(source):
                    self.tally.skipped += 1
                    continue
            except InputError as error:
                yield Item(source, source.name, error=error)
                continue
            yield from self._timed(arrivals(source, fields, in_place=self.html_in_place, watch=self.progress.watch))

    def _timed(self, items: Iterator[Item | None]) -> Iterator[Item | None]:
        """The items, and the time that reading them takes."""
        while True:
            begin = time.perf_counter()
            try:
                item = next(items)
            except StopIteration:
                return
            finally:
                self.tally.spend({"read": time.perf_counter() - begin})
            yield item

    def _work(self) -> Work:
        from repair.repairer import Repairer
        from repair.workers import Alone, Pool

        make = partial(Repairer, **self.options())
        return Pool(make, self.jobs, self.tally.spend) if self.jobs > 1 else Alone(make, self.tally.spend)

    def failed(self, error: InputError, item: Item | None = None) -> None:
        """Tell and count an input or a record that can't be read or written; a record also goes to ``rejects``."""
        self.tally.unreadable += 1
        self.tally.errors[error.code] += 1
        about = {"source": item.source.name, "line": item.line} if item else {}
        self.progress.clear()
        line = f"{self.error_paint('error', 'red')}: {plain(str(error))}"
        self.log(line, "unreadable", level="error", **about, code=error.code, message=str(error))
        if self.rejects and item:
            from repair.write import noting

            with noting(self.rejects.name):
                self.rejects.write(_rejected(item, error))
                self.rejects.flush()

    def say(self, text: str, /, *, always: bool = False, event: str = "remark", **fields: Any) -> None:
        """A remark, on stderr: stdout is for results."""
        self.progress.clear()
        if not fields:
            fields = {"message": text}
        self.log(text, event, level="error" if always else "info", **fields)

    def _progressed(self, figures: dict[str, Any]) -> None:
        self.log("", "progress", **figures)

    @property
    def error_paint(self) -> Paint:
        return Paint(self.paint.on and sys.stderr.isatty())

    def finish(self, done: str, stats: Path | None) -> None:
        """The summary, and the figures into the file ``stats``. ``done`` says what is true of the replacements."""
        lines = [self.tally.summary(done)]
        if self.verbose or self.tally.articles >= 1000:
            lines += self.tally.details()
        self.say("\n".join(lines), event="summary", **self.tally.to_dict())
        if stats:
            from repair.write import replacing

            figures = {**self.provenance(), "jobs": self.jobs, "batch": self.batch, **self.tally.to_dict()}
            with replacing(stats) as file:
                file.write(json.dumps(figures, indent=1).encode() + b"\n")

    def code(self, findings: int, exit_zero: bool) -> int:
        """The exit code: 3 an input could not be read, 1 findings remain, 0 neither."""
        if self.tally.unreadable:
            return 3
        return int(findings > 0 and not exit_zero)


def one_thread() -> None:
    """Have the numeric libraries use one thread, unless the user says otherwise; before they are imported.

    -j is what makes use of more cores. Sums of floats depend on how many threads share them, and results must not.
    """
    for name in THREADS:
        os.environ.setdefault(name, "1")


def rejects_file(path: Path) -> BinaryIO:
    """The file that takes records which can't be read. Raises UsageError where it can't be written."""
    try:
        return path.open("wb")
    except OSError as error:
        raise UsageError(f"{path}: it can't be written ({error.strerror}); name another file with --errors") from None


def _rejected(item: Item, error: InputError) -> bytes:
    """A line of --errors: where, why, and the record itself (in base64 where it is not UTF-8)."""
    row: dict[str, Any] = {"source": item.source.name, "line": item.line, "code": error.code, "message": str(error)}
    if item.line:
        try:
            row["raw"] = item.raw.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            from base64 import b64encode

            row["raw_base64"] = b64encode(item.raw).decode()
    return json_line(row).encode() + b"\n"


def _grouped(items: Iterable[Item | None], most: int) -> Iterator[list[Item] | None]:
    """Items in batches; what there is when nothing more comes for now, then None."""
    batch: list[Item] = []
    size = 0
    for item in items:
        if item is not None:
            batch.append(item)
            size += len(item.article.text) if item.article else len(item.raw)
        if batch and (item is None or len(batch) >= most or size >= BATCH_CHARACTERS):
            yield batch
            batch, size = [], 0
        if item is None:
            yield None
    if batch:
        yield batch
