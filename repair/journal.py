"""The journal of a review: every decision is on the disk before the next question is asked.

Append-only JSONL beside the article (``article.txt.review``), an event a line, each synced. Nothing is rewritten, so
a kill at any moment loses nothing that was answered; a line that a kill cut short was never acknowledged, and is passed
over. A decision is anchored by offsets for the text it was made on, and by its surroundings for a text that changed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Literal

from repair.display import json_line
from repair.errors import InputError

SUFFIX = ".review"
WIDTHS = (24, 48, 96, 192)  # code points of surroundings, the least first; none is kept that is not unique in its text

Done = Literal["decide", "undo", "redo", "written", "learned", "unlearned"]
Action = Literal["accept", "own", "reject", "ignore", "skip"]  # what is decided about a place
ACTIONS: tuple[Action, ...] = ("accept", "own", "reject", "ignore", "skip")
Taught = tuple[str, str, bool]  # what was found, the wording decided about, whether it was accepted
Lesson = tuple[str, str, str, bool]  # the event that taught it, what was found, the wording, whether it was accepted


@dataclass(frozen=True, slots=True)
class Anchor:
    """One place that an event is about. ``left``, ``right``: what stands beside it; empty where not unique.

    ``article`` is the article's name within the review, ``sha`` says which text of it. ``text`` is the new wording.
    """

    article: str
    sha: str
    start: int
    end: int
    observed: str
    left: str = ""
    right: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One line. ``at`` is time and name at once. ``of``: the events that an undo, a redo or "learned" is about.

    ``where``: the lexicon that an ignored wording went to. ``lessons``: what went into the lexicon by "learned", or was
    taken back by "unlearned".
    """

    at: str
    do: Done
    action: str = ""
    of: tuple[str, ...] = ()
    places: tuple[Anchor, ...] = ()
    where: str = ""
    lessons: tuple[Lesson, ...] = ()


class Journal:
    """The events of the articles under review, in files of their own. ``files`` says which article writes to which.

    Raises InputError where a file can't be opened, or another review has it open.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        self.files = dict(files)
        self.events: list[Event] = []
        self.broken: list[str] = []
        self._open: dict[Path, IO[bytes]] = {}
        for path in dict.fromkeys(self.files.values()):
            if path.exists():
                self._stream(path)  # taken before it is read: two reviews at once would not see each other's events
        self.events = self._read()
        self._last = max((event.at for event in self.events), default="")

    def new(
        self,
        do: Done,
        action: str = "",
        of: tuple[str, ...] = (),
        places: tuple[Anchor, ...] = (),
        where: str = "",
        lessons: tuple[Lesson, ...] = (),
    ) -> Event:
        """An event of this moment, later than every other one."""
        now = datetime.now(UTC)
        if self._last:
            with suppress(ValueError):
                now = max(now, datetime.fromisoformat(self._last) + timedelta(microseconds=1))
        return Event(now.isoformat(timespec="microseconds"), do, action, of, places, where, lessons)

    def append(self, event: Event, articles: Iterable[str] = ()) -> None:
        """Write an event to the files of its places, and of ``articles``, and wait until the disk has it."""
        names = dict.fromkeys([*(anchor.article for anchor in event.places), *articles])
        for path in dict.fromkeys(self.files[name] for name in names):
            here = tuple(anchor for anchor in event.places if self.files[anchor.article] == path)
            self._write(path, replace(event, places=here))
        self.events.append(event)
        self._last = event.at

    def close(self) -> None:
        for stream in self._open.values():
            stream.close()
        self._open.clear()

    def _write(self, path: Path, event: Event) -> None:
        row = {name: value for name, value in asdict(event).items() if value}
        try:
            stream = self._stream(path)
            stream.seek(0, os.SEEK_END)
            if end := stream.tell():
                stream.seek(end - 1)
                if stream.read(1) != b"\n":  # a kill, or a full disk, cut the last line short
                    stream.write(b"\n")
            stream.write(json_line(row).encode("utf-8") + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        except OSError as error:
            message = (
                f"the decision can't be written ({error.strerror}); free space or mend the mode, or give --journal"
            )
            raise InputError(f"{path}: {message}", "journal") from None

    def _stream(self, path: Path) -> IO[bytes]:
        if path not in self._open:
            try:
                stream = path.open("a+b", buffering=0)
                _lock(stream)
            except BlockingIOError:
                message = "another review has this journal open; finish that one first"
                raise InputError(f"{path}: {message}", "journal") from None
            except OSError as error:
                message = f"the journal can't be opened ({error.strerror}); name another place with --journal"
                raise InputError(f"{path}: {message}", "journal") from None
            self._open[path] = stream
        return self._open[path]

    def _read(self) -> list[Event]:
        """The events of all files, in the order in which they happened; parts of one event together again."""
        events: dict[str, Event] = {}
        for path, stream in self._open.items():
            stream.seek(0)
            lines = stream.read().split(b"\n")
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    event = _event(json.loads(line))
                except (ValueError, TypeError, AttributeError, RecursionError):
                    self.broken.append(f"{path}:{number}")
                    continue
                held = events.get(event.at)
                events[event.at] = replace(event, places=held.places + event.places) if held else event
        return [events[at] for at in sorted(events)]


def _event(row: Any) -> Event:
    """The event in a parsed line. Raises ValueError, TypeError or AttributeError where it is none."""
    places = tuple(Anchor(**_known(Anchor, place)) for place in row.get("places", ()))
    lessons = tuple((at, observed, text, accepted is True) for at, observed, text, accepted in row.get("lessons", ()))
    event = Event(**{**_known(Event, row), "of": tuple(row.get("of", ())), "places": places, "lessons": lessons})
    strings = [event.at, event.do, event.action, event.where, *event.of, *(s for lesson in lessons for s in lesson[:3])]
    strings += [text for a in places for text in (a.article, a.sha, a.observed, a.left, a.right, a.text)]
    if not all(isinstance(text, str) for text in strings):
        raise ValueError("not an event")
    if not all(isinstance(a.start, int) and isinstance(a.end, int) and 0 <= a.start <= a.end for a in places):
        raise ValueError("not a place")
    return event


def _known(kind: type[Anchor] | type[Event], row: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in row.items() if name in names}


def _lock(stream: IO[bytes]) -> None:
    """Hold the file while it is open; a kill lets go of it. Systems without flock go without."""
    with suppress(ImportError):
        import fcntl

        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def beside(path: Path) -> Path:
    """Where the journal of an article's file is kept."""
    return path.with_name(path.name + SUFFIX)


def digest(text: str) -> str:
    """The name of a text, the same on every machine."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def anchor(article: str, sha: str, source: str, span: tuple[int, int], text: str) -> Anchor:
    """An anchor for the stretch ``span`` of ``source``, where ``text`` is to stand."""
    start, end = span
    observed = source[start:end]
    left = _unique(source, [(source[max(0, start - width) : start], observed, "") for width in WIDTHS])
    right = _unique(source, [("", observed, source[end : end + width]) for width in WIDTHS])
    return Anchor(article, sha, start, end, observed, left, right, text)


def _unique(source: str, tries: Sequence[tuple[str, str, str]]) -> str:
    """The first surroundings that stand only once in ``source``."""
    for left, observed, right in tries:
        if (left or right) and _only(source, left + observed + right) is not None:
            return left + right
    return ""


def _only(source: str, wanted: str) -> int | None:
    """Where ``wanted`` stands, if that is one place."""
    first = source.find(wanted)
    return first if first >= 0 and first == source.rfind(wanted) else None


def find(anchor: Anchor, source: str) -> tuple[int, int] | None:
    """Where an anchor's stretch stands in a text that changed; None where that is not certain.

    Each side's surroundings were unique in the old text and must be so in the new one. One side may have changed, but
    where both are there they must agree.
    """
    found = set[int]()
    for left, right in ((anchor.left, ""), ("", anchor.right)):
        if left or right:
            at = _only(source, left + anchor.observed + right)
            if at is not None:
                found.add(at + len(left))
            elif left + anchor.observed + right in source:
                return None  # there more than once by now
    if len(found) != 1:
        return None
    start = found.pop()
    return start, start + len(anchor.observed)
