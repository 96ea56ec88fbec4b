"""Figures of quality: benchmarks/quality.py [--without lexicon] [--show KIND] [--all --write docs/benchmarks.md].

Runs the scorer of ../shared on the seed article, the development articles, and held-back clean text.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from repair import Repairer
from training.articles import Gold, folder, gold_lines
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
    return {g["id"]: r.to_dict(g["id"]) for g, r in zip(golds, repairer.check_stream(g["text"] for g in golds), strict=True)}


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
    """Share of required units whose exact stretch and original were among the candidates that the trees saw."""
    from repair.report import Article
    from training.combination import labelled

    hit = total = 0
    for gold in golds:
        ((text, evidence, _),) = repairer._pipeline.judged([Article(gold["text"])])
        required = {(u["start"], u["end"]) for u in gold["units"] if not u["optional"]}
        total += len(required)
        sample = labelled("own", gold, text, evidence)
        good = set()
        for k, s in enumerate(evidence.span_of.tolist()):
            if sample.restores[k]:
                a, z = evidence.spans[s]
                good |= {u for u in required if text.starts[a] <= u[0] and u[1] <= text.ends[z - 1]}
        hit += len(good)
    return hit / max(1, total)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--without", default="")
    parser.add_argument("--sets", default="seed,dev,test,devclean,testclean,clean")
    parser.add_argument("--words", type=int, default=60_000)
    parser.add_argument("--show", action="append", default=[])
    parser.add_argument("--most", type=int, default=60)
    args = parser.parse_args()
    score = scorer()
    repairer = Repairer(without=[w for w in args.without.split(",") if w])
    spun = {
        "seed": lambda: gold_lines(SHARED / "data/seed/spun.jsonl"),
        "dev": lambda: gold_lines(SHARED / "data/dev/spun.jsonl"),
        "test": lambda: list(folder(Path("tests/articles/spun"))),
        "train": lambda: list(folder(Path("training/articles/spun"))),
    }
    clean = {
        "devclean": lambda: [{"units": [], **g} for g in gold_lines(SHARED / "data/dev/clean.jsonl")],
        "testclean": lambda: list(folder(Path("tests/articles/clean"))),
        "clean": lambda: held_clean(args.words),
    }
    for name in args.sets.split(","):
        if name in spun:
            golds = spun[name]()
            found = findings(repairer, golds)
            r = score.score({g["id"]: g for g in golds}, found)
            labels = [f["verdict"]["label"] for f in found.values()]
            print(
                f"{name:9} detection P {r['detection_precision']:.3f} R {r['detection_recall']:.3f} F0.5 {r['detection_f05']:.3f} | "
                f"first {r['top1']:.3f} five {r['top5']:.3f} | edits {r['edit_precision']:.3f} at {r['edit_recall']:.3f} | "
                f"proposed {proposed(repairer, golds):.3f} | clean verdicts {labels.count('clean')}/{len(labels)}",
                flush=True,
            )
            for kind in args.show:
                rows = r["lists"].get(kind, [])
                random.Random(0).shuffle(rows)
                print(f"  {kind} ({len(rows)})", *rows[: args.most], sep="\n    ")
        else:
            golds = clean[name]()
            found = findings(repairer, golds)
            r = score.score_clean(found)
            accused = sum(f["verdict"]["label"] != "clean" for f in found.values())
            print(
                f"{name:9} {r['clean_words']:,} words: {r['clean_findings_per_1000']} findings, {r['clean_replacements_per_1000']} replacements "
                f"per 1,000 | accused {accused}/{len(found)}",
                flush=True,
            )
            if "clean" in args.show:
                for key, f in found.items():
                    for x in f["findings"][:4]:
                        s = x["suggestions"][0]["text"] if x["suggestions"] else "?"
                        print(f"    {key} {f['verdict']['probability']} {x['action']} {x['confidence']:.2f} {x['observed']} -> {s}")


if __name__ == "__main__":
    main()
    _ = json
