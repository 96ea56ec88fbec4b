"""``repair review``: checks the articles, opens the journal, runs an interface, puts away what was decided."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from repair.config import user_lexicon
from repair.display import plain
from repair.errors import InputError, UsageError
from repair.items import Item
from repair.journal import SUFFIX, Journal, beside
from repair.learning import Learning
from repair.ledger import Ledger
from repair.lexicon_commands import silence
from repair.output import InPlace, Output, ToDiff, ToFolder
from repair.read import Format
from repair.report import Report
from repair.review import Entry, Review
from repair.session import Session

MOST = 5_000  # articles with findings; more than anybody reviews in one go, and all are held in memory


@dataclass(frozen=True, slots=True)
class Ways:
    """How to review, and what to do with the result at the end."""

    plain: bool = False
    web: bool = False
    finish: bool = False
    port: int = 0
    browser: bool = True
    journal: Path | None = None
    write: bool = False
    backup: str = ""
    diff: bool = False
    output: Path | None = None
    exit_zero: bool = False


def run(session: Session, paths: Sequence[str], input: Format | None, ways: Ways) -> int:
    """The whole command; the exit code."""
    if ways.plain + ways.web + ways.finish > 1:
        raise UsageError("--plain, --web and --apply exclude each other; choose one")
    if "-" in paths:
        raise UsageError("a review can't read articles from stdin, since it keeps a journal beside them; name a file")
    _sensible(ways)
    with closing(session.results(paths, input)) as results:
        held = [(item, repair.report if repair else None) for item, repair in results]
    entries, items = _entries(held)
    if not entries:
        session.say("nothing to review: no article with findings" if held else "nothing to review")
        return session.code(0, True)
    files = {
        entry.name: ways.journal or beside(item.source.path)
        for entry, item in zip(entries, items, strict=True)
        if item.source.path
    }
    journal = Journal(files)
    try:
        review = Review(entries, journal, silence)
        _greet(session, review)
        _interface(review, session, ways)
        _learn(review)
        put = _output(session, ways)
        if put:
            _put(put, session, held, items, review, in_place=ways.write)
    finally:
        journal.close()
    counts = review.counts()
    remain = counts["open"] + counts["skip"]
    changes = sum(len(review.edits(e)) for e in range(len(entries)))
    session.say(f"{len(review) - remain:,} of {len(review):,} decided, {changes:,} changes")
    if changes and not put:
        session.say("the articles are as they were; repair review --apply with -w, -o DIR or --diff puts them in place")
    return session.code(remain, ways.exit_zero)


def _learn(review: Review) -> None:
    """Hand decisions to the user's own lexicon; equal wordings would make an ignore row, which only a key asks for."""
    learning = Learning(user_lexicon())

    def learn(observed: str, original: str, accepted: bool) -> None:
        if observed != original:
            learning.learn(observed, original, accepted)

    review.learn(learn)


def _sensible(ways: Ways) -> None:
    if ways.write + ways.diff + (ways.output is not None) > 1:
        raise UsageError("-w, --diff and -o exclude each other; choose one")
    if ways.backup and (not ways.write or any(c in ways.backup for c in "/\\\0")):
        raise UsageError("--backup takes a suffix such as .bak, and goes with -w")
    if ways.backup == SUFFIX:
        raise UsageError(f"{SUFFIX} is the journal's ending; give another --backup")


def _output(session: Session, ways: Ways) -> Output | None:
    if ways.output:
        return ToFolder(session, "keep", ways.output, Ledger(ways.output, "review", resume=False))
    return InPlace(session, "keep", ways.backup) if ways.write else ToDiff(session) if ways.diff else None


def _entries(held: Sequence[tuple[Item, Report | None]]) -> tuple[list[Entry], list[Item]]:
    """The articles that have findings or a journal, under names that stay the same on another machine."""
    entries, items, names = [], [], set[str]()
    for item, report in held:
        path = item.source.path
        if not (item.article and report and path and (report.findings or beside(path).exists())):
            continue
        name = f"{(item.source.inside or Path(path.name)).as_posix()}"
        if item.line is not None:
            name += f"#{item.id.removeprefix(item.source.name)}"
        while name in names:
            name += "'"
        names.add(name)
        entries.append(Entry(name, item.article, report))
        items.append(item)
        if len(entries) > MOST:
            raise UsageError(f"more than {MOST:,} articles to review; name fewer PATHs at a time")
    return entries, items


def _greet(session: Session, review: Review) -> None:
    for place in review.journal.broken:
        session.say(f"{plain(place)}: this line of the journal is broken (a write cut short?) and was passed over")
    for lost in review.lost:
        session.say(f"the article changed: {plain(str(lost))}; it is asked again where it is found")
    if review.done:
        session.say(f"resumed: {len(review.done):,} earlier decisions")


def _interface(review: Review, session: Session, ways: Ways) -> None:
    if ways.finish:
        return
    if ways.web:
        from repair.review_web import serve

        return serve(review, ways.port, ways.browser, session.say)
    if ways.plain or not (sys.stdin.isatty() and sys.stdout.isatty()):
        from repair.review_plain import review_plain

        return review_plain(review, session.paint)
    try:
        from repair.review_terminal import ReviewApp
    except ImportError as error:
        raise UsageError(
            f"this needs the extra review ({error}): pip install 'mt-repair[review]', or use --plain"
        ) from None
    ReviewApp(review).run()


def _put(
    put: Output,
    session: Session,
    held: Sequence[tuple[Item, Report | None]],
    items: Sequence[Item],
    review: Review,
    *,
    in_place: bool,
) -> None:
    """Put the reviewed articles away, source by source; an error of one is told and the others go on."""
    index = {id(item): e for e, item in enumerate(items)}
    results = [(item, review.repair(index[id(item)]) if id(item) in index else None) for item, _ in held]
    for source, group in groupby(results, key=lambda result: result[0].source):
        mine = list(group)
        try:
            for item, repair in mine if in_place else ():
                if repair:
                    review.written(index[id(item)])
            put(source, mine)
        except InputError as error:
            session.failed(error)
    if isinstance(put, ToFolder):
        put.ledger.close(complete=True)
