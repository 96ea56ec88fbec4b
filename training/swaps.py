"""What the machines write for a word: every swap that training may use, with a held-back part that it never sees.

A swap goes from the original to what is observed. Whether a pair is held back depends on its hash alone, so the split
is the same in every run and for every source: one pair in ten, and one expected phrase in four of the tortured phrases.
"""

from __future__ import annotations

import csv
import random
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable
from functools import cache, lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from repair import rows
from repair.inflection import KIND_TAGS, analyses, british, head, inflect, inflect_phrase
from repair.ngrams import NgramStore
from repair.thesaurus import FAR, NEAR, PPDB, ROGET, SAME, Thesaurus
from training.articles import Gold, cores
from training.corpora import SHARED
from training.tables import Listed, tables

if TYPE_CHECKING:
    from training.ahead import Ahead

Choice = tuple[str, float]  # what is written instead, and how readily
KINDS_OF_NEIGHBOUR = {"same": SAME, "near": NEAR, "far": FAR, "ppdb": PPDB, "roget": ROGET}
SPLIT = "split"  # a compound taken apart, mostly with one half swapped: "sleep time" for bedtime
ANY = "any"  # a common word of the same kind, whatever it means: what stood there only the context can say
OWN = "own"  # what the writers of our own articles put there
LISTED = "listed"  # what the tables of training/tables.py list
_WITH = {"JJR": "more", "RBR": "more", "JJS": "most", "RBS": "most"}  # before a word without such a form
WALK = "walk"  # a neighbour's neighbour across dictionaries: what machines write when ours lacks their step
_WALKS = 60  # words of a walk that a base form keeps, those with the most ways to them first
_WORDS = re.compile(r"[a-z][a-z']*(?:[ -][a-z][a-z']*){0,4}")
_COMMON = 30_000  # words that ``any`` draws from
_BASES = {"N": "NN", "V": "VB", "J": "JJ", "R": "RB"}
_POS = {"N": "noun", "V": "verb", "J": "adjective", "R": "adverb"}


def held_back(observed: str, original: str) -> bool:
    """Whether a pair of base forms is kept out of training: about one in ten."""
    return zlib.crc32(f"{observed}\t{original}".encode()) % 10 == 0


def phrase_held_back(expected: str) -> bool:
    """Whether a tortured phrase is kept out of training, by the phrase that was expected: about one in four."""
    return zlib.crc32(expected.encode()) % 4 == 0


@cache
def expected_phrases() -> frozenset[str]:
    """What tortured phrases stand for."""
    with (SHARED / "data/swaps/tortured_phrases.tsv").open(encoding="utf-8") as f:
        entries = csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)
        return frozenset(expected.strip() for entry in entries for expected in entry["expected"].split("|"))


def listed(held: bool) -> dict[str, list[Listed]]:
    """The swaps of our own tables that are held back from training, or all the others; by table."""

    def back(observed: str, original: str) -> bool:
        return held_back(observed, original) or (original in expected_phrases() and phrase_held_back(original))

    return {
        name: [(a, b, place) for a, b, place in swaps if back(a.lower(), b.lower()) == held]
        for name, swaps in tables().items()
    }


def forms(observed: str, original: str, kind: str) -> list[tuple[str, str]]:
    """All inflected pairs (observed, original) of a row in base form."""
    if kind not in KIND_TAGS:
        return [(observed, original)]
    out = []
    for tag in KIND_TAGS[kind]:
        a, b = inflect_phrase(observed, kind, tag), inflect_phrase(original, kind, tag)
        if a and b:
            out.append((a, b))
    return list(dict.fromkeys(out))


def based(observed: str, original: str) -> list[tuple[str, str, str]]:
    """A folded swap in base form with its kind, once for each that both sides may be; else as it stands."""
    found = {
        (a, b, next(kind for kind, tags in KIND_TAGS.items() if tag in tags)): None
        for a, tag in analyses(observed)
        for b, other in analyses(original)
        if tag == other and a != b
    }
    return [*found] or [(observed, original, "function")]


def as_rows(observed: str, original: str) -> list[tuple[str, str, str]]:
    """A swap in base form once for each kind that both sides can be, of a phrase its head; else as it stands."""

    def can_be(wording: str, kind: str) -> bool:
        word = wording.split(" ")[head(wording, kind)]
        return (word, KIND_TAGS[kind][0]) in analyses(word)

    found = [(observed, original, kind) for kind in KIND_TAGS if can_be(observed, kind) and can_be(original, kind)]
    return found or [(observed, original, "function")]


class Swaps:
    """Swaps by original. ``phrases``: folded original form -> choices; ``neighbours``: thesaurus swaps on demand."""

    def __init__(self, lexicons: list[Path], store: NgramStore, thesaurus: Thesaurus, held: bool = False) -> None:
        self.store, self.thesaurus, self.held = store, thesaurus, held
        self.ahead: Ahead | None = None  # neighbours worked out already
        self.tables: dict[str, dict[str, list[Choice]]] = {}
        for path in lexicons:
            self._add_rows(path.stem, path)
        self._add_pages()
        self._add_tortured()
        self._add_listed()
        self.longest: dict[str, int] = {}  # first word of a multiword original -> most words
        for table in self.tables.values():
            self._measure(table)
        self.neighbours = lru_cache(maxsize=100_000)(self._neighbours)
        self._of_kind = lru_cache(maxsize=None)(self._words_of_kind)

    def _measure(self, table: dict[str, list[Choice]]) -> None:
        for original in table:
            words = original.split(" ")
            self.longest[words[0]] = max(len(words), self.longest.get(words[0], 1))

    def add_own(self, articles: Iterable[Gold]) -> None:
        """The swaps of annotated articles, in every inflection that both sides have: so the encoder meets them in
        other sentences than their own."""
        table: dict[str, list[Choice]] = defaultdict(list)
        for unit in (part for gold in articles for u in gold["units"] if not u["optional"] for part in cores(u)):
            b, *others = [o.lower().replace("’", "'") for o in unit["originals"]]
            a = unit["observed"].lower().replace("’", "'")
            for original, weight in ((b, 1.0), *((o, 0.3) for o in others)):
                if _WORDS.fullmatch(a) and _WORDS.fullmatch(original) and held_back(a, original) == self.held:
                    pairs = [(a, original), *(pair for base in based(a, original) for pair in forms(*base))]
                    for x, y in dict.fromkeys(pairs):
                        table[y].append((x, weight))
        self.tables[OWN] = table
        self._measure(table)

    def _add_rows(self, name: str, path: Path) -> None:
        table = self.tables.setdefault(name, defaultdict(list))
        for row in rows.read(path):
            if row.kind != "ignore" and held_back(row.observed.lower(), row.original.lower()) == self.held:
                for observed, original in forms(row.observed.lower(), row.original.lower(), row.kind):
                    table[original.replace("’", "'")].append((observed, row.weight + 0.1))

    def _add_pages(self) -> None:
        """Swaps read off real spun pages, as often as they were seen; debris of the alignment is passed over."""
        table: dict[str, list[Choice]] = defaultdict(list)
        with (SHARED / "data/swaps/spun_pages.tsv").open(encoding="utf-8") as f:
            for entry in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE):
                a, b = entry["observed"].replace("’", "'"), entry["original"].replace("’", "'")
                if not (_WORDS.fullmatch(a) and _WORDS.fullmatch(b)) or held_back(a, b) != self.held:
                    continue
                shared = {tag for _, tag in analyses(a)} & {tag for _, tag in analyses(b)}
                kinds = [k for k, tags in KIND_TAGS.items() if tags[0] in shared] or ["function"]
                for observed, original in dict.fromkeys(pair for k in kinds for pair in forms(a, b, k)):
                    table[original].append((observed, float(entry["count"]) ** 0.5))
        self.tables["spun_pages"] = table

    def _add_tortured(self) -> None:
        words: dict[str, list[Choice]] = defaultdict(list)
        with (SHARED / "data/swaps/tortured_words.tsv").open(encoding="utf-8") as f:
            for entry in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE):
                a, b = entry["observed"], entry["original"]
                if len(b) > 3 and held_back(a, b) == self.held:
                    tags = {tag for _, tag in analyses(b)}
                    kind = "noun" if "NN" in tags and any(t == "NN" for _, t in analyses(a)) else "function"
                    for observed, original in forms(a, b, kind):
                        words[original].append((observed, float(entry["pairs"]) ** 0.5))
        phrases: dict[str, list[Choice]] = defaultdict(list)
        with (SHARED / "data/swaps/tortured_phrases.tsv").open(encoding="utf-8") as f:
            for entry in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE):
                a, expected = entry["tortured"], entry["expected"].split("|")[0].strip()
                usable = a and "?" not in expected and "(" not in a + expected
                usable = usable and len(expected.split()) > 1 and a != expected
                if usable and phrase_held_back(expected) == self.held:
                    for observed, original in forms(a, expected, "noun"):
                        phrases[original].append((observed, 1.0))
        self.tables["tortured_words"], self.tables["tortured_phrases"] = words, phrases

    def _add_listed(self) -> None:
        """The swaps of our own tables, those that a line begins with more readily."""
        table: dict[str, list[Choice]] = defaultdict(list)
        for observed, original, place in chain.from_iterable(listed(self.held).values()):
            a, b = observed.lower(), original.lower()
            if _WORDS.fullmatch(a) and _WORDS.fullmatch(b):
                for x, y in dict.fromkeys(pair for row in as_rows(a, b) for pair in forms(*row)):
                    table[y].append((x, 4 / (4 + place)))
        self.tables[LISTED] = table

    def _neighbours(self, lemma: str, tag: str) -> dict[str, list[Choice]]:
        """For each kind of neighbour: forms with ``tag`` that a thesaurus would put in place of ``lemma``."""
        if self.ahead and (found := self.ahead.get((lemma, tag))):
            return found
        out: dict[str, list[Choice]] = defaultdict(list)
        base = _BASES[tag[0]]
        for word, bits in self.thesaurus.neighbours(lemma).items():
            if held_back(word, lemma) != self.held:
                continue
            many = " " in word
            if many and not bits & SAME:
                continue
            if not many and (word, base) not in analyses(word):
                continue
            form = inflect_phrase(word, _POS[tag[0]], tag) if many else inflect(word, tag)
            if not form and tag in _WITH and not many:
                form = f"{_WITH[tag]} {word}"
            if not form or british(form) == british(lemma):
                continue
            count = float(min(self.store.unigrams[self.store.ids.get(w, 0)] for w in form.replace("-", " ").split(" ")))
            weight = (count + 5.0) ** 0.4 * (0.1 if many else 1.0)
            for name, bit in KINDS_OF_NEIGHBOUR.items():
                if bits & bit:
                    out[name].append((form, weight))
        if tag[0] == "N" and (halves := self._halves(lemma)):
            out[SPLIT] = [(form, 1.0) for phrase in halves if (form := inflect_phrase(phrase, "noun", tag))]
        for word in self._walks(lemma, base):
            if form := inflect(word, tag):
                out[WALK].append((form, 1.0))
        return dict(out)

    def any(self, lemma: str, tag: str, rng: random.Random) -> list[Choice]:
        """A common word in the form of ``tag``, drawn anew each time; none where it is not ours or has no form."""
        words, sums = self._of_kind(_BASES[tag[0]])
        word = rng.choices(words, cum_weights=sums)[0]
        form = inflect(word, tag)
        return [(form, 1.0)] if form and word != lemma and held_back(word, lemma) == self.held else []

    def _words_of_kind(self, base: str) -> tuple[list[str], list[float]]:
        """Common base forms with a tag, and how readily each is drawn, summed up."""
        words = [w for w in self.store.frequent(_COMMON) if w.isalpha() and (w, base) in analyses(w)]
        return words, np.cumsum([float(self.store.unigrams[self.store.ids[w]]) ** 0.5 for w in words]).tolist()

    def _halves(self, lemma: str) -> list[str]:
        """Two words for a compound noun: as it is, and with either half swapped for a neighbour."""
        out = []
        for cut in range(3, len(lemma) - 2):
            first, second = lemma[:cut], lemma[cut:]
            if self._common_noun(first) and self._common_noun(second):
                out.append(f"{first} {second}")
                out += [f"{w} {second}" for w in self._frequent(first)[:12]]
                out += [f"{first} {w}" for w in self._frequent(second)[:12]]
        return [phrase for phrase in out if held_back(phrase, lemma) == self.held]

    def _common_noun(self, word: str) -> bool:
        return (
            word in self.store.ids
            and self.store.unigrams[self.store.ids[word]] > 3000
            and (word, "NN") in analyses(word)
        )

    def _frequent(self, lemma: str) -> list[str]:
        """A noun's close neighbours in dictionaries, the most frequent first."""
        unigrams, ids = self.store.unigrams, self.store.ids
        near = [w for w, bits in self.thesaurus.neighbours(lemma).items() if bits & (SAME | NEAR | PPDB) and w in ids]
        return sorted((w for w in near if (w, "NN") in analyses(w)), key=lambda w: -int(unigrams[ids[w]]))

    def _walks(self, lemma: str, base: str) -> list[str]:
        """Base forms two steps away through shared synsets, PPDB and Roget, that one step does not reach."""
        close = self.thesaurus.neighbours(lemma)
        ways: dict[str, int] = defaultdict(int)
        for word, bits in close.items():
            if bits & (SAME | PPDB | ROGET) and " " not in word:
                for further, more in self.thesaurus.neighbours(word).items():
                    if more & (SAME | PPDB) and " " not in further and further not in close and further != lemma:
                        ways[further] += 1
        best = sorted(ways, key=lambda w: (-ways[w], w))
        known = (w for w in best if self.store.unigrams[self.store.ids.get(w, 0)] > 300 and w in self.store.ids)
        mine = (w for w in known if (w, base) in analyses(w) and held_back(w, lemma) == self.held)
        return list(islice(mine, _WALKS))
