"""The review in the terminal, driven by Textual's pilot on 80x24."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from test_review import TEXT, opened

from repair.review import Review

pytest.importorskip("textual")
from textual.pilot import Pilot

from repair.review_terminal import ReviewApp

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
