"""Build the screen: training/screen.py [--cache DIR] [--old DIR]. Makes repair/artifacts/screen (see repair/screen.py).

1. Every wording of the lexicons, in all inflections, is counted in the building corpora; the rare ones are tells.
2. Tells of a kind (how many words, how rare) share a weight, learnt from our own articles and text
   spun by training/corrupt.py against clean text of the building corpora's last tenths; then the factors of the first
   look's three features likewise.
3. The second look (training/misfits.py): trees tell replaced words of our own articles, thinned to few swaps, from
   clean text; the factors of both looks' features tell our own articles (whole, thinned, or a paragraph of them planted
   in clean text) from clean text, among it the same articles with all originals put back.
4. Thresholds, by articles judged out of fold: both looks together catch at least CATCH of each class of density, the
   first alone misses at most the share MISSED of what may be missed.

``--steps second`` leaves the first look as it is but for its threshold. data/dev, tests/articles and the held-back
corpora are only reported on, beside the screen in ``--old`` if one is given.
"""

from __future__ import annotations

import argparse
import pickle
import random
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from repair import rows
from repair.hashed import MOST_WORDS, Words, chunks
from repair.lexicon import inflected
from repair.misfits import FEATURES, Misfits
from repair.ngrams import NgramStore
from repair.screen import NEVER, SHORT, Screen
from repair.thesaurus import Thesaurus
from training import misfits
from training.articles import folder, gold_lines, own
from training.corpora import BUILD, HELD, SHARED, building_lines, late_lines, lines
from training.corrupt import Spinner, spin
from training.swaps import Swaps

ARTIFACTS = Path("repair/artifacts")
RATES = (0.02, 0.1, 0.4, 1.2, 4.0, 12.0, 30.0)  # hits per million words of clean text; from the last on no tell
MOST_WEIGHT = 6.0
MOST_COUNTED = 80_000_000  # characters of one corpus
IMPORTANCE = 20.0  # of one of our own articles against one spun by training/corrupt.py
REGISTERS = Path("training/registers")
MISSED = 0.75  # share of what may be missed that the first look may miss alone
READ = 60_000  # lines of a held-back corpus that are reported on


def wordings() -> tuple[np.ndarray, np.ndarray]:
    """Hashes of all wordings of the lexicons, sorted, and how many words each has."""
    found = {}
    for path in rows.shipped():
        for row in rows.read(path):
            if row.kind != "ignore":
                for entry in inflected(row):
                    (raw,) = chunks(entry.observed)
                    words = Words(raw)
                    if n := min(MOST_WORDS, len(words.hashes)):
                        found[int([h for h, _ in words.grams()][n - 1][0])] = n
    tells = np.array(sorted(found), np.uint32)
    return tells, np.array([found[int(t)] for t in tells])


def save(out: Path, tells: np.ndarray, weights: np.ndarray, factors: np.ndarray) -> Screen:
    out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        out / "screen.npz", tells=tells, weights=np.round(weights * 16).clip(0, 255).astype(np.uint8), factors=factors
    )
    return Screen(out)


def counted(screen: Screen) -> tuple[np.ndarray, np.ndarray]:
    """How often each wording stands in each building corpus, and how many million words they have."""
    hits, words = np.zeros((len(BUILD), len(screen.tells))), np.zeros(len(BUILD))
    for k, name in enumerate(BUILD):
        held: list[str] = []
        size = total = 0
        for line in building_lines(name):
            held.append(line)
            size += len(line)
            if size > 1 << 20:
                for raw in chunks("\n".join(held)):
                    chunk = Words(raw)
                    hits[k] += np.bincount(screen.found(chunk)[0], minlength=len(screen.tells))
                    words[k] += chunk.count
                total += size
                held, size = [], 0
            if total > MOST_COUNTED:
                break
        print(name, words[k], flush=True)
    return hits, words / 1e6


def learnt_weights(screen: Screen, kind: np.ndarray, texts: list[str], y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """A weight for each kind of tell, by how much more of it spun text has."""
    x = np.zeros((len(texts), kind.max() + 1))
    for row, text in zip(x, texts, strict=True):
        words = Words(chunks(text)[0])
        np.add.at(row, kind[np.unique(screen.found(words)[0])], 100 / max(SHORT, len(words.hashes)))
    scale = x.std(axis=0) + 1e-3
    model = LogisticRegression(C=0.3, max_iter=1000).fit(x / scale, y, sample_weight=weight)
    return np.maximum(0.0, model.coef_[0] / scale)


def sample(
    source: Callable[[str], Iterator[str]], names: Iterable[str], rng: random.Random, each: int, sizes: list[int]
) -> list[str]:
    """Pieces of clean text, about as many words as one of ``sizes``, ``each`` from every corpus."""
    out = []
    for name in names:
        stock = [line for line in source(name) if line]
        for _ in range(each):
            at, piece, words = rng.randrange(len(stock)), [], 0
            goal = rng.choice(sizes)
            while words < goal and at < len(stock):
                piece.append(stock[at][:6000])
                words += stock[at].count(" ") + 1
                at += 1
            out.append("\n\n".join(piece))
    return out


def spun(texts: Iterable[str], swaps: Swaps, rng: random.Random) -> Iterator[str]:
    """Each text spun by a random machine, at least as much as can be noticed."""
    for text in texts:
        spinner = Spinner.draw(rng, list(swaps.tables), clean=0.0)
        spinner.appetite = max(0.12, min(spinner.appetite, 0.5))
        out = []
        for line in text.split("\n"):
            words, _, spaced = spin(line, spinner, swaps, rng)
            out.append(
                "".join(
                    (" " if blank and k else "") + w for k, (w, blank) in enumerate(zip(words, spaced, strict=True))
                )
            )
        yield "\n".join(out)


def second_look(screen: Screen, out: Path, clean: dict[str, list[str]], rng: random.Random) -> None:
    """Make misfits.npz, and set the thresholds of both looks."""
    store = NgramStore(ARTIFACTS / "ngrams")
    began = time.time()
    arrays = misfits.channel(store, *misfits.pairs(store, Thesaurus(ARTIFACTS / "thesaurus")))
    print(
        f"{len(arrays['observed'])} words, {len(arrays['originals'])} pairs in {time.time() - began:.0f} s", flush=True
    )
    misfits.save(out, arrays, {"quiet": np.array(0.0)}, np.zeros(4 + FEATURES))
    look = misfits.Looker(screen, Misfits(out, store))
    pieces = [p for kind, texts in clean.items() for p in look.clean(kind, texts)]
    pieces += look.clean("tempting", [g["text"] for g in own("clean")])
    long = [t for kind, texts in clean.items() if kind in BUILD for t in texts if t.count(" ") > 700]
    for gold in own("spun"):
        pieces += look.own(gold, rng)
        pieces += look.planted(gold, rng.choice(long), rng)
    spun = np.array([p.density > 0 for p in pieces])
    label = misfits.classes(pieces)
    fold = np.array([p.fold for p in pieces])
    scores = np.zeros(len(pieces))
    for k in range(misfits.FOLDS):
        others = [p for p in pieces if p.fold != k]
        fitted = misfits.Fitted.to([p for p in others if not p.density], [p for p in others if p.density])
        scores[fold == k] = fitted.scores([p for p in pieces if p.fold == k])
    fitted = misfits.Fitted.to([p for p in pieces if not p.density], [p for p in pieces if p.density])
    catch = [*misfits.CATCH.values(), misfits.PLANTED]
    first = np.array([p.first for p in pieces]) @ screen.factors[1:]
    base = misfits.threshold(first[spun], label[spun], [1 - (1 - c) * MISSED for c in catch])
    both = np.where(first >= base, scores, NEVER)
    level = misfits.threshold(both[spun], label[spun], catch)
    screen = save(out, screen.tells, screen.weights, np.r_[-base, screen.factors[1:]])
    misfits.save(out, arrays, fitted.trees, np.r_[fitted.factors[0] - level, fitted.factors[1:]])
    print(f"first look: base {-base:.2f}, second look: factors {fitted.factors.round(3).tolist()}, level {level:.2f}")
    kinds = sorted({p.kind for p in pieces if not p.density})
    print(
        "out of fold: more than the level | spun caught by density "
        + " ".join(f"{c:g}" for c in misfits.CATCH)
        + " planted | clean spared: "
        + ", ".join(kinds)
    )
    for more in (-1.0, -0.5, 0.0, 0.5, 1.0):
        hit = both >= level + more
        caught = [np.mean(hit[spun & (label == k)]) for k in range(len(catch))]
        spared = [np.mean([not h for h, p in zip(hit, pieces, strict=True) if p.kind == kind]) for kind in kinds]
        print(f"{more:+.1f} | " + " ".join(f"{c:.3f}" for c in caught) + " | " + " ".join(f"{s:.3f}" for s in spared))
    alone = [np.mean(first[spun & (label == k)] >= base) for k in range(len(catch))]
    print("first look alone | " + " ".join(f"{c:.3f}" for c in alone), flush=True)


def report(screens: dict[str, Screen]) -> None:
    """What is doubtful of articles that the screen was not built on."""
    rng = random.Random(1)
    dev = [g["text"] for g in gold_lines(SHARED / "data/dev/spun.jsonl")]
    long = sample(held_lines, ["cnndm_test_part", "autoblog_reuters_2016"], rng, 12, [1500])
    sets = {
        "data/dev spun": dev,
        "tests/articles spun": [g["text"] for g in folder(Path("tests/articles/spun"))],
        "seed": [g["text"] for g in gold_lines(SHARED / "data/seed/spun.jsonl")],
        "150 words of data/dev in 1,500 clean": [_planted(c, d) for c, d in zip(long, dev, strict=True)],
        "data/dev clean": [g["text"] for g in gold_lines(SHARED / "data/dev/clean.jsonl")],
        "tests/articles clean": [g["text"] for g in folder(Path("tests/articles/clean"))],
    }
    for size in (100, 400, 3000):
        sets |= {f"{name} {size}": sample(held_lines, [name], rng, 100 if size < 1000 else 30, [size]) for name in HELD}
    for name, texts in sets.items():
        told = []
        for label, screen in screens.items():
            doubtful = np.array([screen.doubtful(t) for t in texts])
            told.append(f"{label} {np.mean(doubtful):.3f}")
        print(f"{name:38} of {len(texts):3} doubtful: {', '.join(told)}", flush=True)


def held_lines(name: str) -> Iterator[str]:
    return islice(lines(name), READ)


def _planted(clean: str, spun: str) -> str:
    cut = clean.find(" ", len(clean) // 2)
    return clean[:cut] + "\n\n" + " ".join(spun.split()[30:180]) + "\n\n" + clean[cut:]


def first_look(args: argparse.Namespace, clean: list[str], rng: random.Random) -> Screen:
    """Make screen.npz: tells, their weights, the factors of the features; its threshold is not set yet."""
    tells, lengths = wordings()
    kept = args.cache / f"counts-{len(tells)}.npz"
    if not kept.exists():
        hits, millions = counted(save(args.cache, tells, np.ones(len(tells)), np.zeros(4)))
        np.savez(kept, hits=hits, millions=millions)
    with np.load(kept) as arrays:
        hits, millions = arrays["hits"], arrays["millions"]
    # What one kind of clean text is used to is no tell, even if the others hardly know it.
    rate = np.maximum(hits.sum(axis=0) / millions.sum(), ((hits / millions[:, None]).max(axis=0)) / 3)
    use = rate < RATES[-1]
    tells, lengths, rate = tells[use], lengths[use], rate[use]
    screen = save(args.out, tells, np.ones(len(tells)), np.zeros(4))
    kind = (lengths - 1) * len(RATES) + np.searchsorted(RATES, rate)
    print(f"{len(use)} wordings, {len(tells)} tells, {np.mean(rate == 0):.2f} of them never seen in clean text")
    spins = args.cache / "spun.pickle"
    if not spins.exists():
        began = time.time()
        swaps = Swaps(rows.shipped(), NgramStore(ARTIFACTS / "ngrams"), Thesaurus(ARTIFACTS / "thesaurus"))
        base = [text for texts in late_samples(args.cache).values() for text in rng.sample(texts, 80)]
        spins.write_bytes(pickle.dumps(list(spun((" ".join(t.split(" ")[:400]) for t in base), swaps, rng))))
        print(f"spun in {time.time() - began:.0f} s", flush=True)
    synthetic = pickle.loads(spins.read_bytes())
    ours = [g["text"] for g in own("spun")]
    texts = [*clean, *synthetic, *ours]
    y = np.r_[np.zeros(len(clean)), np.ones(len(synthetic) + len(ours))]
    weight = np.r_[np.ones(len(clean) + len(synthetic)), np.full(len(ours), IMPORTANCE)]
    weight[y == 0] *= weight[y == 1].sum() / weight[y == 0].sum()
    learnt = learnt_weights(screen, kind, texts, y, weight)
    print("weights by words and rate", (learnt / learnt.max()).reshape(MOST_WORDS, -1).round(2).tolist())
    weights = learnt[kind] / learnt.max() * MOST_WEIGHT
    screen = save(args.out, tells, weights, np.zeros(4))
    x = np.array([screen.features(Words(chunks(t)[0])) for t in texts])
    model = LogisticRegression(C=10, max_iter=1000).fit(x, y, sample_weight=weight)
    print(f"factors {model.coef_[0].round(3)}")
    return save(args.out, tells, weights, np.r_[0.0, model.coef_[0]])


def late_samples(cache: Path) -> dict[str, list[str]]:
    """Pieces of clean text that no source was built on, by kind; kept in ``cache``."""
    kept = cache / "clean.pickle"
    if not kept.exists():
        rng = random.Random(3)
        kept.write_bytes(
            pickle.dumps({n: sample(late_lines, [n], rng, 200, [60, 120, 250, 400, 400, 800, 1500]) for n in BUILD})
        )
    found: dict[str, list[str]] = pickle.loads(kept.read_bytes())
    return found


def registers() -> Iterator[str]:
    """Our own clean text of further kinds (law, letters, press, science), in pieces of some 300 words."""
    for path in sorted(REGISTERS.glob("*.txt")):
        piece: list[str] = []
        for line in path.read_text(encoding="utf-8").split("\n"):
            piece.append(line)
            if sum(p.count(" ") for p in piece) > 300:
                yield "\n".join(piece)
                piece = []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path("build/screen"), help="where counts and spun text are kept")
    parser.add_argument("--out", type=Path, default=ARTIFACTS / "screen")
    parser.add_argument("--old", type=Path, help="folder of an earlier screen to report on beside the new one")
    parser.add_argument("--steps", choices=("all", "second"), default="all")
    args = parser.parse_args()
    args.cache.mkdir(parents=True, exist_ok=True)
    clean = late_samples(args.cache)
    if args.steps == "all":
        screen = first_look(args, [t for texts in clean.values() for t in texts], random.Random(3))
    else:
        screen = Screen(args.out)
    second_look(screen, args.out, {**clean, "registers": list(registers())}, random.Random(4))
    report(
        {
            **({"old": Screen(args.old)} if args.old else {}),
            "new": Screen(args.out, store=lambda: NgramStore(ARTIFACTS / "ngrams")),
        }
    )
    for file in sorted(args.out.glob("*.npz")):
        print(f"{file}: {file.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
