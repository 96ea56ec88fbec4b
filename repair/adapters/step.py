"""What all adapters share: texts in, the fields that change out, models loaded once in a process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any, NoReturn, get_args

from repair.decode import refuse_surrogates
from repair.display import error_row
from repair.errors import InputError, UsageError
from repair.filters import Filter
from repair.record import Detail, Record
from repair.repairer import Repairer
from repair.report import Article, Repair
from repair.workers import Outcome, analysed

SLICE = 64  # texts judged at once: where one of them is a bug's victim, so many are tried again one by one
_lock = Lock()
_loaded: dict[str, tuple[Repairer, str]] = {}  # by options


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one text.

    changes: the fields of the record that change or are new. repair: None where there was no text, or an error.
    dropped: a filter took the record.
    """

    changes: Mapping[str, Any] = field(default_factory=dict)
    repair: Repair | None = None
    error: InputError | None = None
    dropped: bool = False

    def counts(self) -> Iterator[tuple[str, int]]:
        """What an engine's statistics are to add up, by name."""
        if self.error:
            yield f"errors/{self.error.code}", 1
        if self.repair:
            report = self.repair.report
            yield f"verdict/{report.verdict.label}", 1
            yield "words", report.words
            yield "findings", len(report.findings)
            yield "replacements", sum(finding.action == "replace" for finding in report.findings)


class Step:
    """Settings of a step, light to copy and to pickle: engines do both. The models stay with the process.

    report: how much of the report goes into the record: "full", "counts" or "none". key: the field it goes into.
    output: the field that gets the repaired text, None for the one it came from. rewrite: False leaves texts alone.
    drop_if, keep_if: conditions such as "verdict>=spun", one or several. options: those of repair.Repairer.
    Raises UsageError for a setting that makes no sense, TypeError for one that there is not.
    """

    def __init__(
        self,
        *,
        report: Detail = "counts",
        key: str = "repair",
        output: str | None = None,
        rewrite: bool = True,
        drop_if: str | Sequence[str] = (),
        keep_if: str | Sequence[str] = (),
        **options: Any,
    ) -> None:
        if report not in get_args(Detail):
            raise UsageError(f"unknown report {report!a}; it is {', '.join(get_args(Detail))}")
        self.record = Record(output, report, key)
        self.rewrite = rewrite
        self.filter = Filter.parse(_several(drop_if), _several(keep_if))
        if "lexicons" in options:  # paths come as strings from configurations
            options["lexicons"] = [Path(path) for path in options["lexicons"]]
        self.options = options
        Repairer(**options)  # loads nothing, but what is wrong with the options is said here, not in some worker

    def results(self, texts: Sequence[object], ids: Sequence[str], name: str = "text") -> list[Result]:
        """The result of each text, in order; None is no text. name: of the field that the texts stand in.

        A text that can't be judged gives a result with an error, and the others go on.
        """
        articles: list[Article] = []
        outcomes: list[Outcome | None] = []
        for text, id in zip(texts, ids, strict=True):
            outcomes.append(_refused(text))
            if isinstance(text, str) and not outcomes[-1]:
                articles.append(Article(text, id))
        repairer, run = loaded(self.options) if articles else (None, "")
        parts = [articles[at : at + SLICE] for at in range(0, len(articles), SLICE)]
        judged = iter([outcome for part in parts for outcome in analysed(repairer, part)] if repairer else [])
        record = replace(self.record, run=run)
        out: list[Result] = []
        for text, id, outcome in zip(texts, ids, outcomes, strict=True):
            if isinstance(text, str) and outcome is None:
                outcome = next(judged)
            if isinstance(outcome, InputError):
                changes = {record.key: error_row(id, outcome)} if record.report != "none" else {}
                out.append(Result(changes, error=outcome))
            elif outcome is None or not isinstance(text, str):
                out.append(Result())
            else:
                if not self.rewrite:
                    outcome = Repair(text, (), outcome.report)
                changes = record.changes(id, text, outcome, name)
                out.append(Result(changes, outcome, dropped=self.filter.drops(outcome.report)))
        return out

    def new(self, name: str = "text") -> tuple[str, ...]:
        """The fields that are added to records whose text is in the field ``name``."""
        return self.record.new(name)


def loaded(options: Mapping[str, Any]) -> tuple[Repairer, str]:
    """The Repairer of these options, made once in a process, and the hash that says what its results depend on.

    Raises UsageError where a lexicon can't be read.
    """
    from repair import repairer
    from repair.provenance import provenance

    key = repr(sorted(options.items()))
    with _lock:
        if key not in _loaded:
            try:
                _loaded[key] = repairer.Repairer(**options), provenance(options)["run"]
            except OSError as error:
                message = (
                    f"{error.filename}: it can't be read ({error.strerror}); name lexicons that every process sees"
                )
                raise UsageError(message) from None
        return _loaded[key]


def missing(extra: str, package: str, error: ImportError) -> NoReturn:
    """Raise the error for an adapter whose engine is not installed, or too old."""
    message = f"repair.adapters.{extra} needs the package {package} ({error}); pip install -U 'mt-repair[{extra}]'"
    raise ImportError(message, name=error.name) from error


def _several(conditions: str | Sequence[str]) -> Sequence[str]:
    return (conditions,) if isinstance(conditions, str) else conditions


def _refused(text: object) -> InputError | None:
    """The error of a value that is no text that can be read; None is let pass."""
    if text is None:
        return None
    if not isinstance(text, str):
        return InputError(f"not a string but {type(text).__name__}; convert it, or name another field", "wrong-type")
    try:
        refuse_surrogates(text)
    except InputError as error:
        return error
    return None
