"""Figures of quality: python -m benchmarks.quality [--without lexicon] [--show KIND] [--ablate] [--write PAGE].

Runs the scorer of ../shared on the seed article, the development articles, and held-back clean text.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import subprocess
import sys
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

from repair import Repairer
from repair.candidates import SOURCES
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


def held_clean(words: int, seed: int = 1) -> list[Gold]:
    """Clean articles of about 300 words from every held-back corpus, ``words`` words in all."""
    rng = random.Random(seed)
    out: list[Gold] = []
    for name in HELD:
        stock = [line for line in lines(name) if line.strip()]
        have = 0
        while have < words / len(HELD):
            at, body, size = rng.randrange(len(stock)), [], 0
            while size < 300 and at < len(stock):
                body.append(stock[at][:6000])
                size += stock[at].count(" ") + 1
                at += 1
            have += size
            out.append({"id": f"{name}-{len(out)}", "text": "\n\n".join(body), "units": []})
    return out


def proposed(repairer: Repairer, golds: list[Gold]) -> float:
    """Share of required units whose exact stretch and original were among the candidates that the trees saw.

    A unit of several swaps ("traverse approval" for cross-validation) also counts when each of them was.
    """
    from repair.report import Article
    from training.combination import labelled

    hit = total = 0
    for gold in golds:
        ((text, evidence, _),) = repairer._pipeline.judged([Article(gold["text"])])
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


SPUN: dict[str, Callable[[], list[Gold]]] = {
    "seed": lambda: gold_lines(SHARED / "data/seed/spun.jsonl"),
    "dev": lambda: gold_lines(SHARED / "data/dev/spun.jsonl"),
    "test": lambda: list(folder(Path("tests/articles/spun"))),
}
HEAD = (
    "| text | detection P / R / F0.5 | first / five | replacements P / R | proposed | judged clean |\n"
    "|---|---|---|---|---|---|"
)
HEAD_CLEAN = "| text | words | findings / 1,000 | replacements / 1,000 | accused |\n|---|---|---|---|---|"


def clean_sets(words: int) -> dict[str, Callable[[], list[Gold]]]:
    """Clean texts by name; ``words`` of them from the held-back corpora."""
    return {
        "devclean": lambda: [{"units": [], **g} for g in gold_lines(SHARED / "data/dev/clean.jsonl")],
        "testclean": lambda: list(folder(Path("tests/articles/clean"))),
        "held": lambda: held_clean(words),
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


def clean_row(repairer: Repairer, name: str, golds: list[Gold], score: ModuleType, show: list[str]) -> str:
    """A table row of figures on clean text."""
    found = findings(repairer, golds)
    r = score.score_clean(found)
    accused = sum(f["verdict"]["label"] != "clean" for f in found.values())
    if "clean" in show:
        for key, f in found.items():
            for x in f["findings"][:4]:
                first = x["suggestions"][0]["text"] if x["suggestions"] else "?"
                print(
                    f"    {key} {f['verdict']['probability']} {x['action']} {x['confidence']} "
                    f"{x['observed']} -> {first}"
                )
    return (
        f"| {name} | {r['clean_words']:,} | {r['clean_findings_per_1000']} | {r['clean_replacements_per_1000']} "
        f"| {accused} of {len(golds)} |"
    )


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
    clean = clean_sets(args.words)
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
        if name in clean:
            say(clean_row(repairer, name, clean[name](), score, args.show))
    if args.ablate:
        say(f"\n## Development articles without one source\n\n{HEAD}")
        for source in SOURCES:
            say(spun_row(Repairer(without=[source]), f"dev without {source}", SPUN["dev"](), score, [], 0))
    if args.write:
        args.write.write_text(f"{heading('Benchmarks', 'quality')}\n" + "\n".join(lines_) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
