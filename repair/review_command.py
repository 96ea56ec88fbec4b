"""``repair review``: checks the articles, opens the journal, runs an interface, puts away what was decided."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any

from repair.display import counted, plain
from repair.errors import InputError, RepairError, UsageError
from repair.ignoring import Ignoring
from repair.items import Item
from repair.journal import SUFFIX, Journal, beside
from repair.output import InPlace, Output, ToDiff, ToFolder
from repair.report import Report
from repair.review import Entry, Review
from repair.session import Session
from repair.sources import Format

MOST = 5_000  # articles with findings; more than anybody reviews in one go, and all are held in memory


def run(session: Session, paths: Sequence[str], input: Format | None, options: dict[str, Any]) -> int:
    """The whole command; the exit code."""
    ways = [name for name in ("plain", "web", "finish") if options[name]]
    if len(ways) > 1:
        raise UsageError("--plain, --web and --apply exclude each other; choose one")
    if "-" in paths:
        raise UsageError("a review can't read articles from stdin, since it keeps a journal beside them; name a file")
    way, put = ways[0] if ways else "", _output(session, options)
    if way == "web":  # what is missing is said before the articles are read, which takes long
        from repair.review_web import listening

        listening(options["port"]).close()
    if way != "finish":
        session.say(f"reading the articles{'; the address of the page follows' if way == 'web' else ''}")
    given = (paths, input, put.admits) if put else (paths, input)
    with closing(session.results(*given)) as results:
        held = [(item, repair.report if repair else None) for item, repair in results]
    entries, items = _entries(held)
    if not entries:
        session.say("nothing to review: no article with findings" if held else "nothing to review")
        return session.code(0, True)
    files = {
        entry.name: options["journal"] or beside(item.source.path)
        for entry, item in zip(entries, items, strict=True)
        if item.source.path
    }
    journal = Journal(files)
    try:
        review = Review(entries, journal, Ignoring(session.config, options["ignore_scope"]))
        _greet(session, review)
        _interface(way, review, session, options)
        _learn(session, review)
        if put:
            _put(put, session, held, items, review, in_place=options["write"])
    finally:
        journal.close()
    counts = review.counts()
    remain = counts["open"] + counts["skip"]
    changes = sum(len(review.edits(e)) for e in range(len(entries)))
    session.say(f"{len(review) - remain:,} of {len(review):,} decided, {counted(changes, 'change')}")
    if changes and not put:
        session.say("the articles are as they were; repair review --apply with -w, -o DIR or --diff puts them in place")
    return session.code(remain, options["exit_zero"])


def _learn(session: Session, review: Review) -> None:
    """Put what was decided into the user's lexicon. Where that can't be, the review holds all the same."""
    from repair.config import user_lexicon
    from repair.learning import Learning

    try:
        review.learn(Learning(user_lexicon()).follow)
    except (RepairError, OSError) as error:
        session.say(f"nothing was learned from the decisions: {plain(str(error))}")


def _output(session: Session, options: dict[str, Any]) -> Output | None:
    """Where the articles go in the end; None for nowhere yet."""
    write, backup = options["write"], options["backup"]
    if write + options["diff"] + (options["output"] is not None) > 1:
        raise UsageError("-w, --diff and -o exclude each other; choose one")
    if backup and (not write or any(c in backup for c in "/\\\0")):
        raise UsageError("--backup takes a suffix such as .bak, and goes with -w")
    if backup == SUFFIX:
        raise UsageError(f"{SUFFIX} is the journal's ending; give another --backup")
    if options["output"]:
        return ToFolder(session, "keep", options["output"])  # no ledger: a review goes on from its own journal
    return InPlace(session, "keep", backup) if write else ToDiff(session) if options["diff"] else None


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
    for lost in review.history.lost:
        session.say(f"the article changed: {plain(str(lost))}; it is asked again where it is found")
    if review.history.done:
        session.say(f"resumed: {counted(len(review.history.done), 'earlier decision')}")


def _interface(way: str, review: Review, session: Session, options: dict[str, Any]) -> None:
    if way == "finish":
        return
    if not len(review):
        return session.say("nothing to review: the articles have no findings any more")
    if way == "web":
        from repair.review_web import serve

        return serve(review, options["port"], options["browser"], session.say)
    if way == "plain" or os.environ.get("TERM") == "dumb" or not (sys.stdin.isatty() and sys.stdout.isatty()):
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
