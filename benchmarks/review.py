"""Figures of reviewing and learning: benchmarks/review.py [--decisions 1000] [--browser PATH].

The page in headless Chromium, on an article of 20,000 words with 3,000 findings: from the key to the frame that shows
its effect, journal synced to the disk and all. `repair learn` on ten pairs of 500 words: the whole command. Of the
swaps in tests/cases/learn: how many are proposed, and how many proposals are wrong. Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from repair.journal import Journal
from repair.lexicon import inflected
from repair.proposals import Proposer
from repair.report import Article, Finding, Report, Suggestion, Verdict
from repair.review import Entry, Review
from repair.rows import Row
from training.articles import Gold, folder, source

PLACES, PARAGRAPH = 3000, 12  # findings, sentences
SENTENCE = "Plan {} was to droop by agreement."  # with 3,000 of them 21,000 words
PRESS = """async (count) => {
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const took = [];
  for (let n = 0; n < count; n++) {
    const mark = marks.get(here), before = mark.className;
    await frame();
    const begin = performance.now();
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: n % 3 ? "y" : "n", bubbles: true }));
    while (busy) await new Promise((done) => setTimeout(done));
    await frame();
    if (mark.className === before) throw new Error("nothing was decided");
    took.push(performance.now() - begin);
  }
  return took;
}"""


def long_article() -> Entry:
    """The article, with a finding in every sentence."""
    sentences = [SENTENCE.format(n) + ("\n\n" if n % PARAGRAPH == PARAGRAPH - 1 else " ") for n in range(PLACES)]
    text, found, at = "".join(sentences), [], 0
    while (at := text.find("droop", at)) >= 0:
        suggestions = (Suggestion("suspend", 0.7, "lexicon"), Suggestion("sag", 0.2, "wordnet"))
        found.append(Finding(at, at + 5, "droop", 0.6 + at % 5 / 12, "flag", suggestions, {"counts": [1376, 0]}))
        at += 5
    report = Report(len(text.split()), Verdict("spun", 0.99, 0.2), tuple(found))
    return Entry("long.txt", Article(text), report)


def page(browser: str, decisions: int) -> None:
    """How long the page takes to show the article, and each decision."""
    from playwright.sync_api import sync_playwright

    from repair.review_web import served

    entry = long_article()
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        journal = Journal({entry.name: Path(home, "journal")})
        review = Review([entry], journal)
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        with served(review) as address:
            tab = chromium.new_page(viewport={"width": 1200, "height": 800})
            tab.set_default_timeout(600_000)
            began = time.perf_counter()
            tab.goto(address)
            tab.wait_for_selector(".f.here")
            shown = time.perf_counter() - began
            took: list[float] = tab.evaluate(PRESS, decisions)
        chromium.close()
        journal.close()
        assert len(review) - review.counts()["open"] == decisions
    words = entry.report.words
    print(f"page: {words:,} words, {len(review):,} findings, shown in {shown:.2f} s")
    ninety_five = sorted(took)[int(len(took) * 0.95)]
    print(
        f"page: {decisions:,} decisions, median {statistics.median(took):.1f} ms, 95th percentile {ninety_five:.1f} ms"
    )


def learning(pairs: list[Gold]) -> None:
    """The command on ten pairs of 500 words and more, each of our pairs joined with the next ones."""
    with tempfile.TemporaryDirectory() as home:
        words = []
        with Path(home, "pairs.jsonl").open("w", encoding="utf-8") as file:
            for n in range(10):
                group = [pairs[(n + k) % len(pairs)] for k in range(3)]
                spun, original = "\n\n".join(g["text"] for g in group), "\n\n".join(map(source, group))
                words.append(len(spun.split()))
                file.write(json.dumps({"spun": spun, "original": original}) + "\n")
        env = {**os.environ, "REPAIR_LEXICON": str(Path(home, "lexicon.tsv")), "PYTHONPATH": os.getcwd()}
        command = [sys.executable, "-m", "repair.cli", "learn", str(Path(home, "pairs.jsonl")), "--yes"]
        before, began = os.times(), time.perf_counter()
        subprocess.run(command, env=env, check=True, capture_output=True)
        wall, after = time.perf_counter() - began, os.times()
        processor = after.children_user + after.children_system - before.children_user - before.children_system
    print(f"learn: 10 pairs of {min(words)} to {max(words)} words: {wall:.2f} s, of processor {processor:.2f} s")


def swaps(name: str, pairs: list[Gold]) -> None:
    """A swap is proposed where a row, inflected as the lexicon does it, gives both wordings of the text."""
    wanted = found = proposed = wrong = 0
    for gold in pairs:
        proposer = Proposer()
        proposer.add(gold["id"], gold["text"], source(gold))
        true = {(u["observed"].lower(), u["originals"][0].lower()): u["optional"] for u in gold["units"]}
        held = set()
        for proposal in proposer.proposals():
            row = Row(proposal.observed, proposal.original, proposal.kind)
            forms = {(e.observed.lower(), e.original.lower()) for e in inflected(row)} & set(true)
            proposed, wrong = proposed + 1, wrong + (not forms)
            held |= forms
        required = {pair for pair, optional in true.items() if not optional}
        wanted, found = wanted + len(required), found + len(required & held)
    print(f"learn: {name}: {found} of {wanted} swaps proposed ({found / wanted:.1%}), {wrong / proposed:.1%} wrong")


def main() -> None:
    """All figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decisions", type=int, default=1000)
    parser.add_argument("--browser", default=shutil.which("chromium") or "", help="Chromium; none: no figures of it")
    args = parser.parse_args()
    print(f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    pairs = list(folder(Path("tests/cases/learn")))
    swaps("the alignment was tuned on", pairs[:5])
    swaps("held back", pairs[5:])
    learning(pairs)
    if args.browser:
        page(args.browser, args.decisions)


if __name__ == "__main__":
    main()
