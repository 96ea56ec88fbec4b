"""Dictionary neighbours of a word: WordNet to two hops, PPDB's paraphrases, Roget's heads.

A machine that swaps words takes a neighbour of the wrong sense; the original is therefore a neighbour of what stands
there. Built by training/thesaurus.py.
"""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path

import numpy as np

from repair.errors import artifact

SAME, NEAR, FAR, PPDB, ROGET = 1, 2, 4, 8, 16  # how two words are related; bits
_MOST_FAR = 400  # words at two hops of a hub ("thing") are too many to mean anything
_MOST_HEAD = 160  # Roget's largest heads likewise


class _Rows:
    """Compressed rows, one after the other in one array; a second array says how long each is."""

    def __init__(self, folder: Path, name: str) -> None:
        # Read row by row, a few numbers each: Python's views are quicker at that than numpy's.
        sizes = np.load(folder / f"{name}.sizes.npy")
        self.offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32).data
        self.targets = memoryview(np.load(folder / f"{name}.npy"))

    def __getitem__(self, i: int) -> list[int]:
        found: list[int] = self.targets[self.offsets[i] : self.offsets[i + 1]].tolist()
        return found


class Thesaurus:
    """Neighbours of base forms; multiword entries are written with blanks."""

    def __init__(self, folder: Path) -> None:
        with artifact(folder, "thesaurus"):
            self.words = gzip.decompress((folder / "words.txt.gz").read_bytes()).decode().split("\n")[:-1]
            self._synsets = _Rows(folder, "word_synsets")
            self._members = _Rows(folder, "synset_words")
            self._links = _Rows(folder, "synset_synsets")
            self._ppdb = _Rows(folder, "ppdb")
            self._heads = _Rows(folder, "word_heads")
            self._head_words = _Rows(folder, "head_words")
        self.ids = {w: i for i, w in enumerate(self.words)}
        self.neighbours = lru_cache(maxsize=1_000)(self._neighbours)  # some 5 KB each

    def _neighbours(self, lemma: str) -> dict[str, int]:
        """All words related to ``lemma``, each with the bits that say how; without ``lemma`` itself."""
        words = self.words
        return {words[w]: b for w, b in self.related(lemma).items()}

    def related(self, lemma: str) -> dict[int, int]:
        """The same by numbers of words."""
        i = self.ids.get(lemma)
        if i is None:
            return {}
        bits: dict[int, int] = {}
        near: set[int] = set()
        own = self._synsets[i]
        for synset in own:
            for w in self._members[synset]:
                bits[w] = bits.get(w, 0) | SAME
            near.update(self._links[synset])
        near.difference_update(own)
        far: set[int] = set()
        for synset in near:
            for w in self._members[synset]:
                bits[w] = bits.get(w, 0) | NEAR
            far.update(self._links[synset])
        far.difference_update(near, own)
        if len(far) <= _MOST_FAR:
            for synset in far:
                for w in self._members[synset]:
                    bits[w] = bits.get(w, 0) | FAR
        for w in self._ppdb[i]:
            bits[w] = bits.get(w, 0) | PPDB
        for group in self._heads[i]:
            words = self._head_words[group]
            if len(words) <= _MOST_HEAD:
                for w in words:
                    bits[w] = bits.get(w, 0) | ROGET
        bits.pop(i, None)
        return bits
