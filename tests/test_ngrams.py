"""The n-gram store: a small one built here, and the shipped one."""

from __future__ import annotations

import gzip
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from repair import Repairer
from repair.errors import ArtifactError
from repair.ngrams import COUNT_BASE, NgramStore, hash_ngrams

WORDS = ["\0", "state", "media", "environment", "said"]


def build(folder: Path, counts: dict[tuple[int, ...], int], bits: int = 2) -> NgramStore:
    """A store of these n-grams, as training/ngrams.py lays one out."""
    grams = sorted(counts)
    hashes = np.array([hash_ngrams([np.array([i]) for i in g])[0] for g in grams], np.uint64)
    level = np.array([int(np.log(counts[g] / 2) / np.log(COUNT_BASE)) for g in grams], np.uint16)
    bucket = (hashes >> np.uint64(64 - bits)).astype(np.int64)
    slot = ((hashes & np.uint64(0xFFF)) << np.uint64(4)).astype(np.uint16) | level
    by = np.lexsort((slot, bucket))
    np.save(folder / "sizes.npy", np.bincount(bucket, minlength=1 << bits).astype(np.uint8))
    np.save(folder / "slots.npy", slot[by])
    np.save(folder / "levels.npy", (2 * COUNT_BASE ** (np.arange(16) + 0.5)).astype(np.float32))
    np.save(folder / "unigrams.npy", np.array([7, 100, 50, 20, 300], np.uint32))
    (folder / "words.txt.gz").write_bytes(gzip.compress(" ".join(WORDS).encode()))
    (folder / "names.txt").write_text("", encoding="utf-8")
    return NgramStore(folder)


def test_counts_come_back_within_a_level(tmp_path: Path) -> None:
    counts = {(1, 2): 1376, (2, 4): 30, (1, 2, 4): 12, (4, 4): 2, (3, 4): 90, (4, 1): 500, (4, 1, 2): 44}
    store = build(tmp_path, counts)
    for gram, count in counts.items():
        found = float(store.count(*(np.array([i]) for i in gram))[0])
        assert count / COUNT_BASE <= found <= count * COUNT_BASE
    assert store.count(np.array([3]), np.array([2]))[0] == 0
    assert store.count(np.array([0, 1]), np.array([2, 0])).tolist() == [0, 0]  # unknown words have no neighbours
    assert store.encode(["media", "nobody", "state"]).tolist() == [2, 0, 1]
    assert store.unigram(np.array([1, 0])).tolist() == [100, 7] and store.total == 477


def test_shapes_and_empty_batches(tmp_path: Path) -> None:
    store = build(tmp_path, {(1, 2): 9})
    none = np.zeros(0, np.int64)
    assert store.count(none, none).shape == (0,)
    assert store.count(np.array([1, 1, 3]), np.array([2, 1, 2])).astype(bool).tolist() == [True, False, False]


@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_a_damaged_store_says_what_to_do(tmp_path: Path, damage: str) -> None:
    build(tmp_path, {(1, 2): 9})
    slots = tmp_path / "slots.npy"
    slots.unlink() if damage == "missing" else slots.write_bytes(slots.read_bytes()[:20])
    with pytest.raises(ArtifactError, match="install mt-repair again"):
        NgramStore(tmp_path)


def test_the_shipped_store_knows_english(repairer: Repairer) -> None:
    store = repairer._pipeline.store

    def count(*words: str) -> float:
        return float(store.count(*(store.encode([w]) for w in words))[0])

    assert count("prime", "minister") > 1000 > count("environment", "media")
    assert count("of", "the") > count("state", "media") > count("irregular", "backwoods")
    assert count("one", "of", "the") > count("in", "step", "with")
    assert count("prime", "qzxvqzxv") == 0
    assert all(store.ids[w] == i for i, w in enumerate(store.words[:1000]))


def test_few_unseen_pairs_are_taken_for_seen_ones(repairer: Repairer) -> None:
    """Pairs of rare words at random are all but never English: what is found of them is the store's error."""
    store = repairer._pipeline.store
    rng = np.random.default_rng(5)
    a, b = rng.integers(len(store.words) // 2, len(store.words), (2, 200_000))
    assert (store.count(a, b) > 0).mean() < 0.01


def test_look_ups_are_batched(repairer: Repairer) -> None:
    store = repairer._pipeline.store
    rng = np.random.default_rng(6)
    a, b = rng.integers(1, len(store.words), (2, 200_000))
    store.count(a[:1000], b[:1000])
    begin = time.perf_counter()
    together = store.count(a, b)
    assert time.perf_counter() - begin < 2  # a fifth of a second here, on an idle core
    assert all(store.count(a[i:z], b[i:z]).tolist() == together[i:z].tolist() for i, z in pairwise(range(0, 2000, 333)))
