"""The command ``repair``. Light to import: everything that reads articles is imported when a command runs."""

from __future__ import annotations

import io
import os
import signal
import sys
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from repair.errors import ArtifactError, InputError, OutputError, RepairError, UsageError
from repair.learn_command import learn
from repair.lexicon_commands import lexicon
from repair.options import Colour, Input, Judging, Running, session, shares

USAGE, UNREADABLE, INTERNAL, INTERRUPTED, CLOSED_PIPE, TERMINATED = 2, 3, 4, 130, 141, 143
SHOWN = ("missed", "wrong", "alarm", "harm", "clean")


class Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a run as Ctrl-C does: workers stopped, temporary files removed."""


class Commands(TyperGroup):
    """The one place where what goes wrong becomes a message and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except RepairError as error:
            codes = {InputError: UNREADABLE, OutputError: UNREADABLE, ArtifactError: INTERNAL}
            code = codes.get(type(error), USAGE)
            _complain(str(error))
        except KeyboardInterrupt as error:
            terminated = isinstance(error, Terminated)
            said = "terminated" if terminated else "interrupted"
            _complain(f"{said}; what was finished is kept, the rest is as it was")
            code = TERMINATED if terminated else INTERRUPTED
        except BrokenPipeError:
            _let_go()  # whoever read our output has enough
            code = CLOSED_PIPE
        except Exception as error:
            if type(error).__module__.startswith(("typer", "click")):
                raise
            if "REPAIR_TRACEBACK" in os.environ:
                raise
            if _full(error):
                _let_go()
                said = f"no room for the output ({error}); what was printed is not complete; free space and run again"
                _complain(said)
                raise typer.Exit(UNREADABLE) from None
            _complain(f"internal error: {type(error).__name__}: {error}; set REPAIR_TRACEBACK=1 for a report to us")
            code = INTERNAL
        raise typer.Exit(code)


app = typer.Typer(
    cls=Commands,
    name="repair",
    help="Finds and undoes the wording that article spinners and round-trip translation leave in text.",
    no_args_is_help=True,
    rich_markup_mode=None,  # rich takes longer to import than everything else here
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(lexicon, name="lexicon")
app.command()(learn)

Paths = Annotated[list[str], typer.Argument(metavar="PATH...", help="Files, folders, globs, or - for stdin.")]


@app.callback(invoke_without_command=True)
def common(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Finds and undoes the wording that article spinners and round-trip translation leave in text.

    Exit codes: 0 nothing found, 1 findings remain, 2 usage or configuration, 3 an input or a record could not be read
    or judged or an output written, 4 internal error, 130 interrupted, 143 terminated.
    """
    if version:
        from repair import __version__

        print(f"mt-repair {__version__}")
        raise typer.Exit


@app.command()
@shares
def check(
    paths: Paths,
    options: Running,
    format: Annotated[
        Literal["text", "jsonl", "github", "html"], typer.Option("--format", help="What to print.")
    ] = "text",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="html: an index and a page an article there.")
    ] = None,
    header: Annotated[
        bool, typer.Option("--header", help="With jsonl: first a line with version, options and hashes.")
    ] = False,
) -> None:
    """Report what reads like a machine's wording. Never writes."""
    from contextlib import closing

    from repair.display import error_row, github, json_line, report_text
    from repair.report import SCHEMA

    if output and format != "html":
        raise UsageError("-o holds pages; add --format html, or drop it")
    run = session(options)
    if header and format == "jsonl":
        print(json_line({"schema": SCHEMA, "run": run.provenance()}))
    with closing(run.results(paths, options.input)) as results:
        reports = ((item, repair.report if repair else None) for item, repair in results)
        if format == "html":
            from repair.pages import to_folder, to_stdout

            to_folder(reports, output, run) if output else to_stdout(reports, run)
        for item, report in () if format == "html" else reports:
            lines: list[str] = []
            if format == "jsonl":
                if item.error:
                    lines = [json_line(error_row(item.id, item.error))]
                elif report:
                    lines = [json_line(report.to_dict(item.id))]
            elif report and item.article and format == "github":
                lines = list(github(item.source.name, item.article.text, report))
            elif report and item.article and (report.findings or report.verdict.label != "clean" or run.verbose):
                lines = list(report_text(item.id, item.article.text, report, run.paint, verbose=run.verbose > 0))
            if lines:
                if sys.stdout.isatty():
                    run.progress.clear()
                print("\n".join(lines))
    run.finish("would be replaced", options.stats)
    raise typer.Exit(run.code(run.tally.findings, options.exit_zero))


@app.command()
@shares
def fix(
    paths: Paths,
    options: Running,
    write: Annotated[bool, typer.Option("-w", "--write", help="Replace the files themselves.")] = False,
    backup: Annotated[str, typer.Option(metavar="SUFFIX", help="With -w: keep the old file under this suffix.")] = "",
    diff: Annotated[bool, typer.Option("--diff", help="Print what would change, as a unified diff.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Write into this folder.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="With -o: leave out what a broken run had done.")] = False,
    output_field: Annotated[
        str | None, typer.Option(metavar="NAME", help="Put the text into this new field, and leave the old one.")
    ] = None,
    report_field: Annotated[
        Literal["full", "counts", "none"], typer.Option("--report-field", help="Add findings and verdict to records.")
    ] = "none",
    report_key: Annotated[str, typer.Option(metavar="NAME", help="The field that --report-field adds.")] = "repair",
    no_rewrite: Annotated[bool, typer.Option("--no-rewrite", help="Leave all texts as they are: only weed.")] = False,
    bad_lines: Annotated[
        Literal["keep", "drop", "record"] | None,
        typer.Option("--bad-lines", help="What becomes of records that can't be read. [keep; with --errors drop]"),
    ] = None,
) -> None:
    """Print the cleaned text, or write it where told: -w, -o, or --diff to see it first."""
    from contextlib import closing

    from repair.ledger import Ledger
    from repair.output import InPlace, Output, ToDiff, ToFolder, ToStdout
    from repair.record import Record

    if write + diff + (output is not None) > 1:
        raise UsageError("-w, --diff and -o exclude each other; choose one")
    if backup and not write:
        raise UsageError("--backup keeps what -w replaces; add -w, or drop it")
    if backup and (os.sep in backup or "/" in backup or "\0" in backup):
        raise UsageError("--backup takes a suffix such as .bak, not a path")
    if write and "-" in paths:
        raise UsageError("stdin can't be written in place; drop -w, or name a file")
    if (write or diff) and (options.drop_if or options.keep_if):
        raise UsageError("--drop-if and --keep-if leave articles out of what is printed, or written with -o; drop -w")
    if resume and not output:
        raise UsageError("--resume goes with -o; a run with -w can simply be started again")
    run = session(options)
    run.rewrite = not no_rewrite
    if report_key in (run.config.text_field, output_field):
        raise UsageError(f"--report-key {report_key!a} is the field of the text; choose another name")
    of = run.provenance()["run"] if report_field != "none" or output else ""
    run.record = Record(output_field, report_field, report_key, of)
    bad = bad_lines or ("drop" if options.errors else "keep")
    ledger = None
    put: Output = ToStdout(run, bad)
    if write:
        put = InPlace(run, bad, backup)
    elif diff:
        put = ToDiff(run)
    elif output:
        shape = options.html, options.drop_if, options.keep_if, output_field, report_field, report_key, no_rewrite, bad
        ledger = Ledger(output, f"{of} {shape}", resume=resume)
        put = ToFolder(run, bad, output, ledger)
    try:
        with closing(run.results(paths, options.input, put.admits)) as results:
            for source, group in groupby(results, key=lambda result: result[0].source):
                try:
                    put(source, group)
                except InputError as error:
                    run.failed(error)
    except BaseException:
        if ledger:
            ledger.close(complete=False)
        raise
    if ledger:
        ledger.close(complete=not run.tally.unreadable)
    told_only = diff or no_rewrite
    run.finish("would be replaced" if told_only else "replaced", options.stats)
    remain = run.tally.findings - (0 if told_only else run.tally.replacements)
    raise typer.Exit(run.code(remain, options.exit_zero))


@app.command()
@shares
def explain(
    path: Annotated[str, typer.Argument(metavar="PATH", help="A file, or - for stdin.")],
    options: Judging,
    at: Annotated[str, typer.Option("--at", metavar="LINE:COL", help="The place, both from 1, in characters.")],
    id: Annotated[str | None, typer.Option("--id", help="Which article of a jsonl file. [the first]")] = None,
    format: Annotated[Literal["text", "jsonl"], typer.Option("--format", help="What to print.")] = "text",
    input: Annotated[Input | None, typer.Option("--input", help="Read PATH as this, whatever its ending.")] = None,
    color: Annotated[Colour, typer.Option("--color", help="When to colour; NO_COLOR is obeyed.")] = "auto",
) -> None:
    """Show every candidate at a place, its scores, and why it won or lost."""
    from dataclasses import asdict

    from repair.display import Paint, Places, explain_text, json_line, wants_colour

    line, colon, column = at.partition(":")
    if not (colon and line.isascii() and line.isdigit() and column.isascii() and column.isdigit() and len(at) < 20):
        raise UsageError(f"--at takes LINE:COL, such as 3:14, not {at!a}")
    run = session(options)
    run.paint = Paint(wants_colour(color, sys.stdout))
    items = (item for item in run.items([path], input) if item.article and id in (None, item.id))
    article = next((item.article for item in items), None)
    if article is None:
        if not run.tally.unreadable:
            raise UsageError(f"{path}: no article {id!a} there; `repair check --format jsonl` prints the ids")
        raise typer.Exit(UNREADABLE)
    offset = Places(article.text).offset(int(line), int(column))
    if offset is None:
        raise UsageError(f"{path}: the article has no place {at}; `repair check` prints places")
    candidates = run.repairer().explain(article, offset)
    if format == "jsonl":
        print("\n".join(json_line(asdict(candidate)) for candidate in candidates))
    else:
        print("\n".join(explain_text(article.text, candidates, run.paint)))
    if not candidates:
        run.say(f"nothing was considered at {at}: no source proposes another wording there")


@app.command()
@shares
def evaluate(
    gold: Annotated[Path, typer.Argument(metavar="GOLD", help="Annotated articles, jsonl.")],
    options: Judging,
    clean: Annotated[Path | None, typer.Option(metavar="FILE", help="jsonl articles that hold no artifact.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    show: Annotated[str, typer.Option(metavar="KINDS", help=f"List cases too: {','.join(SHOWN)}")] = "",
) -> None:
    """Score the findings on your own annotated articles.

    GOLD has a line for each article: {"id", "text", "units": [{"start", "end", "observed", "originals": [...],
    "optional": false}]}. A unit is one replaced word or phrase, in code points, end exclusive. precision and recall
    count findings that meet a unit; top1 and top5 units whose original is among the first suggestions; edit_... what
    would be rewritten; clean_... how much is found in clean text (--clean).
    """
    from repair.display import json_line, plain
    from repair.evaluate import read_gold, score, score_clean
    from repair.report import Article

    kinds = [kind.strip() for kind in show.split(",") if kind.strip()]
    if unknown := set(kinds) - set(SHOWN):
        raise UsageError(f"--show takes {', '.join(SHOWN)}, not {min(unknown)!a}")
    run = session(options)
    articles = read_gold(gold)
    reports = run.repairer().check_stream(Article(article.text, article.id) for article in articles)
    figures = score(articles, dict(zip((article.id for article in articles), reports, strict=True)))
    lists = figures.pop("lists")
    if clean:
        figures |= score_clean(repair.report for _, repair in run.results([str(clean)], "jsonl") if repair)
        lists["clean"] = figures.pop("clean_list")
    print(json_line(figures) if json else "\n".join(f"{name:28} {value}" for name, value in figures.items()))
    for kind in kinds:
        cases = lists.get(kind, [])
        print("\n  ".join([f"\n{kind} ({len(cases)})", *map(plain, cases)]))
    raise typer.Exit(run.code(0, exit_zero=True))


@app.command()
@shares
def review(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Files, folders, globs.")],
    options: Judging,
    plain: Annotated[
        bool, typer.Option("--plain", help="Line by line, for screen readers and dumb terminals.")
    ] = False,
    web: Annotated[
        bool, typer.Option("--web", help="In the browser, on a page that only this machine can open.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="With --web: listen there. [any free one]")] = 0,
    browser: Annotated[bool, typer.Option(help="With --web: open the browser.")] = True,
    finish: Annotated[bool, typer.Option("--apply", help="Ask nothing; take the decisions from the journal.")] = False,
    journal: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep decisions here. [beside each article, .review]")
    ] = None,
    ignore_scope: Annotated[
        Literal["user", "project"] | None,
        typer.Option(
            "--ignore-scope", help='Where "ignore always" goes: your lexicon, or the project\'s. [asked once]'
        ),
    ] = None,
    write: Annotated[bool, typer.Option("-w", "--write", help="At the end, replace the files themselves.")] = False,
    backup: Annotated[str, typer.Option(metavar="SUFFIX", help="With -w: keep the old file under this suffix.")] = "",
    diff: Annotated[bool, typer.Option("--diff", help="At the end, print what the decisions change.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="At the end, write into this folder.")
    ] = None,
    input: Annotated[
        Input | None, typer.Option("--input", help="Read every PATH as this, whatever its ending.")
    ] = None,
    ignore_files: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Skip these files. Repeatable.")
    ] = None,
    color: Annotated[Colour, typer.Option("--color", help="When to colour; NO_COLOR is obeyed.")] = "auto",
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit 0 also when findings remain.")] = False,
) -> None:
    """Decide each suggestion with one key, in the terminal or in the browser; every decision is kept at once.

    Decisions are kept beside the article (article.txt.review); the next review goes on from there. Articles are only
    changed by -w.
    """
    own = locals()
    from dataclasses import asdict

    from repair.review_command import run

    raise typer.Exit(run(session({**asdict(options), **own}), paths, input, own))


def _full(error: Exception) -> bool:
    from repair.write import full

    return full(error)


def _let_go() -> None:
    """Nothing more to stdout: Python would complain again when it flushes it at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(message: str) -> None:
    from repair.display import plain

    print(f"repair: {plain(message)}", file=sys.stderr)


def main() -> None:
    """The entry point."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What is piped on is UTF-8 with plain line ends on every system; a terminal keeps its encoding.
            options: dict[str, Any] = {} if stream.isatty() else {"encoding": "utf-8", "newline": "\n"}
            stream.reconfigure(errors="backslashreplace", **options)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        app()
    except KeyboardInterrupt as error:
        sys.exit(TERMINATED if isinstance(error, Terminated) else INTERRUPTED)


def _terminate(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough
    raise Terminated


if __name__ == "__main__":
    main()
