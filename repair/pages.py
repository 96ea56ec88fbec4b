"""Where ``repair check --format html`` puts its pages: one on stdout, or an index and a page an article in a folder."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryFile

from repair.display import counted
from repair.errors import InputError
from repair.items import Item
from repair.page import Index, article, page
from repair.report import Report
from repair.session import Session
from repair.write import replacing

Results = Iterable[tuple[Item, Report | None]]


def to_stdout(results: Results, session: Session) -> None:
    """One page: a single article, or the index of a batch and its articles below it."""
    index, names = Index(), list[str]()
    results = iter(results)
    first = list(islice(results, 2))
    single = len(first) == 1 and first[0][1] is not None
    back = "" if single else "#articles"
    with TemporaryFile("w+", encoding="utf-8", newline="") as body:  # the index comes first, but is known last
        for item, report in chain(first, results):
            if item.error:
                index.failed(item.id, str(item.error))
            elif item.article and report:
                names.append(item.id)
                body.writelines(article(item.id, item.article.text, report, id=f"a{len(names)}", back=back))
                index.add(item.id, f"#a{len(names)}", report)
        session.progress.clear()
        body.seek(0)
        top = [] if single else index.html()
        sys.stdout.writelines(page(names[0] if single else "A batch", chain(top, iter(lambda: body.read(1 << 16), ""))))


def to_folder(results: Results, folder: Path, session: Session) -> None:
    """index.html and a page for each article; pages are replaced whole or not at all."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: can't make this folder ({error.strerror}); name another", "unwritable") from None
    index, taken = Index(), {"index.html"}
    for item, report in results:
        if item.error:
            index.failed(item.id, str(item.error))
        elif item.article and report:
            name = _file_name(item.id, taken)
            try:
                _write(folder / name, page(item.id, article(item.id, item.article.text, report, back="index.html")))
            except InputError as error:
                session.failed(error)
                index.failed(item.id, str(error))
            else:
                index.add(item.id, name, report)
    _write(folder / "index.html", page("A batch", index.html()))
    session.say(f"{folder / 'index.html'}: {counted(len(index.entries), 'article')}")


def _file_name(id: str, taken: set[str]) -> str:
    """A file name that an id makes and no other article has, safe on every system."""
    stem = re.sub(r"[^\w.-]+", "-", id, flags=re.ASCII).strip("-.")[-80:].lower() or "article"
    for name in chain([f"{stem}.html"], (f"{stem}-{k}.html" for k in range(2, len(taken) + 3))):
        if name not in taken:
            break
    taken.add(name)
    return name


def _write(path: Path, parts: Iterable[str]) -> None:
    with replacing(path) as file:
        for part in parts:
            file.write(part.encode("utf-8", "backslashreplace"))
