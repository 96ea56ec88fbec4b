"""What does each kind of evidence add? python -m benchmarks.ablation [--every N] [--write docs/ablation.md]

A ladder, each rung with all that the ones below have. For each the combination of evidence is fitted anew, on the same
articles (a share of those that the product's is fitted on), with the columns and candidates of later rungs left out:
1. lexicon: its rows' candidates and weights, and what the place looks like without knowing English;
2. n-grams: how well wordings fit their neighbours, with the dictionaries' candidates, which nothing before could judge;
3. untrained similarity: all-MiniLM-L6-v2 as it comes (benchmarks/untrained.py);
4. trained encoder, in its place: doubt of each word, odds of each candidate, candidates of its own;
5. verdict: the screen, the article's probability and its columns; before, each stretch is judged by itself alone;
6. the article's own wording: candidates from it, how often a wording stands, places of one wording hearing each other.
Articles are read once with the encoder and once without it, so that no rung has its help in what is looked at.
Nothing of this is shipped. What is gathered and fitted is kept in --out: a run that is cut off goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import pickle
import random
import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.quality import CLEAN, SPUN, Clean, heading, held_articles, scorer
from benchmarks.untrained import PAIR_SLOTS, SPAN_SLOTS, Untrained
from repair import channel, rows
from repair.candidates import ARTICLE, HABITS, LEXICON, NAMES, UNITS, WORDS, Proposer
from repair.columns import PAIR, SPAN
from repair.decide import THRESHOLDS, Combination, decide
from repair.encoder import Encoder, Floats
from repair.evidence import Judge
from repair.lexicon import Lexicon
from repair.ngrams import NgramStore
from repair.pipeline import SPARED, Pipeline, artifacts
from repair.report import Report, Verdict
from repair.segment import Text
from repair.thesaurus import Thesaurus
from training.articles import Gold, own
from training.combination import Sample, clean_texts, fit, labelled, synthetic
from training.corpora import HELD
from training.habits import Others
from training.own import HALVES, judged_by
from training.swaps import Swaps

MEASURED = ("dev", "unseen", "tortured")
UNHARMED = ("clean", "tempting")
NOTE = """dev, unseen, tortured: spun articles, of data/dev and of benchmarks/unseen.py.
clean, tempting: clean articles of the held-back corpora and of data/dev;
findings to 1,000 words and, from the verdict on, the share of articles accused.
Findings are those of the first reading. The last line is the last rung with the shipped combination, which is fitted
on several times as much.
"""
PART = 8  # articles that are gathered and kept together
CLEAN_WORDS = 2_000  # of each held-back corpus
LISTED = LEXICON | WORDS | UNITS | HABITS
EVERY = sum(NAMES)
NGRAM_PAIR = (
    "fit", "fit_gain", "fit_to_best", "left", "right", "left_gain", "right_gain", "middle", "middle_gain", "unigram",
    "unigram_gain", "prior", "joint_left", "joint_right", "sources", *channel.COLUMNS,
)  # fmt: skip
NGRAM_SPAN = ("fit_own", "left_own", "right_own", "middle_own", "unigram_own", "known")
VERDICT_SPAN = ("article_mean", "article_high", "tells")


@dataclass(frozen=True, slots=True)
class Rung:
    """What one step of the ladder may know."""

    name: str
    ngrams: bool = True
    similarity: bool = False
    encoder: bool = False
    verdict: bool = False
    article: bool = False


RUNGS = (
    Rung("lexicon", ngrams=False),
    Rung("+ n-grams"),
    Rung("+ untrained similarity", similarity=True),
    Rung("+ trained encoder", encoder=True),
    Rung("+ verdict", encoder=True, verdict=True),
    Rung("+ the article's own wording", encoder=True, verdict=True, article=True),
)


@dataclass(frozen=True, slots=True)
class Gathered:
    """One article with its evidence: as the encoder sees it, without the encoder, and what the untrained one adds."""

    of: str  # "fit", or the set that it is measured on
    gold: Gold
    seeing: Sample
    blind: Sample
    similar: tuple[Floats, Floats]


class _Worker:
    """What a process needs to gather evidence: the shipped encoder, then those of the halves (training/own.py)."""

    encoders: list[Encoder]
    untrained: Untrained
    seeing: dict[tuple[int, bool], Judge]  # by encoder, and with the lexicon or not
    blind: dict[bool, Judge]
    habits: Others

    @classmethod
    def start(cls, folders: list[Path]) -> None:
        torch.set_num_threads(1)
        store, lexicon = NgramStore(artifacts() / "ngrams"), Lexicon(rows.shipped())
        thesaurus = Thesaurus(artifacts() / "thesaurus")
        cls.encoders, cls.untrained = [Encoder(folder) for folder in folders], Untrained()
        cls.seeing, cls.blind, cls.habits = {}, {}, Others()
        for listed in (True, False):
            without = () if listed else ("lexicon",)
            proposer = Proposer(lexicon, thesaurus, store, without, cls.habits.all)
            cls.seeing |= {(k, listed): Judge(store, proposer, encoder) for k, encoder in enumerate(cls.encoders)}
            blind = Proposer(lexicon, thesaurus, store, (*without, "encoder"), cls.habits.all)
            cls.blind[listed] = Judge(store, blind, None)

    @classmethod
    def gathered(cls, jobs: list[tuple[str, str, bool, Gold]]) -> list[Gathered]:
        out = []
        for of, kind, listed, gold in jobs:
            new = of == "fit" and kind == "own"
            by = judged_by(gold["id"], len(cls.encoders)) if new else 0
            for judge in (cls.seeing[by, listed], cls.blind[listed]):
                cls.habits.tell(judge.proposer, gold if new else None)
            text = Text(gold["text"])
            (reading,) = cls.encoders[by].read([text])
            seeing, blind = (
                labelled(kind, gold, text, replace(judge.evidence(text, seen), entries={}))
                for judge, seen in ((cls.seeing[by, listed], reading), (cls.blind[listed], None))
            )
            out.append(Gathered(of, gold, seeing, blind, cls.untrained.columns(text, blind.evidence)))
        return out


def jobs(every: int) -> list[tuple[str, str, bool, Gold]]:
    """What is gathered: the set or "fit", kind of article, whether the lexicon is asked, the article."""
    rng = random.Random(5)
    out: list[tuple[str, str, bool, Gold]] = []
    for kind in ("spun", "clean"):  # half without the lexicon: the trees have to know how to do without it
        out += [("fit", "own", k % 2 == 0, g) for k, g in enumerate(list(own(kind))[::3])]
    out += [("fit", "clean", True, _clean(f"clean-{k}", t)) for k, t in enumerate(clean_texts(rng, 6))]
    store, thesaurus = NgramStore(artifacts() / "ngrams"), Thesaurus(artifacts() / "thesaurus")
    base = list(clean_texts(rng, 8))
    rng.shuffle(base)
    for held in (True, False):
        swaps = Swaps(rows.shipped(), store, thesaurus, held)
        made = synthetic(base[held::2], swaps, rng, f"made-{held}")
        out += [("fit", "synthetic", k % 4 > 0, g) for k, g in enumerate(made)]
    sets: dict[str, list[Gold]] = {name: SPUN[name]() for name in ("dev", "unseen", "tortured")}
    sets["clean"] = [
        _clean(f"{n}-{k}", t) for n in HELD for k, t in enumerate(held_articles(n, CLEAN_WORDS)) if len(t) < 20_000
    ]
    sets["tempting"] = CLEAN["devclean"]()
    out += [(name, "own", True, g) for name, golds in sets.items() for g in golds]
    return out[::every]


def _clean(name: str, text: str) -> Gold:
    return {"id": name, "text": text, "units": []}


def gather(out: Path, every: int, encoders: list[Path]) -> list[Gathered]:
    """Evidence on all articles, in two processes, kept part by part."""
    todo = jobs(every)
    parts = [todo[at : at + PART] for at in range(0, len(todo), PART)]
    files = [out / f"evidence-{k}.pickle" for k in range(len(parts))]
    left = [k for k, file in enumerate(files) if not file.exists()]
    began = time.time()
    with ProcessPoolExecutor(2, get_context("spawn"), _Worker.start, (encoders,)) as pool:
        for n, (k, found) in enumerate(zip(left, pool.map(_Worker.gathered, [parts[k] for k in left]), strict=True)):
            files[k].write_bytes(pickle.dumps(found))
            if n % 10 == 0:
                print(f"{n + 1} of {len(left)} parts in {time.time() - began:.0f} s", flush=True)
    return [g for file in files for g in pickle.loads(file.read_bytes())]


def view(gathered: Gathered, rung: Rung) -> Sample:
    """The article as a rung sees it: its candidates, its columns; what it may not know is zero."""
    sample = gathered.seeing if rung.encoder else gathered.blind
    e = sample.evidence
    pair, span = e.pair.copy(), e.span.copy()
    if rung.similarity:
        pair[:, PAIR_SLOTS], span[:, SPAN_SLOTS] = gathered.similar
    hidden = [] if rung.ngrams else [*NGRAM_PAIR, *NGRAM_SPAN]
    if not rung.verdict:
        hidden += VERDICT_SPAN
    if not rung.article:
        pair[:, PAIR.index("sources")] -= pair[:, PAIR.index("article")]
        hidden += "article", "repeats"
    pair[:, [PAIR.index(c) for c in hidden if c in PAIR]] = 0
    span[:, [SPAN.index(c) for c in hidden if c in SPAN]] = 0
    bits = np.array(e.bits, np.int64)
    keep = np.flatnonzero(bits & (LISTED if not rung.ngrams else EVERY if rung.article else EVERY & ~ARTICLE))
    stay = np.arange(len(e.spans))
    if not rung.ngrams:  # a span's candidates stand in the order of their fit: here, of the lexicon's weight
        keep = keep[np.lexsort((-pair[keep, PAIR.index("weight")], e.span_of[keep]))]
        stay = np.unique(e.span_of[keep])
    evidence = replace(
        e,
        spans=[e.spans[s] for s in stay],
        # Places of one wording hear each other by its name: with a number each is alone.
        observed=[e.observed[s] if rung.article else f"{e.observed[s]} {s}" for s in stay],
        span_of=np.searchsorted(stay, e.span_of[keep]),
        texts=[e.texts[k] for k in keep],
        bits=bits[keep].tolist(),
        pair=pair[keep],
        span=span[stay],
    )
    return replace(
        sample,
        evidence=evidence,
        touches=sample.touches[stay],
        weight=sample.weight[stay],
        restores=sample.restores[keep],
    )


class Unjudged(Combination):
    """Without a verdict: every article is taken for spun."""

    def probability(self, columns: Floats) -> float:
        return 1.0


def figures(found: Sequence[Gathered], rung: Rung, combination: Combination) -> dict[str, Any]:
    """The scorer's figures of a rung on every set."""
    pipeline = Pipeline({"encoder"}, (), (), THRESHOLDS["normal"])
    score, screen = scorer(), pipeline.screen
    assert screen
    out: dict[str, Any] = {}
    for name in dict.fromkeys(g.of for g in found if g.of != "fit"):
        golds, reports, clean = {}, {}, Clean()
        for g in (g for g in found if g.of == name):
            if rung.verdict and not screen.doubtful(g.gold["text"]):
                report = Report(g.seeing.words, Verdict("clean", SPARED, 0.0))
            else:
                sample = view(g, rung)
                decision = decide(sample.evidence, combination, sample.words, pipeline.thresholds)
                report = pipeline.report(Text(g.gold["text"]), sample.evidence, decision)
            golds[g.gold["id"]], reports[g.gold["id"]] = g.gold, report.to_dict(g.gold["id"])
            clean.add(report)
        scored = score.score(golds, reports)
        del scored["lists"]
        per = 1000 / max(1, clean.words)
        accused = clean.accused / max(1, clean.articles)
        out[name] = scored | {"per_1000": clean.findings * per, "accused": accused, "words": clean.words}
    return out


def row(name: str, found: dict[str, Any], judged: bool) -> str:
    """A rung's line in the table."""
    cells = [name]
    for r in (found[s] for s in MEASURED if s in found):
        cells += [f"{r['detection_f05']:.3f}", f"{r['top1']:.3f} / {r['top5']:.3f}"]
        cells.append(f"{r['edit_precision']:.3f} / {r['edit_recall']:.3f}")
    for r in (found[s] for s in UNHARMED if s in found):
        cells.append(f"{r['per_1000']:.2f}" + (f", {r['accused']:.1%}" if judged else ""))
    return f"| {' | '.join(cells)} |"


def head(found: dict[str, Any]) -> str:
    """The table's head for the sets that were measured."""
    cells = ["with"]
    for s in (s for s in MEASURED if s in found):
        cells += [f"{s}: F0.5", "first / five", "rewrites P / R"]
    cells += [s for s in UNHARMED if s in found]
    return f"| {' | '.join(cells)} |\n{'|---' * len(cells)}|"


def climbed(out: Path, found: Sequence[Gathered], seed: int) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Each rung's name, figures, and whether it judges articles; last the product as shipped."""
    for k, rung in enumerate(RUNGS, 1):
        kept, model = out / f"rung-{k}.json", out / f"rung-{k}.npz"
        if not kept.exists():
            began = time.time()
            if not model.exists():
                with (out / f"rung-{k}.log").open("w") as log, redirect_stdout(log):
                    arrays = fit([view(g, rung) for g in found if g.of == "fit"], seed)
                np.savez_compressed(model, **arrays)
            combination = (Combination if rung.verdict else Unjudged)(model)
            kept.write_text(json.dumps(figures(found, rung, combination)), encoding="utf-8")
            print(f"{rung.name}: {time.time() - began:.0f} s", flush=True)
        yield rung.name, json.loads(kept.read_text(encoding="utf-8")), rung.verdict
    yield "(as shipped)", figures(found, RUNGS[-1], Combination(artifacts() / "combination.npz")), True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, default=artifacts() / "encoder")
    parser.add_argument("--halves", type=Path, nargs=HALVES, default=[], help="as of training.combination")
    parser.add_argument("--out", type=Path, default=Path("build/ablation"))
    parser.add_argument("--every", type=int, default=1, help="only every so many articles: to try it out")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--write", type=Path, help="a page for the table, such as docs/ablation.md")
    args = parser.parse_args()
    mark = args.every
    encoders = [args.encoder, *args.halves]
    for path in [*(encoder / "weights.npz" for encoder in encoders), *rows.shipped()]:
        mark = zlib.crc32(path.read_bytes(), mark)
    out: Path = args.out / f"{mark:08x}"  # other models, other evidence
    out.mkdir(parents=True, exist_ok=True)
    found = gather(out, args.every, encoders)
    lines: list[str] = []
    for name, r, judged in climbed(out, found, args.seed):
        lines += [*([] if lines else [head(r)]), row(name, r, judged)]
    sizes = ", ".join(
        f"{sum(g.of == name for g in found)} {title}"
        for name, title in {"fit": "articles fitted on", **{s: s for s in (*MEASURED, *UNHARMED)}}.items()
    )
    body = "\n".join(lines) + f"\n\n{sizes}.\n"
    print(body)
    if args.write:
        about = (__doc__ or "").split("\n", 2)[2]
        args.write.write_text(f"{heading('Ablation', 'ablation')}\n{about}\n{NOTE}\n{body}", encoding="utf-8")


if __name__ == "__main__":
    main()
