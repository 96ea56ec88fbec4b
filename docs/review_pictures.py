"""Makes the pictures and the quoted outputs of docs/review.md: ``python docs/review_pictures.py``.

Needs the extra test, and Debian's chromium. Two articles of examples/ with the real Repairer; what is answered follows
from what it finds (review_walk.py), so run it again after training. Journals and lexicons are kept in a temporary
folder. Pictures are PNG with a palette, since these are a third as large.
"""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import struct
import tempfile
import textwrap
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright
from review_walk import Stop, Walk
from typer.testing import CliRunner

import repair.repairer
from repair import Repairer
from repair.cli import app
from repair.ignoring import Unasked
from repair.journal import SUFFIX, Journal
from repair.learning import Learning
from repair.report import Article, Repair
from repair.review import Entry, Review
from repair.review_terminal import ReviewApp
from repair.review_web import served

HERE = Path(__file__).parent
PICTURES = HERE / "pictures"
NAMES = ("ferry-strike.txt", "soil-sensors.txt")
CODE = ("journal", "summary", "diff", "learned", "apply", "plain")  # blocks of what is printed
WIDE = 110
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
    """All pictures, then what the commands say of the same decisions."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["REPAIR_LEXICON"] = str(folder / "own/lexicon.tsv")  # not what its user has taught it
        for article in NAMES:
            shutil.copy(HERE.parent / "examples" / article, folder)
        entries = checked(folder)
        stops = list(Walk(opened(entries, folder, ".plan")).stops())
        pictures(entries, stops, folder)
        quote(walked(entries, stops) | said(entries, folder))


def checked(folder: Path) -> list[Entry]:
    """The articles, checked."""
    texts = [(name, (folder / name).read_text(encoding="utf-8")) for name in NAMES]
    repairer = Repairer()
    return [Entry(name, Article(text), repairer.check(text)) for name, text in texts]


def opened(entries: Sequence[Entry], folder: Path, ending: str) -> Review:
    """A review with journals of its own."""
    return Review(entries, Journal({e.name: folder / f"{e.name}{ending}" for e in entries}), Asked())


def pictures(entries: Sequence[Entry], stops: Sequence[Stop], folder: Path) -> None:
    """Both walks. What is decided in the terminal stays for the commands, and is learned from, as after ``q``."""
    review = opened(entries, folder, SUFFIX)
    screens = asyncio.run(in_terminal(review, stops))
    review.learn(Learning(Path(os.environ["REPAIR_LEXICON"])).follow)
    review.journal.close()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, svg in screens.items():
            page = browser.new_page(viewport={"width": 1000, "height": 680})
            page.set_content(f"<style>body {{ margin: 0 }} svg {{ width: 1000px }}</style>{svg}")
            height = page.evaluate("Math.ceil(document.querySelector('svg').getBoundingClientRect().height)")
            page.set_viewport_size({"width": 1000, "height": height})
            keep(browser, page, f"terminal-{name}")
        review = opened(entries, folder, ".page")
        with served(review) as address:
            in_browser(browser, address, review, stops)
        browser.close()


async def in_terminal(review: Review, stops: Sequence[Stop]) -> dict[str, str]:
    """The terminal at each stop of the walk, as SVG."""
    app, out = ReviewApp(review), {}
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(1)
        for stop in stops:
            await pilot.press(*stop.keys)
            await pilot.pause(1)
            assert stop.name == "all" or app.at == stop.at, f"{stop.name}: at {app.at}, planned {stop.at}"
            out[stop.name] = app.export_screenshot()
    return out


def in_browser(browser: Browser, address: str, review: Review, stops: Sequence[Stop]) -> None:
    """The page at the same stops, and on a phone."""
    _, own, where, filtered, everywhere = stops
    page = browser.new_page(viewport={"width": 1100, "height": 640}, reduced_motion="reduce")
    page.set_default_timeout(120_000)
    page.goto(address)
    page.wait_for_selector(".f.here")
    keep(browser, page, "page-opened")
    for stop in (own, where):
        press(page, stop.keys)
        assert page.evaluate("here") == stop.at, stop.name
        keep(browser, page, f"page-{stop.name}")
    press(page, filtered.keys[: filtered.keys.index("f")])
    place = review.places[everywhere.at]
    page.emulate_media(color_scheme="dark")
    press(page, ("/", *place.finding.observed))
    keep(browser, page, "page-search")
    press(page, ("enter",))
    page.click(f'[data-entry="{place.entry}"]')
    press(page, ())
    assert review.places[page.evaluate("here")].swap == place.swap, "all"
    press(page, ("A",))
    page.emulate_media(color_scheme="light")
    page.click("#after")
    keep(browser, page, "page-after")
    page.set_viewport_size({"width": 390, "height": 780})
    page.emulate_media(color_scheme="dark")
    page.click("#diff")
    press(page, ("/",))
    page.fill("#search", "")
    press(page, ("enter",))
    page.click('[data-entry="0"]')
    press(page, ())
    keep(browser, page, "page-phone")


def walked(entries: Sequence[Entry], stops: Sequence[Stop]) -> dict[str, str]:
    """The walk in words, for the text."""
    _, own, where, filtered, everywhere = stops
    total = sum(len(e.report.findings) for e in entries)
    return {
        "opened": f'Nothing has been decided: "1/{total}, {total} open".',
        "answers": " · ".join([*own.told, *where.told[:1]]),
        "before ignoring": " · ".join(where.told[1:]) or "nothing more",
        "rejected": " · ".join(filtered.told),
        "filter": f"`f` and `{filtered.line}`",
        "everywhere": f"`f {everywhere.line}`, then {everywhere.told[-1]}",
    }


class Held:
    """Gives the reports of the walk again: to make them three times more, in the commands, would show nothing else."""

    loaded = False

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.reports = {entry.article.text: entry.report for entry in entries}

    def fix_stream(self, articles: Iterable[Article]) -> Iterator[Repair]:
        return (Repair(article.text, (), self.reports[article.text]) for article in articles)

    def spent(self) -> dict[str, float]:
        return {}


def said(entries: Sequence[Entry], folder: Path) -> dict[str, str]:
    """What the commands print of these decisions."""
    vars(repair.repairer)["Repairer"] = lambda **options: Held(entries)

    def ran(*arguments: str, answers: str = "") -> str:
        with chdir(folder):
            run = CliRunner().invoke(app, arguments, input=answers)
        assert run.exit_code in (0, 1), run.output
        return run.output.replace(str(folder), "~/articles")

    line = (folder / f"{NAMES[0]}{SUFFIX}").read_text(encoding="utf-8").splitlines()[0]
    changes = ran("review", "--apply", "--diff", *NAMES)
    learned = ran("lexicon", "show", "--learned").splitlines()
    asked = ran("review", "--plain", "--journal", "other.review", *NAMES, answers="n\nq\n")
    written = ran("review", "--apply", "-w", "--backup", ".bak", *NAMES)
    first = asked.partition("Decide (? for help): ")[0].partition("\n\n")[2]
    second = asked.partition("Decide (? for help): ")[2].partition("\n")[0]
    journal = textwrap.fill(line, 110, subsequent_indent=" ", break_long_words=False, break_on_hyphens=False)
    return {
        "journal": f"$ head -n 1 {NAMES[0]}{SUFFIX}\n{journal}",
        "summary": changes.splitlines()[-1],
        "diff": f"$ repair review --apply --diff {' '.join(NAMES)}\n{first_hunks(changes)}",
        "learned": "\n".join(["$ repair lexicon show --learned", *(row for row in learned if "→" in row)]),
        "apply": f"$ repair review --apply -w --backup .bak {' '.join(NAMES)}\n{written.strip()}",
        "plain": "\n".join(map(cut, [*first.splitlines(), f"Decide (? for help): n\n{second}"])),
    }


def first_hunks(diff: str) -> str:
    """The first hunk of each article, long lines cut."""
    out: list[str] = []
    hunks = 0
    for line in diff.splitlines():
        hunks = 0 if line.startswith("--- ") else hunks + line.startswith("@@")
        if hunks < 2 or line.endswith((" change", " changes")):
            out.append(cut(line))
        elif out[-1] != "…":
            out.append("…")
    return "\n".join(out)


def cut(line: str) -> str:
    """A line as wide as the text."""
    return line if len(line) <= WIDE or "\n" in line else line[: line.rindex(" ", 0, WIDE)] + " …"


def quote(blocks: Mapping[str, str]) -> None:
    """Put these between the marks of docs/review.md."""
    path = HERE / "review.md"
    text = path.read_text(encoding="utf-8")
    for name, block in blocks.items():
        fenced = f"```\n{block}\n```" if name in CODE else block
        before, mark, rest = text.partition(f"<!-- walk: {name} -->\n")
        _, end, after = rest.partition("\n<!-- end -->")
        assert mark and end, f"docs/review.md has no marks for {name}"
        text = f"{before}{mark}{fenced}{end}{after}"
    path.write_text(text, encoding="utf-8")


def press(page: Page, keys: Sequence[str]) -> None:
    """Keys one after the other, until the last is answered."""
    for key in keys:
        page.keyboard.press({"enter": "Enter", " ": "Space"}.get(key, key))
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
