"""What the screen's second look is made of (repair/misfits.py): which words stand for which, and what patterns mean."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from repair import rows
from repair.hashed import Words, chunks
from repair.inflection import analyses, inflect
from repair.lexicon import inflected
from repair.misfits import PATTERNS, Misfits, fingerprint
from repair.ngrams import NgramStore
from repair.thesaurus import FAR, NEAR, PPDB, ROGET, SAME, Thesaurus
from training.articles import Gold

OBSERVED = 40_000  # of the store's words, the most frequent first, may be artifacts
ORIGINALS = 1 << 16  # may have stood there
MOST = 20  # originals of a word
LEAST = 40  # occurrences of an original
CLOSE = {PPDB: 3.0, SAME: 3.0, NEAR: 1.5, ROGET: 0.7, FAR: 0.3}  # how near to each other dictionaries put two words
KNOWN = 8.0  # the same of a row of the lexicons
DOUBT = 12.0  # occurrences that every pattern is given of its share in all text
MOST_ODDS = 4.0


def originals(store: NgramStore, thesaurus: Thesaurus) -> dict[str, np.ndarray]:
    """For the store's words: ids of the words that each most likely stands for, by nearness and frequency."""
    found: dict[int, dict[int, float]] = defaultdict(dict)
    root = np.sqrt(store.unigrams.astype(np.float64)).tolist()
    ids, least = store.ids, LEAST**0.5

    def add(i: int, word: str | None, near: float) -> None:
        j = ids.get(word, 0) if word else 0
        if 0 < j < ORIGINALS and j != i and root[j] >= least:
            found[i][j] = max(found[i].get(j, 0.0), near * root[j])

    for i in range(1, OBSERVED):
        for lemma, tag in analyses(store.words[i]):
            for word, bits in thesaurus.neighbours(lemma).items():
                if " " not in word:
                    add(i, inflect(word, tag), sum(near for bit, near in CLOSE.items() if bits & bit))
    for path in rows.shipped():
        for row in rows.read(path):
            for entry in inflected(row) if row.kind != "ignore" else ():
                if i := ids.get(entry.observed.lower(), 0):
                    add(i, entry.original.lower(), KNOWN)
    observed = sorted(found)
    best = [sorted(found[i], key=lambda j: (-found[i][j], j))[:MOST] for i in observed]
    return {
        "observed": np.array(observed, np.uint32),
        "counts": np.array([len(b) for b in best], np.uint8),
        "originals": np.array([j for b in best for j in b], np.uint16),
        "store": np.array(fingerprint(store)),
    }


def replaced(gold: Gold, words: Words) -> np.ndarray:
    """Which words of an annotated article, of one chunk, stand in a required unit; -1 those in one that is not."""
    out = np.zeros(len(words.hashes), np.int8)
    for unit in gold["units"]:
        first, last = (len(b"".join(chunks(gold["text"][: unit[end]]))) for end in ("start", "end"))
        inside = (words.starts < last) & (words.ends > first)
        out[inside] = -1 if unit["optional"] else 1
    return out


def thinned(gold: Gold, share: float, rng: random.Random) -> Gold:
    """The article with only a ``share`` of its units left, at random; in place of the others stands the original."""
    text, units, at = "", [], 0
    for unit in gold["units"]:
        text += gold["text"][at : unit["start"]]
        at = unit["end"]
        if rng.random() < share:
            units.append({**unit, "start": len(text), "end": len(text) + len(unit["observed"])})
            text += unit["observed"]
        else:
            text += unit["originals"][0]
    return {**gold, "text": text + gold["text"][at:], "units": units}


def odds(clean: Iterable[np.ndarray], spun: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Log odds of each pattern: patterns of clean words; of spun articles' words, with those of ``replaced``."""
    honest, made = np.zeros((2, PATTERNS))
    for patterns in clean:
        honest += np.bincount(patterns, minlength=PATTERNS)
    for patterns, which in spun:
        made += np.bincount(patterns[which == 1], minlength=PATTERNS)
    share = (honest / honest.sum() + made / made.sum()) / 2
    out = np.log((made + DOUBT * share + 1e-9) / (made.sum() + DOUBT)) - np.log(
        (honest + DOUBT * share + 1e-9) / (honest.sum() + DOUBT)
    )
    out[0] = 0
    return out.clip(-MOST_ODDS, MOST_ODDS).astype(np.float32)


def save(out: Path, table: dict[str, np.ndarray], log_odds: np.ndarray, factors: np.ndarray) -> None:
    np.savez_compressed(out / "misfits.npz", odds=log_odds, factors=factors, **table)


__all__ = ["Misfits", "odds", "originals", "replaced", "save", "thinned"]
