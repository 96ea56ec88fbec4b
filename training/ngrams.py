"""Build the n-gram store from the clean corpora: training/ngrams.py [--out repair/artifacts/ngrams].

The first nine tenths of each building corpus are counted; the last tenth and the held-back corpora are never read here.
Two steps, each kept on disk: the corpora as one stream of word ids, then counts of two and three neighbours.
"""

from __future__ import annotations

import argparse
import gzip
import time
from array import array
from pathlib import Path

import numpy as np

from repair.ngrams import COUNT_BASE, hash_ngrams
from repair.segment import BREAK, TOKEN, fold
from training.corpora import BUILD, building_lines

WORDS = 120_000  # words with an id of their own
LEAST = (2, 3)  # smallest count kept of two and of three neighbours
SLOTS = 9_000_000  # 22 MB: the budget is 24 MB, and the checkout must stay below 60 MB
PER_BUCKET = 16


class _Ids(dict[str, int]):
    def __missing__(self, word: str) -> int:
        self[word] = n = len(self)
        return n


def stream(cache: Path) -> tuple[list[str], np.ndarray]:
    """All words met, and the corpora as ids into them; a BREAK starts every line."""
    if (cache / "stream.npy").exists():
        return (cache / "types.txt").read_text(encoding="utf-8").split(" "), np.load(cache / "stream.npy")
    forms, raw = _Ids(), _Ids()
    known: list[int] = []  # id of a raw word -> id of its folded form
    out = array("I")
    break_ = forms[BREAK]
    for name in BUILD:
        began = time.time()
        for line in building_lines(name):
            out.append(break_)
            for word in TOKEN.findall(line):
                i = raw[word]
                if i == len(known):
                    known.append(forms[fold(word)])
                out.append(known[i])
        print(f"{name}: {len(out):,} tokens so far, {time.time() - began:.0f} s", flush=True)
    ids = np.frombuffer(out, dtype=np.uint32)
    cache.mkdir(parents=True, exist_ok=True)
    np.save(cache / "stream.npy", ids)
    (cache / "types.txt").write_text(" ".join(forms), encoding="utf-8")
    return list(forms), ids


def counted(columns: list[np.ndarray], least: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Distinct n-grams of known words with counts of at least ``least``."""
    keys: list[np.ndarray] = []
    counts: list[np.ndarray] = []
    step = 1 << 25
    for at in range(0, len(columns[0]), step):
        part = [c[at : at + step] for c in columns]
        good = np.logical_and.reduce([p > 0 for p in part])
        key = np.zeros(int(good.sum()), dtype=np.uint64)
        for p in part:
            key = (key << np.uint64(20)) | p[good].astype(np.uint64)
        k, c = np.unique(key, return_counts=True)
        keys.append(k)
        counts.append(c)
    key, inverse = np.unique(np.concatenate(keys), return_inverse=True)
    count = np.bincount(inverse, weights=np.concatenate(counts)).astype(np.int64)
    keep = count >= least
    key, count = key[keep], count[keep]
    mask = np.uint64((1 << 20) - 1)
    n = len(columns)
    return [((key >> np.uint64(20 * (n - 1 - i))) & mask).astype(np.int64) for i in range(n)], count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("repair/artifacts/ngrams"))
    parser.add_argument("--cache", type=Path, default=Path("build/ngrams"))
    args = parser.parse_args()
    types, ids = stream(args.cache)
    frequency = np.bincount(ids, minlength=len(types))
    order = np.argsort(-frequency, kind="stable")[:WORDS]
    relabel = np.zeros(len(types), dtype=np.uint32)
    relabel[order] = np.arange(1, len(order) + 1)
    known = relabel[ids]
    two, two_counts = counted([known[:-1], known[1:]], LEAST[0])
    three, three_counts = counted([known[:-2], known[1:-1], known[2:]], LEAST[1])
    print(f"{len(two_counts):,} pairs, {len(three_counts):,} triples", flush=True)
    room = SLOTS - len(two_counts)
    if len(three_counts) > room:  # the rarest triples go first; of equally rare ones those of rarer words
        keep = np.sort(np.argsort(-three_counts, kind="stable")[:room])
        three, three_counts = [c[keep] for c in three], three_counts[keep]
        print(f"triples cut to {len(three_counts):,}, count {int(three_counts.min())} and up")
    hashes = np.concatenate([hash_ngrams(two), hash_ngrams(three)])
    counts = np.concatenate([two_counts, three_counts])
    level = np.clip(np.log(counts / min(LEAST)) / np.log(COUNT_BASE), 0, 15).astype(np.uint16)
    bits = int(np.round(np.log2(len(hashes) / PER_BUCKET)))
    bucket = (hashes >> np.uint64(64 - bits)).astype(np.int64)
    slot = ((hashes & np.uint64(0xFFF)) << np.uint64(4)).astype(np.uint16) | level
    by = np.lexsort((slot, bucket))
    args.out.mkdir(parents=True, exist_ok=True)
    sizes = np.bincount(bucket, minlength=1 << bits)
    assert sizes.max() < 256, "a bucket too full for its size to be a byte: make PER_BUCKET smaller"
    np.save(args.out / "sizes.npy", sizes.astype(np.uint8))
    np.save(args.out / "slots.npy", slot[by])
    np.save(args.out / "levels.npy", (min(LEAST) * COUNT_BASE ** (np.arange(16) + 0.5)).astype(np.float32))
    unknown = int(frequency.sum() - frequency[order].sum())
    np.save(args.out / "unigrams.npy", np.concatenate([[unknown], frequency[order]]).astype(np.uint32))
    listed = " ".join(["\0", *(types[i] for i in order)])
    (args.out / "words.txt.gz").write_bytes(gzip.compress(listed.encode(), mtime=0))
    size = sum(f.stat().st_size for f in args.out.iterdir())
    print(f"{len(hashes):,} n-grams, {WORDS:,} words, {len(ids):,} tokens counted, {size / 1e6:.1f} MB in {args.out}")


if __name__ == "__main__":
    main()
