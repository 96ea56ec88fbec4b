"""One run of the command: settings, the Repairer they make, inputs read in order, errors told, results counted."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from repair.config import Config, user_lexicon
from repair.display import Paint, Progress, Tally, plain
from repair.errors import InputError
from repair.read import Fields, Format, Item, Missing, Source, find, read
from repair.report import Article, Repair, Report

if TYPE_CHECKING:
    from repair.repairer import Repairer

Result = TypeVar("Result")


@dataclass(slots=True)
class Session:
    """What the commands share. ``quiet`` 1 silences remarks, 2 also the errors of single inputs."""

    config: Config
    quiet: int = 0
    verbose: int = 0
    paint: Paint = field(default_factory=lambda: Paint(False))
    tally: Tally = field(default_factory=Tally)
    progress: Progress = field(default_factory=lambda: Progress(0, quiet=True))

    def repairer(self) -> Repairer:
        """The Repairer that the settings describe, with the user's own lexicon."""
        from repair.repairer import Repairer

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
        return Repairer(**{name: value for name, value in options.items() if value is not None})

    def items(self, paths: Sequence[str], input: Format | None) -> Iterator[Item]:
        """The articles of all inputs, in order. Errors are told here and counted; the items that hold them follow."""
        found = list(find(paths, input, self.config.ignore_files))
        self.progress = Progress(len(found), quiet=self.quiet > 0)
        fields = Fields(self.config.id_field, self.config.text_field)
        for source in found:
            if isinstance(source, Missing):
                self.failed(source.error)
                yield Item(Source(source.name, "text"), source.name, error=source.error)
                continue
            self.progress.step(source.name)
            for item in read(source, fields):
                if item.error:
                    self.failed(item.error)
                yield item
        self.progress.clear()

    def checked(self, items: Iterable[Item]) -> Iterator[tuple[Item, Report | None]]:
        """Each item with its report; None where it has no article."""
        for item, report in paired(items, self.repairer().check_stream):
            if report:
                self.tally.add(report)
            yield item, report

    def fixed(self, items: Iterable[Item]) -> Iterator[tuple[Item, Repair | None]]:
        """Each item with its repair; None where it has no article."""
        for item, repair in paired(items, self.repairer().fix_stream):
            if repair:
                self.tally.add(repair.report)
            yield item, repair

    def failed(self, error: InputError) -> None:
        """Tell and count an input that can't be read or written."""
        self.tally.unreadable += 1
        if self.quiet < 2:
            self.say(f"{self.error_paint('error', 'red')}: {plain(str(error))}", always=True)

    def say(self, line: str, *, always: bool = False) -> None:
        """A remark, on stderr: stdout is for results."""
        if always or not self.quiet:
            self.progress.clear()
            print(line, file=sys.stderr)

    @property
    def error_paint(self) -> Paint:
        return Paint(self.paint.on and sys.stderr.isatty())

    def code(self, findings: int, exit_zero: bool) -> int:
        """The exit code: 3 an input could not be read, 1 findings remain, 0 neither."""
        if self.tally.unreadable:
            return 3
        return int(findings > 0 and not exit_zero)


def paired(
    items: Iterable[Item], run: Callable[[Iterable[Article]], Iterator[Result]]
) -> Iterator[tuple[Item, Result | None]]:
    """Each item with the result of its article, in order, however far ahead ``run`` reads.

    An item without an article goes through as an empty one, so that what waits here is never more than ``run`` holds.
    """
    waiting: deque[Item] = deque()

    def articles() -> Iterator[Article]:
        for item in items:
            waiting.append(item)
            yield item.article or Article("", item.id)

    for result in run(articles()):
        item = waiting.popleft()
        yield item, result if item.article else None
