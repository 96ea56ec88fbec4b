"""The review line by line: for screen readers, dumb terminals, and scripts. A question, an answer, Enter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from repair.display import Paint, Places, evidence, plain
from repair.errors import RepairError
from repair.ignoring import WHERES
from repair.review import ANSWERS, KEYS, Filter, Review

AROUND = 160


def review_plain(
    review: Review, paint: Paint, ask: Callable[[str], str] = input, say: Callable[[str], None] = print
) -> None:
    """Ask about every open place until all are decided, or "q", or the end of the input."""
    chosen = Filter()
    at = review.open_after(-1)
    while at is not None or (at := _reopened(review, ask, say)) is not None:
        for line in shown(review, at, paint):
            say(line)
        try:
            answer = ask("Decide (? for help): ").strip()
        except EOFError:
            return
        try:
            if answer == "q":
                return
            if answer.startswith(("f", "/")):
                chosen = Filter.parse(answer[1:])
                found = review.open_after(-1, chosen)
                at, chosen = (at, Filter()) if found is None else (found, chosen)
                say("nothing open passes this filter" if found is None else "filtered; f alone shows all again")
            else:
                if answer.split(" ")[0] == "i" and not _settled(review, ask, say):
                    continue
                before, at = at, _answered(review, at, answer, chosen, say)
                if at is None and (at := review.open_after(before)) is not None:
                    say("nothing open passes the filter any more; all are shown again")
                    chosen = Filter()
        except RepairError as error:
            say(plain(str(error)))


def _reopened(review: Review, ask: Callable[[str], str], say: Callable[[str], None]) -> int | None:
    """Where all is decided, offers to take the last answer back; the place to ask about again, None for the end."""
    say("nothing is open any more")
    while len(review):
        try:
            answer = ask("The end (Enter), or u to undo the last answer: ").strip()
        except EOFError:
            return None
        if answer in ("", "q"):
            return None
        if answer == "u" and (changed := review.undo()):
            return changed[0]
        say("nothing to undo" if answer == "u" else f"{plain(answer)!r} is no answer")
    return None


def _settled(review: Review, ask: Callable[[str], str], say: Callable[[str], None]) -> bool:
    """Ask where "ignore always" goes, unless that is known; False where there is no answer."""
    while review.silence.where is None:
        say(f"Ignore always: u {WHERES['user']}; p {WHERES['project']} ({plain(review.silence.place)}); c cancel")
        answer = ask("Where (u, p or c): ").strip()
        if answer == "c":
            return False
        if answer in ("u", "p"):
            review.silence.settle("user" if answer == "u" else "project")
            say("remembered; --ignore-scope or ignore-scope in repair.toml change it")
    return True


def _answered(review: Review, at: int, answer: str, chosen: Filter, say: Callable[[str], None]) -> int | None:
    """Do what the answer says; the place to ask about next."""
    key, _, rest = answer.partition(" ")
    if key in ANSWERS or (key.isascii() and key.isdigit() and len(key) == 1) or key == "e":
        action, scope = ANSWERS.get(key, ("own" if key == "e" else "accept", "place"))
        changed = review.decide(at, action, rest, int(key) - 1 if key.isdigit() else 0, scope)
        word = {"ignore": "ignored", "own": "own wording"}.get(
            action, action.removesuffix("p") + "ped" if action == "skip" else f"{action}ed"
        )
        say(f"{word}{f', {len(changed)} places' if len(changed) > 1 else ''}")
        return review.open_after(at, chosen)
    if key in ("u", "r"):
        changed = review.undo() if key == "u" else review.redo()
        if not changed:
            say("nothing to undo" if key == "u" else "nothing to redo")
        return changed[0] if changed else at
    if key in ("j", "k"):
        return review.beside(at, 1 if key == "j" else -1, chosen)
    if key != "?":
        say(f"{plain(key)!r} is no answer")
    for name, meaning in KEYS:
        say(f"  {name:4} {meaning}")
    say("  e WORDING, f FILTER and / WORDS take the rest of the line")
    return at


def shown(review: Review, i: int, paint: Paint) -> Iterator[str]:
    """A place as lines: where, what stands around it, the suggestions, the evidence."""
    place = review.places[i]
    entry, f = review.entries[place.entry], place.finding
    text = entry.article.text
    line, column = Places(text).of(f.start)
    left, right = text[max(0, f.start - AROUND) : f.start], text[f.end : f.end + AROUND]
    if f.start > AROUND:
        left = "… " + left.partition(" ")[2]
    if f.end + AROUND < len(text):
        right = right.rpartition(" ")[0] + " …"
    one = [plain(re.sub(r"\s+", " ", part)) for part in (left, f.observed, right)]
    open_ = review.counts()["open"]
    yield ""
    yield paint(f"{i + 1} of {len(review)}, {open_} open. {plain(entry.name)} {line}:{column}", dim=True)
    yield f"{one[0]}{paint(f'[{one[1]}]', 'red', bold=True)}{one[2]}"
    yield f"Found: {one[1]}, confidence {f.confidence:.2f}"
    for n, s in enumerate(f.suggestions[:9], 1):
        yield f"  {n} {paint(plain(s.text), 'green')}  {s.probability:.2f}  {paint(plain(s.source), dim=True)}"
    for line_ in evidence(f.evidence):
        yield paint(f"  {line_}", dim=True)
    if decision := review.decision(i):
        yield f"Decided: {decision.action} {plain(decision.text)}".rstrip()
