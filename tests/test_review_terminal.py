"""The review in the terminal, driven by Textual's pilot on 80x24."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from test_review import TEXT, Told, opened

from repair.errors import InputError
from repair.review import Review

pytest.importorskip("textual")
from rich.cells import cell_len
from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from repair.review_terminal import ReviewApp

SCREENS = Path(__file__).with_name("screens")
Steps = Callable[[Pilot[None], ReviewApp], Awaitable[None]]


def drive(review: Review, steps: Steps, size: tuple[int, int] = (80, 24)) -> None:
    async def run() -> None:
        app = ReviewApp(review)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await steps(pilot, app)

    asyncio.run(run())


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Waits as long as a loaded machine takes. What never holds is left to the assertion that follows."""
    for _ in range(600):
        if holds():
            return
        await pilot.pause(0.05)


async def at_once(pilot: Pilot[None], *keys: str) -> None:
    """Keys that are there before the first of them is answered, as a paste or a slow line brings them."""
    assert pilot.app._driver
    for key in keys:
        name = key if len(key) > 1 else _character_to_key(key)
        pilot.app._driver.send_message(events.Key(name, key if len(key) == 1 else None))
    await pilot.pause()


def screen(app: ReviewApp) -> str:
    return "\n".join("".join(segment.text for segment in line) for line in app.screen._compositor.render_strips())


def drawn(app: ReviewApp) -> str:
    """The screen as text, then what is marked on it otherwise than by colour: row, column, how, and the text."""
    lines, marked = [], []
    for row, line in enumerate(app.screen._compositor.render_strips()):
        column, shown = 0, ""
        for segment in line:
            style = segment.style
            how = [name for name in ("bold", "underline", "reverse") if style and getattr(style, name)]
            if how and segment.text.strip():
                marked.append(f"{row}:{column} {' '.join(how)}: {segment.text.strip()}")
            column += cell_len(segment.text)
            shown += segment.text
        lines.append(shown.rstrip())
    return "\n".join([*lines, "---", *marked, ""])


def colours(app: ReviewApp) -> set[str]:
    """The colours on the screen that are no greys."""
    out = set()
    for line in app.screen._compositor.render_strips():
        for segment in line:
            for colour in (segment.style.color, segment.style.bgcolor) if segment.style else ():
                if colour and len({*colour.get_truecolor()}) > 1:
                    out.add(colour.name)
    return out


DEEP = "It was raining, and the boats stayed in. " * 60 + "At nighttime they went. " + "They slept. " * 90
LONG = (
    TEXT + "\n" + "It was raining, and the boats stayed in. " * 12 + "At nighttime they went.\n" + "End.\n" * 30 + DEEP
)
SCENES: dict[str, tuple[tuple[int, int], list[str]]] = {
    "opened": ((80, 24), []),
    "answered": ((80, 24), ["y", "2", "n", "s"]),
    "keys": ((80, 24), ["?"]),
    "keys-small": ((40, 16), ["u", "?", "down", "pagedown"]),
    "where": ((80, 24), ["i"]),
    "own": ((80, 24), ["e", *"crew"]),
    "far": ((80, 24), ["k"]),
    "deep": ((80, 24), ["j"] * 8),
    "narrow": ((50, 20), ["y"]),
    "wide": ((120, 30), ["y"]),
}


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("colour", [True, False], ids=["colour", "no colour"])
def test_the_screen_is_as_it_was(tmp_path: Path, name: str, colour: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """tests/screens holds each; REPAIR_SCREENS=1 writes them anew, for a person to read in the diff.

    Without colour it is the same to the letter, and what is open, chosen, accepted or rejected is still told apart.
    """
    if not colour:
        monkeypatch.setenv("NO_COLOR", "1")
    size, keys = SCENES[name]
    review = opened(tmp_path, LONG, TEXT, silence=Told(None))

    async def steps(pilot: Pilot[None], app: ReviewApp) -> None:
        path = SCREENS / f"{name}.txt"
        await until(pilot, lambda: "open" in screen(app))  # a dialog before the first drawing has nothing behind it
        await pilot.press(*keys)
        if os.environ.get("REPAIR_SCREENS"):
            await pilot.pause()
            path.write_text(drawn(app), encoding="utf-8")
        wanted = path.read_text(encoding="utf-8")
        await until(pilot, lambda: drawn(app) == wanted)
        assert drawn(app) == wanted
        assert bool(colours(app)) == colour

    drive(review, steps, size)


def test_ignoring_asks_where(tmp_path: Path) -> None:
    told = Told(None)
    review = opened(tmp_path, TEXT, silence=told)

    async def steps(pilot: Pilot[None], app: ReviewApp) -> None:
        await pilot.press("i", "escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert told.calls == [] and app.at == 0
        await pilot.press("i", "p")
        await until(pilot, lambda: app.at == 2)
        assert told.calls == [("Workforce", True, "project")]
        await pilot.press("i")
        await until(pilot, lambda: len(told.calls) == 2)
        assert told.calls[1:] == [("droop", True, "project")]

    drive(review, steps)


def test_one_key_decides_and_goes_on(tmp_path: Path) -> None:
    review = opened(tmp_path, TEXT, TEXT.replace("agreed", "refused"))

    async def steps(pilot: Pilot[None], app: ReviewApp) -> None:
        await until(pilot, lambda: "[Workforce] left." in screen(app))
        assert "[Workforce] left." in screen(app) and "0.50 lexicon" in screen(app) and "1/14" in screen(app)
        await pilot.press("y", "2", "n")
        await until(pilot, lambda: review.counts()["open"] == 11)
        assert review.counts() == {"accept": 2, "reject": 1, "open": 11}
        await pilot.press("u", "u", "r")
        await until(pilot, lambda: review.counts()["open"] == 12)
        assert review.counts() == {"accept": 2, "open": 12}
        await pilot.press("e", *"halt", "enter")
        await until(pilot, lambda: "halt" in review.repair(0).text)
        assert "halt" in review.repair(0).text
        await pilot.press("A", *"yyyyy")
        await until(pilot, lambda: "refused" in screen(app))
        assert "refused" in screen(app)

    drive(review, steps)


def test_keys_typed_ahead_keep_their_order_and_meaning(tmp_path: Path) -> None:
    """Also those for a dialog that is still to open, and those after one that is still to close."""
    told = Told(None)
    review = opened(tmp_path, TEXT, silence=told)

    async def steps(pilot: Pilot[None], app: ReviewApp) -> None:
        await until(pilot, lambda: app.taking)
        await at_once(pilot, "i", "u", "e", *"halted", "backspace", "backspace", "enter", "y", "?", "y", "n", "?")
        await until(pilot, lambda: review.counts()["open"] == 0 and len(app.screen_stack) == 2)
        assert told.calls == [("Workforce", True, "user")]
        assert "agreed to halt it on night; our workforce and" in review.repair(0).text
        assert review.counts() == {"ignore": 4, "own": 1, "accept": 1, "reject": 1}

    drive(review, steps)


def test_nothing_counts_after_quitting(tmp_path: Path) -> None:
    review = opened(tmp_path, TEXT)

    async def steps(pilot: Pilot[None], app: ReviewApp) -> None:
        await until(pilot, lambda: app.taking)
        await at_once(pilot, "n", "q", "y")

    drive(review, steps)
    assert review.counts() == {"reject": 1, "open": 6}


def test_a_dialog_does_not_keep_the_screen_from_changing(tmp_path: Path) -> None:
    review = opened(tmp_path, TEXT)

    async def steps(pilot: Pilot[None], app: ReviewApp) -> None:
        await pilot.press("?")
        await pilot.resize_terminal(50, 20)
        await until(pilot, lambda: app.screen_stack[0].has_class("narrow"))
        await pilot.press("x")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert app.screen.has_class("narrow")

    drive(review, steps)


@pytest.mark.parametrize("key", ["u", "y"])
def test_what_can_not_be_written_is_told(tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    review = opened(tmp_path, TEXT)
    review.decide(0, "accept")

    def full(*_: object) -> None:
        raise InputError("the disk is full", "journal")

    monkeypatch.setattr(review.journal, "append", full)

    async def steps(pilot: Pilot[None], app: ReviewApp) -> None:
        await pilot.press(key)
        await until(pilot, lambda: "the disk is full" in screen(app))
        assert "the disk is full" in screen(app) and review.counts() == {"accept": 1, "open": 6}

    drive(review, steps)


def test_help_filter_and_search(tmp_path: Path) -> None:
    review = opened(tmp_path, TEXT)

    async def steps(pilot: Pilot[None], app: ReviewApp) -> None:
        await pilot.press("?")
        await until(pilot, lambda: "undo, without limit" in screen(app))
        assert "undo, without limit" in screen(app)
        await pilot.press("x")
        await pilot.press("f", *">0.8", "enter")
        await until(pilot, lambda: app.at == 2 and "[>0.8]" in screen(app))
        assert app.at == 2 and "[>0.8]" in screen(app)
        await pilot.press("j")
        await until(pilot, lambda: app.at == 6)
        assert app.at == 6
        await pilot.press("f", "enter", "slash", *"night", "enter")
        await until(pilot, lambda: app.at == 3 and "[>0.8]" not in screen(app))
        assert app.at == 3 and "[>0.8]" not in screen(app)
        await pilot.press("q")

    drive(review, steps)


@pytest.mark.parametrize("size", [(80, 24), (50, 20)])
def test_the_mouse_and_a_narrow_screen(tmp_path: Path, size: tuple[int, int]) -> None:
    review = opened(tmp_path, TEXT)

    async def click(pilot: Pilot[None], app: ReviewApp, text: str) -> None:
        await until(pilot, lambda: text in screen(app))
        row = next(n for n, line in enumerate(screen(app).splitlines()) if text in line)
        await pilot.click(offset=(screen(app).splitlines()[row].index(text) + 3, row))

    async def steps(pilot: Pilot[None], app: ReviewApp) -> None:
        await click(pilot, app, "workforce")
        await until(pilot, lambda: "[workforce]" in screen(app))
        assert app.at == 1
        await click(pilot, app, "2 team")
        await until(pilot, lambda: app.at == 2)
        assert "The team agreed" in review.repair(0).text

    drive(review, steps, size)


def test_the_chosen_place_stays_in_view_when_the_terminal_is_resized(tmp_path: Path) -> None:
    async def steps(pilot: Pilot[None], app: ReviewApp) -> None:
        await pilot.press("k")
        for size in ((50, 20), (120, 40), (80, 24)):
            await pilot.resize_terminal(*size)
            await until(pilot, lambda: "[nighttime]" in screen(app))
            assert "[nighttime]" in screen(app), size

    drive(opened(tmp_path, LONG), steps)


def test_nothing_of_an_article_acts(tmp_path: Path) -> None:
    review = opened(tmp_path, "\x1b[2J\x1b]0;x\x07 [bold]droop[/bold] [@click=app.quit]x[/] \u202e\r\nEnd.\r\n")

    async def steps(pilot: Pilot[None], app: ReviewApp) -> None:
        await until(pilot, lambda: "[droop]" in screen(app))
        shown = screen(app)
        assert "\x1b" not in shown and "\\x1b[2J" in shown and "[bold][droop][/bold]" in shown and "\u202e" not in shown
        assert "End." in shown and "\\r" not in shown  # as Windows ends lines

    drive(review, steps)
