"""Makes the pictures of docs/review.md: ``python docs/review_pictures.py`` (extra test, and Debian's chromium).

Two articles of examples/ with the real Repairer, answered as the walk in docs/review.md tells. Journals and lexicons
are kept in a temporary folder. Pictures are PNG with a palette, since these are a third as large.
"""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import struct
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from repair import Repairer
from repair.ignoring import Unasked
from repair.journal import Journal
from repair.report import Article
from repair.review import Entry, Review
from repair.review_terminal import ReviewApp
from repair.review_web import served

HERE = Path(__file__).parent
PICTURES = HERE / "pictures"
NAMES = ("ferry-strike.txt", "soil-sensors.txt")
# The keys of the walk: what is pressed before each picture of the terminal.
WALK: Sequence[tuple[str, Sequence[str]]] = (
    ("opened", ()),
    ("own", ("n", "a", "2", "n", "y", "e", *"five")),
    ("where", ("enter", "n", "y", "y", "i")),
    ("filter", ("u", "u", "n", "f", *">0.9 source:lexicon", "enter")),
    ("all", ("f", *"swap:profound", "enter", "A")),
)
PIXELS = """async (png) => {
  const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, picture.width, picture.height);
  let text = "";
  for (let k = 0; k < data.length; k += 8192) text += String.fromCharCode(...data.subarray(k, k + 8192));
  return [picture.width, picture.height, btoa(text)];
}"""


class Asked(Unasked):
    """Somebody who is still to say where "ignore always" goes, and writes nothing."""

    def __init__(self) -> None:
        self.where, self.place = None, "~/articles/repair.lexicon.tsv"


def main() -> None:
    """All pictures."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["REPAIR_LEXICON"] = str(Path(folder, "lexicon.tsv"))  # not what its user has taught it
        pictures(checked(), Path(folder))


def checked() -> list[Entry]:
    """The articles, checked."""
    texts = [(name, (HERE.parent / "examples" / name).read_text(encoding="utf-8")) for name in NAMES]
    repairer = Repairer()
    return [Entry(name, Article(text), repairer.check(text)) for name, text in texts]


def pictures(entries: Sequence[Entry], folder: Path) -> None:
    """Both walks."""

    def review(kind: str) -> Review:
        return Review(entries, Journal({e.name: folder / f"{e.name}.{kind}" for e in entries}), Asked())

    screens = asyncio.run(in_terminal(review("terminal")))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, svg in screens.items():
            page = browser.new_page(viewport={"width": 1000, "height": 680})
            page.set_content(f"<style>body {{ margin: 0 }} svg {{ width: 1000px }}</style>{svg}")
            height = page.evaluate("Math.ceil(document.querySelector('svg').getBoundingClientRect().height)")
            page.set_viewport_size({"width": 1000, "height": height})
            keep(browser, page, f"terminal-{name}")
        with served(review("page")) as address:
            in_browser(browser, address)
        browser.close()


async def in_terminal(review: Review) -> dict[str, str]:
    """The terminal at each stop of the walk, as SVG."""
    app, out = ReviewApp(review), {}
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(1)
        for name, keys in WALK:
            await pilot.press(*keys)
            await pilot.pause(1)
            out[name] = app.export_screenshot()
    return out


def in_browser(browser: Browser, address: str) -> None:
    """The page at the same stops, and on a phone."""
    page = browser.new_page(viewport={"width": 1100, "height": 640}, reduced_motion="reduce")
    page.goto(address)
    page.wait_for_selector(".f.here")
    keep(browser, page, "page-opened")
    press(page, "na2nye")
    page.keyboard.type("five")
    keep(browser, page, "page-own")
    page.keyboard.press("Enter")
    press(page, "nyyi")
    page.wait_for_selector("#where[open]")
    keep(browser, page, "page-where")
    page.keyboard.press("u")
    press(page, "un")
    page.emulate_media(color_scheme="dark")
    page.keyboard.press("/")
    page.keyboard.type("profound")
    keep(browser, page, "page-search")
    page.keyboard.press("Enter")
    page.click('[data-entry="1"]')
    page.wait_for_selector('.f.here:has-text("profound")')
    press(page, "A")
    page.emulate_media(color_scheme="light")
    page.click("#after")
    keep(browser, page, "page-after")
    page.set_viewport_size({"width": 390, "height": 780})
    page.emulate_media(color_scheme="dark")
    page.click("#diff")
    page.keyboard.press("/")
    page.fill("#search", "")
    page.keyboard.press("Enter")
    page.click('[data-entry="0"]')
    page.wait_for_selector('.f:has-text("reporters")')
    keep(browser, page, "page-phone")


def press(page: Page, keys: str) -> None:
    """Keys one after the other, until the last is answered."""
    for key in keys:
        page.keyboard.press(key)
    page.evaluate("async () => { while (busy) await new Promise((done) => setTimeout(done, 5)); }")


def keep(browser: Browser, page: Page, name: str) -> None:
    """Save what the page shows."""
    helper = browser.new_page()  # the policy of the review's page forbids this there
    width, height, pixels = helper.evaluate(PIXELS, base64.b64encode(page.screenshot()).decode())
    helper.close()
    colours = np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(height, width, 4)[:, :, :3]
    (PICTURES / f"{name}.png").write_bytes(png(colours))


def png(picture: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    """A picture as PNG in its 256 most frequent colours; all others become the nearest of these."""
    height, width, _ = picture.shape
    colours, which, counts = np.unique(picture.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    palette = colours[np.argsort(-counts, kind="stable")[:256]]
    nearest = np.array(
        [np.abs(palette.astype(int) - colour).sum(1).argmin() for colour in colours.astype(int)], np.uint8
    )
    rows = np.zeros((height, width + 1), np.uint8)  # each begins with the number of its filter: none
    rows[:, 1:] = nearest[which].reshape(height, width)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", palette.tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    )
    packed = (struct.pack(">I", len(d)) + kind + d + struct.pack(">I", zlib.crc32(kind + d)) for kind, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


if __name__ == "__main__":
    main()
