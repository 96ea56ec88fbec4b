"""Train the combination of evidence and the verdict: training/combination.py [--encoder DIR].

Text that no source was built on: our own annotated articles (training/articles.py), clean text of the last tenth of the
building corpora, and the same spun on the fly, half of it with swaps that the encoder never saw. Two small
networks (training/perceptrons.py): does this candidate restore the source; is this stretch an artifact. Chances fed to
the second are made out of fold, by article. data/dev and tests/articles are never read
here.
"""

from __future__ import annotations

import argparse
import pickle
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from repair import rows
from repair.candidates import Proposer
from repair.decide import VERDICT, harmonised, pair_rows, span_rows, verdict_columns
from repair.encoder import Encoder
from repair.evidence import KEPT, Evidence, Judge
from repair.lexicon import Lexicon
from repair.ngrams import NgramStore
from repair.perceptrons import Perceptrons
from repair.segment import Text
from repair.thesaurus import Thesaurus
from training.articles import Gold, cores, norm, restored
from training.corpora import BUILD, late_lines
from training.corrupt import Spinner, annotated
from training.habits import Others
from training.own import HALVES, judged_by, own_articles
from training.perceptrons import Bins, Net, fitted, packed
from training.swaps import Swaps

ARTIFACTS = Path("repair/artifacts")
FOLDS = 4
BAG = 2  # models of other seeds that are averaged: single ones differ by some points on an article
PAIR_EPOCHS, SPAN_EPOCHS = 5, 4
THINNED = {True: 0.35, False: 0.06}  # share kept of stretches that no candidate restores, in spun and clean articles
IMPORTANCE = {"own": 1.0, "clean": 0.6, "synthetic": 0.2}
EVEN = 60  # artifact stretches of an article from which on more of them weigh no more: articles count, not swaps
CLEAN_TO_SPUN = 1.5  # clean articles for each spun one, among those that the verdict is asked about
FitOne = Callable[[Sequence[int], int], Net]  # from numbers of samples and a seed


@dataclass
class Sample:
    """One article with its evidence and labels. kind: own, synthetic, clean."""

    name: str
    kind: str
    words: int
    evidence: Evidence
    touches: np.ndarray  # per span: 1 touches a unit, 0 not
    weight: np.ndarray  # per span
    restores: np.ndarray  # per pair
    spun: bool
    density: float


def labelled(kind: str, gold: Gold, text: Text, evidence: Evidence) -> Sample:
    """Labels from the annotation: which spans touch swaps, which pairs restore the source.

    A span that holds a whole unit must restore it; one that holds a part of one must restore the swaps in that part.
    """
    units = gold["units"]
    within = [cores(u) for u in units]
    touches = np.zeros(len(evidence.spans), np.int8)
    weight = np.ones(len(evidence.spans), np.float32)
    wanted: list[re.Pattern[str] | None] = []
    for s, (a, z) in enumerate(evidence.spans):
        start, end = text.starts[a], text.ends[z - 1]
        over = []
        for unit, parts in zip(units, within, strict=True):
            if unit["start"] < end and start < unit["end"]:
                inside = start <= unit["start"] and unit["end"] <= end
                found = [unit] if inside else [p for p in parts if p["start"] < end and start < p["end"]]
                over += found
                if not found:
                    weight[s] = 0.4  # a word that the swap left alone, within a unit
        if over:
            touches[s] = 1
            if all(u["optional"] for u in over):
                weight[s] = 0.4
        whole = over and all(start <= u["start"] and u["end"] <= end for u in over)
        wanted.append(restored(text.text, start, end, over) if whole else None)
    restores = np.zeros(len(evidence.texts), np.int8)
    for k, s in enumerate(evidence.span_of):
        p = wanted[s]
        if p is not None and p.fullmatch(norm(evidence.texts[k])):
            restores[k] = 1
    words = sum(text.is_word)
    touched = sum(u["end"] - u["start"] for u in units) / max(1, len(text.text))
    return Sample(gold["id"], kind, words, evidence, touches, weight, restores, bool(units), touched)


def clean_texts(rng: random.Random, each: int) -> Iterator[str]:
    """Articles' worth of clean text from the last tenths, 40 to 600 words."""
    for name in BUILD:
        lines = [line for line in late_lines(name) if line]
        for _ in range(each):
            at, out, words = rng.randrange(len(lines)), [], 0
            goal = rng.choice([60, 150, 300, 300, 500])
            while words < goal and at < len(lines):
                out.append(lines[at][:4000])
                words += lines[at].count(" ") + 1
                at += 1
            yield "\n\n".join(out)


def synthetic(texts: list[str], swaps: Swaps, rng: random.Random, name: str) -> Iterator[Gold]:
    """Clean texts spun by random machines, as gold annotation."""
    for i, text in enumerate(texts):
        spinner = Spinner.draw(rng, list(swaps.tables), clean=0.0)
        spinner.appetite = min(spinner.appetite, 0.45)
        spun, units = annotated(text, spinner, swaps, rng)
        yield {"id": f"{name}-{i}", "text": spun, "units": units}


class _Worker:
    """What a process needs to gather evidence: encoders, and for each judges with and without the lexicon.

    The first encoder is the shipped one, the others those that each kept one half of our own articles out of their
    training (training/own.py), and so judge these as if they were new.
    """

    encoders: list[Encoder]
    judges: list[list[Judge]]
    habits: Others

    @classmethod
    def start(cls, folders: list[Path]) -> None:
        torch.set_num_threads(1)
        store, lexicon = NgramStore(ARTIFACTS / "ngrams"), Lexicon(rows.shipped())
        thesaurus = Thesaurus(ARTIFACTS / "thesaurus")
        cls.habits = Others()
        proposers = [Proposer(lexicon, thesaurus, store, without, cls.habits.all) for without in ((), ("lexicon",))]
        cls.encoders = [Encoder(folder) for folder in folders]
        cls.judges = [[Judge(store, proposer, encoder) for proposer in proposers] for encoder in cls.encoders]

    @classmethod
    def samples(cls, golds: list[tuple[str, Gold]]) -> list[Sample]:
        """Every third own article is judged without the lexicon too, of the others every fourth without: the networks
        have to know how to do without it."""
        out = []
        for k, (kind, gold) in enumerate(golds):
            by = judged_by(gold["id"], len(cls.encoders)) if kind == "own" else 0
            text, judges = Text(gold["text"]), cls.judges[by]
            (reading,) = cls.encoders[by].read([text])
            for judge in judges[: 1 + (k % 3 == 0)] if kind == "own" else [judges[k % 4 == 0]]:
                cls.habits.tell(judge.proposer, gold if kind == "own" else None)
                out.append(labelled(kind, gold, text, replace(judge.evidence(text, reading), entries={})))
        return out


def gather(args: argparse.Namespace) -> list[Sample]:
    """Evidence on all training articles, in two processes."""
    rng = random.Random(args.seed)
    store, thesaurus = NgramStore(ARTIFACTS / "ngrams"), Thesaurus(ARTIFACTS / "thesaurus")
    lexicons = rows.shipped()
    clean = list(clean_texts(rng, args.clean))
    base = list(clean_texts(rng, args.synthetic))
    rng.shuffle(base)
    half = len(base) // 2
    golds: list[tuple[str, Gold]] = [("own", g) for g in own_articles()]
    golds += [("clean", {"id": f"clean-{i}", "text": t, "units": []}) for i, t in enumerate(clean)]
    held, seen = (Swaps(lexicons, store, thesaurus, held=h) for h in (True, False))
    golds += [("synthetic", g) for g in synthetic(base[:half], held, rng, "held")]
    golds += [("synthetic", g) for g in synthetic(base[half:], seen, rng, "seen")]
    began = time.time()
    parts = [golds[at : at + 16] for at in range(0, len(golds), 16)]
    with ProcessPoolExecutor(2, get_context("spawn"), _Worker.start, ([args.encoder, *args.halves],)) as pool:
        samples = [s for part in pool.map(_Worker.samples, parts) for s in part]
    print(f"{len(samples)} articles in {time.time() - began:.0f} s", flush=True)
    return samples


def stretches(sample: Sample, x: np.ndarray, weight: float, gen: np.random.Generator) -> list[np.ndarray]:
    """Stretches with candidates side by side: rows (n, KEPT, columns), there and restores (n, KEPT), weight (n,).

    x: a sample's rows, halved. Stretches that no candidate restores are thinned, and weighted by what was left out.
    """
    starts = np.flatnonzero(np.r_[True, np.diff(sample.evidence.span_of) != 0])
    sizes = np.diff([*starts, len(x)])
    good = np.maximum.reduceat(sample.restores, starts) > 0
    share = THINNED[sample.spun]
    keep = np.flatnonzero(good | (gen.random(len(starts)) < share))
    out = np.zeros((len(keep), KEPT, x.shape[1]), np.float16)
    there, y = np.zeros((2, len(keep), KEPT), np.float32)
    for k, i in enumerate(keep):
        n, part = sizes[i], slice(starts[i], starts[i] + sizes[i])
        out[k, :n], there[k, :n], y[k, :n] = x[part], 1, sample.restores[part]
    return [out, there, y, np.where(good[keep], weight, weight / share).astype(np.float32)]


def halved(x: np.ndarray) -> np.ndarray:
    """Rows in half the memory: bins are far wider than what is lost."""
    return x.clip(-60_000, 60_000).astype(np.float16)


def some(x: Sequence[np.ndarray | None], gen: np.random.Generator) -> np.ndarray:
    """A tenth of all rows, for the bins."""
    return np.concatenate([rows[gen.random(len(rows)) < 0.1] for rows in x if rows is not None]).astype(np.float32)


def networks(fit_one: FitOne, jobs: Sequence[tuple[list[int], int]]) -> list[Net]:
    """Networks fitted on the samples and with the seed of each job, two at a time."""
    _Forked.fit_one = staticmethod(fit_one)
    with ProcessPoolExecutor(2, get_context("fork")) as pool:
        return list(pool.map(_Forked.run, jobs))


class _Forked:
    """What the processes of ``networks`` inherit, with all the data that it closes over: nothing is copied."""

    fit_one: FitOne

    @classmethod
    def run(cls, job: tuple[list[int], int]) -> Net:
        torch.set_num_threads(1)
        return cls.fit_one(*job)


def out_of_fold(
    fit_one: FitOne,
    bins: Bins,
    x: Sequence[np.ndarray | None],
    groups: Sequence[np.ndarray] | None,
    fold: np.ndarray,
    seed: int,
) -> list[np.ndarray]:
    """Log-odds of all rows, each sample's by a network that was fitted on the other folds."""
    out: list[np.ndarray] = [np.zeros(0, np.float32)] * len(x)
    fitted_on = [(np.flatnonzero(fold != f).tolist(), seed) for f in range(FOLDS)]
    for f, one in enumerate(networks(fit_one, fitted_on)):
        net = Perceptrons(packed([one], bins, "net"), "net")
        for i in np.flatnonzero(fold == f):
            if (rows := x[i]) is not None:
                out[i] = net.logits(rows.astype(np.float32), groups[i] if groups else None)
    return out


def fit(samples: list[Sample], seed: int) -> dict[str, Any]:
    """The combination's arrays. Prints out-of-fold figures."""
    gen = np.random.default_rng(seed)
    numbers = {name: i for i, name in enumerate(dict.fromkeys(s.name for s in samples))}
    fold = np.array([numbers[s.name] % FOLDS for s in samples])
    weight = [IMPORTANCE[s.kind] * EVEN / max(EVEN, int(s.touches.sum())) for s in samples]
    x_pair = [halved(pair_rows(s.evidence)) if s.evidence.texts else None for s in samples]
    pair_bins = Bins.of(some(x_pair, gen))
    sets = {i: stretches(samples[i], x, weight[i], gen) for i, x in enumerate(x_pair) if x is not None}

    def fit_pair(chosen: Sequence[int], seed: int) -> Net:
        parts = zip(*(sets[i] for i in chosen if i in sets), strict=True)
        x, there, y, w = (torch.from_numpy(np.concatenate(p)) for p in parts)
        return fitted(x, there, y, w, pair_bins, PAIR_EPOCHS, 256, seed)

    logits = out_of_fold(fit_pair, pair_bins, x_pair, [s.evidence.span_of for s in samples], fold, seed)
    chance = [harmonised(s.evidence, c) for s, c in zip(samples, logits, strict=True)]
    x_span = [span_rows(s.evidence, c) if s.evidence.spans else None for s, c in zip(samples, chance, strict=True)]
    span_bins = Bins.of(some(x_span, gen))

    def fit_span(chosen: Sequence[int], seed: int) -> Net:
        use = [(samples[i], weight[i], rows) for i in chosen if (rows := x_span[i]) is not None]
        x = torch.from_numpy(np.concatenate([halved(rows) for _, _, rows in use]))
        y, w = (
            torch.from_numpy(np.concatenate(part).astype(np.float32))
            for part in ([s.touches for s, _, _ in use], [s.weight * m for s, m, _ in use])
        )
        return fitted(x, torch.ones(len(x)), y, w, span_bins, SPAN_EPOCHS, 1024, seed)

    confidence = [1 / (1 + np.exp(-c)) for c in out_of_fold(fit_span, span_bins, x_span, None, fold, seed)]
    x = np.stack(
        [verdict_columns(s.evidence, c, p, s.words) for s, c, p in zip(samples, confidence, chance, strict=True)]
    )
    y = np.array([s.spun for s in samples])
    counted = ~y | np.array([s.density > 0.03 for s in samples])
    w = np.array([IMPORTANCE[s.kind] for s in samples])
    w[~y] *= w[y & counted].sum() / w[~y].sum()
    verdict = LogisticRegression(C=3.0, max_iter=5000).fit(x[counted], y[counted], sample_weight=w[counted])
    # Fitted on as many of either (prior correction: King & Zeng 2001, doi:10.1093/oxfordjournals.pan.a004868).
    verdict.intercept_ -= np.log(CLEAN_TO_SPUN)
    report(samples, chance, confidence, verdict.predict_proba(x)[:, 1])
    every = list(range(len(samples)))
    arrays: dict[str, Any] = {}
    for prefix, fit_one, bins in (("pair", fit_pair, pair_bins), ("span", fit_span, span_bins)):
        arrays |= packed(networks(fit_one, [(every, seed + i) for i in range(BAG)]), bins, prefix)
    arrays["verdict_weights"] = np.concatenate([verdict.coef_[0], verdict.intercept_]).astype(np.float32)
    print("verdict", dict(zip([*VERDICT, "bias"], arrays["verdict_weights"].round(2).tolist(), strict=True)))
    return arrays


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, default=ARTIFACTS / "encoder")
    halves = "encoders that kept the first, the second half of our own articles out of their training"
    parser.add_argument("--halves", type=Path, nargs=HALVES, default=[], help=halves)
    parser.add_argument("--out", type=Path, default=ARTIFACTS / "combination.npz")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--clean", type=int, default=40, help="clean articles of each corpus")
    parser.add_argument("--synthetic", type=int, default=36, help="spun articles of each corpus")
    parser.add_argument(
        "--keep", type=Path, help="evidence gathered before, or where to keep it: fitting alone is quick"
    )
    args = parser.parse_args()
    if args.keep and args.keep.exists():
        samples: list[Sample] = pickle.loads(args.keep.read_bytes())
    else:
        samples = gather(args)
        if args.keep:
            args.keep.write_bytes(pickle.dumps(samples))
    np.savez_compressed(args.out, **fit(samples, args.seed))
    print(f"{args.out}: {args.out.stat().st_size / 1e3:.0f} kB")


def report(samples: list[Sample], chance: list[np.ndarray], confidence: list[np.ndarray], said: np.ndarray) -> None:
    """Out-of-fold figures by kind of article."""
    for kind in ("own", "synthetic"):
        mine = [i for i, s in enumerate(samples) if s.kind == kind and s.spun]
        c = np.concatenate([confidence[i] for i in mine])
        t = np.concatenate([samples[i].touches for i in mine])
        proposed = np.concatenate(
            [
                np.bincount(samples[i].evidence.span_of, samples[i].restores, len(samples[i].evidence.spans)) > 0
                for i in mine
            ]
        )
        line = ", ".join(
            f"{th}: {t[c >= th].mean():.3f}/{t[c >= th].sum() / t.sum():.3f}" for th in (0.3, 0.5, 0.7, 0.9)
        )
        print(f"{kind}: span precision/recall at {line}; restorable spans {proposed.sum()} of {int(t.sum())} touching")
        bins = np.clip((c * 10).astype(int), 0, 9)
        error = sum(
            abs(c[bins == b].mean() - t[bins == b].mean()) * (bins == b).mean() for b in range(10) if (bins == b).any()
        )
        print(f"   expected calibration error {error:.3f}")
        p = np.concatenate([chance[i] for i in mine])
        r = np.concatenate([samples[i].restores for i in mine])
        print(
            "   pairs, precision/recall at "
            + ", ".join(
                f"{th}: {r[p >= th].mean():.3f}/{r[p >= th].sum() / r.sum():.3f}" for th in (0.3, 0.5, 0.7, 0.9)
            )
        )
    for kind in ("own", "synthetic", "clean"):
        for spun in (True, False):
            mine = [
                i for i, s in enumerate(samples) if s.kind == kind and s.spun == spun and (not spun or s.density > 0.03)
            ]
            if mine:
                print(
                    f"verdict {kind} {'spun' if spun else 'clean'}: "
                    f"{np.mean(said[mine] >= 0.5):.3f} called spun of {len(mine)}"
                )
    words = max(1, sum(s.words for s in samples if s.kind == "clean"))
    for th in (0.5, 0.9, 0.97):
        alarms = sum(int((confidence[i] >= th).sum()) for i, s in enumerate(samples) if s.kind == "clean")
        print(f"clean spans at {th}: {alarms / words * 1000:.2f} per 1,000 words")


if __name__ == "__main__":
    main()
