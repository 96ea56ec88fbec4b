"""Makes the pictures of docs/review.md: ``python docs/review_pictures.py`` (extra test, and Debian's chromium).

The article is examples/ferry-strike.txt with the real Repairer; its journal is kept in a temporary folder.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from repair import Repairer
from repair.journal import Journal
from repair.report import Article
from repair.review import Entry, Review
from repair.review_terminal import ReviewApp
from repair.review_web import served

HERE = Path(__file__).parent
PICTURES = HERE / "pictures"


def main() -> None:
    """All pictures."""
    PICTURES.mkdir(exist_ok=True)
    text = (HERE.parent / "examples/ferry-strike.txt").read_text(encoding="utf-8")
    entry = Entry("ferry-strike.txt", Article(text), Repairer().check(text))
    terminal, browser = (Review([entry], Journal({entry.name: Path(tempfile.mkdtemp(), "j")})) for _ in range(2))
    svg = asyncio.run(in_terminal(terminal))
    in_browser(browser, svg)


async def in_terminal(review: Review) -> str:
    """The terminal after four answers, as SVG."""
    app = ReviewApp(review)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        await pilot.press("n", "n", "y", "2")
        await pilot.pause()
        return app.export_screenshot()


def in_browser(review: Review, svg: str) -> None:
    """The page on a desk, in the dark and on a phone, and the terminal's picture as PNG."""
    with served(review) as address, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1200, "height": 760})
        page.goto(address)
        page.wait_for_selector(".f.here")
        for place, key in enumerate("nny2"):
            page.keyboard.press(key)
            page.wait_for_selector(f'.f[data-place="{place}"]:is(.done, .kept)')
        page.screenshot(path=PICTURES / "page.png")
        page.emulate_media(color_scheme="dark")
        page.screenshot(path=PICTURES / "page-dark.png")
        page.set_viewport_size({"width": 390, "height": 780})
        page.screenshot(path=PICTURES / "page-phone.png")
        page = chromium.new_page(
            viewport={"width": 1240, "height": 790}
        )  # the other one's policy forbids the SVG's style
        page.set_content(svg)
        page.screenshot(path=PICTURES / "terminal.png")
        chromium.close()


if __name__ == "__main__":
    main()
