"""Build the screen: training/screen.py [--cache DIR]. Makes repair/artifacts/screen (see repair/screen.py).

1. Every wording of the lexicons, in all inflections, is counted in the building corpora; the rare ones are tells.
2. Tells of a kind (how many words, how rare) share a weight, learnt from our own articles (training/articles) and text
   spun by training/corrupt.py against clean text of the building corpora's last tenths; then the factors of the
   screen's three features likewise.
3. The threshold lets through all but ``--miss`` of our own spun articles.

data/dev, tests/articles and the held-back corpora are only reported on.
"""

from __future__ import annotations

import argparse
import pickle
import random
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from repair import rows
from repair.lexicon import inflected
from repair.ngrams import NgramStore
from repair.screen import MOST_WORDS, SHORT, Screen, Words, chunks
from repair.thesaurus import Thesaurus
from training.articles import folder, gold_lines
from training.corpora import BUILD, HELD, SHARED, building_lines, late_lines, lines
from training.corrupt import Spinner, spin
from training.swaps import Swaps

ARTIFACTS = Path("repair/artifacts")
RATES = (0.02, 0.1, 0.4, 1.2, 4.0, 12.0, 30.0)  # hits per million words of clean text; from the last on no tell
MOST_WEIGHT = 6.0
MOST_COUNTED = 80_000_000  # characters of one corpus
IMPORTANCE = 20.0  # of one of our own articles against one spun by training/corrupt.py


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


def report(screen: Screen) -> None:
    """What is doubtful of articles that the screen was not built on."""
    rng = random.Random(1)
    dev = [g["text"] for g in gold_lines(SHARED / "data/dev/spun.jsonl")]
    long = sample(lines, ["cnndm_test_part", "autoblog_reuters_2016"], rng, 12, [1500])
    sets = {
        "data/dev spun": dev,
        "tests/articles spun": [g["text"] for g in folder(Path("tests/articles/spun"))],
        "seed": [g["text"] for g in gold_lines(SHARED / "data/seed/spun.jsonl")],
        "150 words of data/dev in 1,500 clean": [_planted(c, d) for c, d in zip(long, dev, strict=True)],
        "data/dev clean": [g["text"] for g in gold_lines(SHARED / "data/dev/clean.jsonl")],
        "tests/articles clean": [g["text"] for g in folder(Path("tests/articles/clean"))],
    }
    for size in (100, 400, 3000):
        sets |= {f"{name} {size}": sample(lines, [name], rng, 100 if size < 1000 else 30, [size]) for name in HELD}
    for name, texts in sets.items():
        scores = np.array([screen.score(t) for t in texts])
        low = np.sort(scores).round(1)
        print(
            f"{name:38} {np.mean(scores >= 0):6.3f} of {len(scores):3} doubtful; lowest {low[:4]}, highest {low[-3:]}"
        )


def _planted(clean: str, spun: str) -> str:
    cut = clean.find(" ", len(clean) // 2)
    return clean[:cut] + "\n\n" + " ".join(spun.split()[30:180]) + "\n\n" + clean[cut:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path("build/screen"), help="where counts and spun text are kept")
    parser.add_argument("--out", type=Path, default=ARTIFACTS / "screen")
    parser.add_argument("--miss", type=float, default=0.03, help="share of our own spun articles that may be missed")
    args = parser.parse_args()
    args.cache.mkdir(parents=True, exist_ok=True)
    rng = random.Random(3)
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

    spins = args.cache / "pieces.pickle"
    if not spins.exists():
        began = time.time()
        store, thesaurus = NgramStore(ARTIFACTS / "ngrams"), Thesaurus(ARTIFACTS / "thesaurus")
        clean = sample(late_lines, BUILD, rng, 200, [60, 120, 250, 400, 1500])
        swaps = Swaps(rows.shipped(), store, thesaurus)
        base = sample(late_lines, BUILD, rng, 80, [80, 150, 250, 400])
        spins.write_bytes(pickle.dumps((clean, list(spun(base, swaps, rng)))))
        print(f"spun in {time.time() - began:.0f} s", flush=True)
    clean, synthetic = pickle.loads(spins.read_bytes())
    own = [g["text"] for g in folder(Path("training/articles/spun"))]
    texts = [*clean, *synthetic, *own]
    y = np.r_[np.zeros(len(clean)), np.ones(len(synthetic) + len(own))]
    weight = np.r_[np.ones(len(clean) + len(synthetic)), np.full(len(own), IMPORTANCE)]
    weight[y == 0] *= weight[y == 1].sum() / weight[y == 0].sum()
    learnt = learnt_weights(screen, kind, texts, y, weight)
    print("weights by words and rate", (learnt / learnt.max()).reshape(MOST_WORDS, -1).round(2).tolist())
    weights = learnt[kind] / learnt.max() * MOST_WEIGHT
    screen = save(args.out, tells, weights, np.zeros(4))
    x = np.array([screen.features(Words(chunks(t)[0])) for t in texts])
    model = LogisticRegression(C=10, max_iter=1000).fit(x, y, sample_weight=weight)
    scores = x @ model.coef_[0]
    threshold = float(np.quantile(scores[-len(own) :], args.miss))
    print(f"factors {model.coef_[0].round(3)}, base {model.intercept_[0]:.2f}, threshold {threshold:.2f}")
    screen = save(args.out, tells, weights, np.r_[-threshold, model.coef_[0]])
    groups = {
        "late clean": scores[: len(clean)],
        "late spun": scores[len(clean) : -len(own)],
        "own spun": scores[-len(own) :],
    }
    for name, part in groups.items():
        print(f"{name:38} {np.mean(part >= threshold):6.3f} of {len(part):3} doubtful")
    report(screen)
    print(f"{args.out / 'screen.npz'}: {(args.out / 'screen.npz').stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
