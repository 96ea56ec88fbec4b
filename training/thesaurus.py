"""Build the thesaurus artifact from Open English WordNet, PPDB and Roget: training/thesaurus.py [--out DIR].

Only words that edited English uses (as the n-gram store counts them) are kept: a candidate nobody writes is no
candidate.
"""

from __future__ import annotations

import argparse
import gzip
import json
import lzma
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from repair.inflection import analyses
from repair.ngrams import NgramStore
from training.corpora import SHARED

LEAST = 12  # occurrences in the counted corpora below which a word is no candidate
_WORD = re.compile(r"[a-z]+(?:[ '-][a-z]+){0,4}")
_HEAD = re.compile(r"^\s+#(\d+[a-z]?)\.")
_PART = re.compile(r"\b(N|V|Adj|Adv)\.\s")


class Words:
    """Numbers words, and refuses those that edited English does not use."""

    def __init__(self, store: NgramStore) -> None:
        self.store, self.ids = store, dict[str, int]()

    def id(self, word: str) -> int | None:
        if word in self.ids:
            return self.ids[word]
        if not _WORD.fullmatch(word) or any(
            self.store.unigrams[self.store.ids.get(w, 0)] < LEAST or w not in self.store.ids
            for w in re.split("[ -]", word)
        ):
            return None
        return self.ids.setdefault(word, len(self.ids))


def rows(pairs: Iterable[tuple[int, int]], n: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (from, to) as compressed rows: how long each of the n rows is, and targets."""
    a = np.array(sorted(set(pairs)), dtype=np.int64).reshape(-1, 2)
    return np.bincount(a[:, 0], minlength=n).astype(np.uint16), a[:, 1].astype(np.uint32)


def lines(name: str) -> Iterator[str]:
    """Lines of a compressed file of the shared folder."""
    with lzma.open(SHARED / name, "rt", encoding="utf-8") as f:
        yield from f


def wordnet(words: Words) -> tuple[list[tuple[int, int]], list[tuple[int, int]], int]:
    """(word, synset) pairs and (synset, neighbouring synset) pairs, and the number of synsets."""
    number: dict[str, int] = {}
    members, links = [], []
    entries = [json.loads(line) for line in lines("lex/oewn_synsets.jsonl.xz")]
    for entry in entries:
        number[entry["id"]] = len(number)
    for entry in entries:
        s = number[entry["id"]]
        for member in entry["members"]:
            if member == member.lower() and (w := words.id(member.replace("_", " "))) is not None:
                members.append((w, s))
        for other in [*entry.get("hypernym", ()), *entry.get("similar", ())]:
            if other in number:
                links += [(s, number[other]), (number[other], s)]
    return members, links, len(number)


def ppdb(words: Words) -> list[tuple[int, int]]:
    """Pairs of paraphrases as lemmas of a common tag, both ways."""
    out = []
    for line in lines("lex/ppdb_lexical_synonyms.tsv.xz"):
        a, _, b = line.strip().lower().partition("\t")
        tags: dict[str, list[str]] = defaultdict(list)
        for lemma, tag in analyses(a):
            tags[tag].append(lemma)
        pairs = {(x, lemma) for lemma, tag in analyses(b) for x in tags.get(tag, ())} or {(a, b)}
        for x, y in pairs:
            if x != y and (i := words.id(x)) is not None and (j := words.id(y)) is not None:
                out += [(i, j), (j, i)]
    return out


def roget(words: Words) -> tuple[list[tuple[int, int]], int]:
    """(word, group) pairs: a group is one part of speech of one head."""
    groups: dict[tuple[str, str], int] = {}
    out = []
    head, part = "", ""
    for line in lines("lex/roget_1911.txt.xz"):
        if found := _HEAD.match(line):
            head, part = found.group(1), ""
        line = re.sub(r"\[[^\]]*\]|&c\.?(?: \([^)]*\))?|\d+|\|!?|[*+!]", "", line)
        at = 0
        pieces = []
        for m in _PART.finditer(line):
            pieces.append((part, line[at : m.start()]))
            part, at = m.group(1), m.end()
        pieces.append((part, line[at:]))
        for name, piece in pieces:
            if not (head and name):
                continue
            for item in re.split(r"[,;:.&()]", piece.lower()):
                if (w := words.id(item.strip())) is not None and item.strip() != "v":
                    out.append((w, groups.setdefault((head, name), len(groups))))
    return out, len(groups)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("repair/artifacts/thesaurus"))
    parser.add_argument("--ngrams", type=Path, default=Path("repair/artifacts/ngrams"))
    args = parser.parse_args()
    words = Words(NgramStore(args.ngrams))
    members, links, synsets = wordnet(words)
    paraphrases = ppdb(words)
    topics, groups = roget(words)
    n = len(words.ids)
    args.out.mkdir(parents=True, exist_ok=True)
    for name, pairs, size in (
        ("word_synsets", members, n),
        ("synset_words", [(s, w) for w, s in members], synsets),
        ("synset_synsets", links, synsets),
        ("ppdb", paraphrases, n),
        ("word_heads", topics, n),
        ("head_words", [(g, w) for w, g in topics], groups),
    ):
        sizes, targets = rows(pairs, size)
        np.save(args.out / f"{name}.sizes.npy", sizes)
        np.save(args.out / f"{name}.npy", targets)
        print(f"{name}: {len(targets):,}")
    listed = "\n".join(words.ids) + "\n"
    (args.out / "words.txt.gz").write_bytes(gzip.compress(listed.encode(), mtime=0))
    print(f"{n:,} words, {sum(f.stat().st_size for f in args.out.iterdir()) / 1e6:.1f} MB in {args.out}")


if __name__ == "__main__":
    main()
