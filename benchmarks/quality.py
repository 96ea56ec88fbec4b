"""Figures of quality: python -m benchmarks.quality [--without lexicon] [--show KIND] [--ablate] [--write PAGE].

Runs the scorer of ../shared on the seed article, the development articles, and held-back clean text; with --sets also
on ``unseen`` and ``tortured`` (benchmarks/unseen.py): swaps and phrases that were never trained on. --words 2000000 has
the held-back clean text read in an hour at most, most of it by the screen alone, in memory that does not grow.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from math import log
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.unseen import kept, listed, tortured, unseen
from repair import Repairer
from repair.candidates import SOURCES
from repair.report import Report
from training.articles import Gold, cores, folder, gold_lines
from training.corpora import HELD, SHARED, lines

Found = dict[str, dict[str, Any]]


def scorer() -> ModuleType:
    """../shared/bench/score.py as a module."""
    spec = importlib.util.spec_from_file_location("score", SHARED / "bench/score.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def findings(repairer: Repairer, golds: Iterable[Gold]) -> Found:
    golds = list(golds)
    return {
        g["id"]: r.to_dict(g["id"]) for g, r in zip(golds, repairer.check_stream(g["text"] for g in golds), strict=True)
    }


def proposed(repairer: Repairer, golds: list[Gold]) -> float:
    """Share of required units whose exact stretch and original were among the candidates that the networks saw.

    A unit of several swaps ("traverse approval" for cross-validation) also counts when each of them was.
    """
    from repair.report import Article
    from training.combination import labelled

    hit = total = 0
    for gold in golds:
        text, evidence, _ = repairer._pipeline.judged(Article(gold["text"]))
        sample = labelled("own", gold, text, evidence)
        good = {evidence.spans[s] for s in evidence.span_of[sample.restores > 0].tolist()}
        stretches = [(text.starts[a], text.ends[z - 1]) for a, z in good]
        for unit in gold["units"]:
            if not unit["optional"]:
                total += 1
                parts = [(p["start"], p["end"]) for p in cores(unit)]
                hit += any(a <= unit["start"] and unit["end"] <= z for a, z in stretches) or all(
                    any(a <= p and q <= z for a, z in stretches) for p, q in parts
                )
    return hit / max(1, total)


@dataclass(slots=True)
class Clean:
    """Counts over clean articles; what is reported on them is not kept."""

    articles: int = 0
    words: int = 0
    findings: int = 0
    replacements: int = 0
    accused: int = 0

    def add(self, report: Report) -> None:
        self.articles += 1
        self.words += report.words
        self.findings += len(report.findings)
        self.replacements += sum(f.action == "replace" for f in report.findings)
        self.accused += report.verdict.label != "clean"

    def __iadd__(self, other: Clean) -> Clean:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    def row(self, name: str) -> str:
        per = 1000 / max(1, self.words)
        return (
            f"| {name} | {self.words:,} | {self.findings * per:.3f} | {self.replacements * per:.3f} "
            f"| {self.accused} of {self.articles:,} ({self.accused / max(1, self.articles):.2%}) |"
        )


def held_articles(name: str, words: int, seed: int = 1) -> Iterator[str]:
    """Articles of a held-back corpus, ``words`` words in all, each text at most once, in the order of a seed.

    The corpora do not say where articles end: a length as news has them (half of them under 400 words, one in ten over
    1,000) is drawn for each, and consecutive lines are taken up to it. A line is never cut: where it is a whole speech,
    that is the article.
    """
    rng = random.Random(f"{seed} {name}")
    cut: list[str] = []
    part: list[str] = []
    size, goal = 0, 0.0
    for line in lines(name):
        if line.strip():
            goal = goal or min(4000.0, max(60.0, rng.lognormvariate(log(400), 0.75)))
            part.append(line)
            size += line.count(" ") + 1
            if size >= goal:
                cut.append("\n\n".join(part))
                part, size, goal = [], 0, 0.0
    rng.shuffle(cut)
    left = words
    for text in cut:
        if left <= 0:
            return
        left -= text.count(" ") + 1
        yield text


SPUN: dict[str, Callable[[], list[Gold]]] = {
    "seed": lambda: gold_lines(SHARED / "data/seed/spun.jsonl"),
    "dev": lambda: gold_lines(SHARED / "data/dev/spun.jsonl"),
    "test": lambda: list(folder(Path("tests/articles/spun"))),
    "kinds": lambda: list(folder(Path("tests/kinds/spun"))),
    "later": lambda: list(folder(Path("tests/later/spun"))),
    "unseen": lambda: kept(unseen),
    "listed": lambda: kept(listed),
    "tortured": lambda: kept(tortured),
}
HEAD = (
    "| text | detection P / R / F0.5 | first / five | replacements P / R | proposed | judged clean |\n"
    "|---|---|---|---|---|---|"
)
HEAD_CLEAN = "| text | words | findings / 1,000 | replacements / 1,000 | accused |\n|---|---|---|---|---|"


CLEAN: dict[str, Callable[[], list[Gold]]] = {
    "devclean": lambda: [{"units": [], **g} for g in gold_lines(SHARED / "data/dev/clean.jsonl")],
    "testclean": lambda: list(folder(Path("tests/articles/clean"))),
    "kindsclean": lambda: list(folder(Path("tests/kinds/clean"))),
    "laterclean": lambda: list(folder(Path("tests/later/clean"))),
}


def spun_row(repairer: Repairer, name: str, golds: list[Gold], score: ModuleType, show: list[str], most: int) -> str:
    """A table row of figures on spun articles; prints some of the errors that ``show`` asks for."""
    found = findings(repairer, golds)
    r = score.score({g["id"]: g for g in golds}, found)
    clean = sum(f["verdict"]["label"] == "clean" for f in found.values())
    for kind in show:
        errors = list(r["lists"].get(kind, []))
        random.Random(0).shuffle(errors)
        print(f"  {name}: {kind} ({len(errors)})", *errors[:most], sep="\n    ")
    return (
        f"| {name} | {r['detection_precision']:.3f} / {r['detection_recall']:.3f} / {r['detection_f05']:.3f} "
        f"| {r['top1']:.3f} / {r['top5']:.3f} | {r['edit_precision']:.3f} / {r['edit_recall']:.3f} "
        f"| {proposed(repairer, golds):.3f} | {clean} of {len(golds)} |"
    )


def clean_counts(repairer: Repairer, texts: Iterable[str], show: bool = False) -> Clean:
    """Figures on clean text, which is read as it comes; with ``show`` what was found is printed."""
    out = Clean()
    for report in repairer.check_stream(texts):
        out.add(report)
        for f in report.findings[:4] if show else ():
            first = f.suggestions[0].text if f.suggestions else "?"
            print(f"    {report.verdict.probability:.3f} {f.action} {f.confidence:.3f} {f.observed} -> {first}")
    return out


def held_rows(repairer: Repairer, words: int, show: bool) -> Iterator[str]:
    """Table rows on held-back clean text: each kind, then all."""
    total = Clean()
    for name in HELD:
        counts = clean_counts(repairer, held_articles(name, words // len(HELD)), show)
        total += counts
        yield counts.row(name)
    yield total.row("held, all")


def heading(title: str, module: str) -> str:
    """The head of a page of figures: its title, then date, commit and the command that made it."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    command = " ".join([f"python -m benchmarks.{module}", *sys.argv[1:]])
    return f"# {title}\n\n{date.today()}, commit {commit}: `{command}`\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--without", default="", help="sources to switch off, by comma")
    parser.add_argument(
        "--sets", default="seed,dev,test,devclean,testclean,held", help="also folders of marked-up articles"
    )
    parser.add_argument("--words", type=int, default=60_000, help="of held-back clean text")
    parser.add_argument("--show", action="append", default=[], help="missed, wrong, alarm, harm, clean: print errors")
    parser.add_argument("--most", type=int, default=60)
    parser.add_argument("--ablate", action="store_true", help="development articles once more without each source")
    parser.add_argument("--write", type=Path, help="a page for the figures, such as docs/benchmarks.md")
    args = parser.parse_args()
    score = scorer()
    lines_ = []

    def say(line: str) -> None:
        print(line, flush=True)
        lines_.append(line)

    repairer = Repairer(without=[w for w in args.without.split(",") if w])
    names = args.sets.split(",")
    say(f"## {'All sources' if not args.without else 'Without ' + args.without}\n\n{HEAD}")
    for name in names:
        if name in SPUN or Path(name).is_dir():
            golds = SPUN[name]() if name in SPUN else list(folder(Path(name)))
            say(spun_row(repairer, name, golds, score, args.show, args.most))
    say(f"\n{HEAD_CLEAN}")
    for name in names:
        if name in CLEAN:
            texts = (gold["text"] for gold in CLEAN[name]())
            say(clean_counts(repairer, texts, "clean" in args.show).row(name))
    for row in held_rows(repairer, args.words, "clean" in args.show) if "held" in names else ():
        say(row)
    if args.ablate:
        say(f"\n## Development articles without one source\n\n{HEAD}")
        for source in SOURCES:
            say(spun_row(Repairer(without=[source]), f"dev without {source}", SPUN["dev"](), score, [], 0))
    if args.write:
        args.write.write_text(f"{heading('Benchmarks', 'quality')}\n" + "\n".join(lines_) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
