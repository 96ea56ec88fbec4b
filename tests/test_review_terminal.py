"""The review in the terminal, driven by Textual's pilot on 80x24."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from test_review import TEXT, Told, opened

from repair.review import Review

pytest.importorskip("textual")
from rich.cells import cell_len
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
        await pilot.press(*keys)
        await pilot.pause()
        found, path = drawn(app), SCREENS / f"{name}.txt"
        if os.environ.get("REPAIR_SCREENS"):
            SCREENS.mkdir(exist_ok=True)
            path.write_text(found, encoding="utf-8")
        assert found == path.read_text(encoding="utf-8")
        assert bool(colours(app)) == colour

    drive(review, steps, size)


def test_ignoring_asks_where(tmp_path: Path) -> None:
    told = Told(None)
    review = opened(tmp_path, TEXT, silence=told)

    async def steps(pilot: Pilot[None], app: ReviewApp) -> None:
        await pilot.press("i", "escape")
        await pilot.pause()
        assert told.calls == [] and app.at == 0
        await pilot.press("i", "p")
        await pilot.pause()
        assert told.calls == [("Workforce", True, "project")] and app.at == 2
        await pilot.press("i")
        await pilot.pause()
        assert told.calls[1:] == [("droop", True, "project")]

    drive(review, steps)


def test_one_key_decides_and_goes_on(tmp_path: Path) -> None:
    review = opened(tmp_path, TEXT, TEXT.replace("agreed", "refused"))

    async def steps(pilot: Pilot[None], app: ReviewApp) -> None:
        assert "[Workforce] left." in screen(app) and "0.50 lexicon" in screen(app) and "1/14" in screen(app)
        await pilot.press("y", "2", "n")
        assert review.counts() == {"accept": 2, "reject": 1, "open": 11}
        await pilot.press("u", "u", "r")
        assert review.counts() == {"accept": 2, "open": 12}
        await pilot.press("e", *"halt", "enter")
        await pilot.pause()
        assert "halt" in review.repair(0).text
        await pilot.press("A")
        await pilot.press(*"yyyyy")
        await pilot.pause()
        assert "refused" in screen(app)

    drive(review, steps)


def test_help_filter_and_search(tmp_path: Path) -> None:
    review = opened(tmp_path, TEXT)

    async def steps(pilot: Pilot[None], app: ReviewApp) -> None:
        await pilot.press("?")
        await pilot.pause()
        assert "undo, without limit" in screen(app)
        await pilot.press("x")
        await pilot.press("f", *">0.8", "enter")
        await pilot.pause()
        assert app.at == 2
        await pilot.press("j")
        assert app.at == 6
        await pilot.press("f", "enter", "slash", *"night", "enter")
        await pilot.pause()
        assert app.at == 3
        await pilot.press("q")

    drive(review, steps)


def test_the_mouse_and_a_narrow_screen(tmp_path: Path) -> None:
    review = opened(tmp_path, TEXT)

    async def steps(pilot: Pilot[None], app: ReviewApp) -> None:
        place = screen(app).splitlines()[1].index("workforce")
        await pilot.click(offset=(place + 2, 1))
        await pilot.pause()
        assert app.at == 1
        if app.size.width == 80:
            row = next(n for n, line in enumerate(screen(app).splitlines()) if "2 team" in line)
            await pilot.click(offset=(screen(app).splitlines()[row].index("2 team") + 3, row))
            await pilot.pause()
            assert "The team agreed" in review.repair(0).text

    drive(review, steps)
    review.undo()
    drive(review, steps, (50, 20))


def test_nothing_of_an_article_acts(tmp_path: Path) -> None:
    review = opened(tmp_path, "\x1b[2J\x1b]0;x\x07 [bold]droop[/bold] [@click=app.quit]x[/] \u202e\n")

    async def steps(pilot: Pilot[None], app: ReviewApp) -> None:
        shown = screen(app)
        assert "\x1b" not in shown and "\\x1b[2J" in shown and "[bold][droop][/bold]" in shown and "\u202e" not in shown

    drive(review, steps)
