"""Articles damaged with what no part of the product has met: swaps and tortured phrases that training holds back.

The text is clean text of the corpora that nothing is built from (for tortured phrases also of the others' last tenths),
so the expected wording really stood there. Left out are swaps that the shipped lexicon or our own articles hold or that
training may write in another way (another table, another reading of the words), and expected phrases that any of these
restores. What is left of the dictionaries (``unseen``) is what few machines write; the held-back swaps of our own
tables (``listed``) are what machines are expected to write. The sets are made when they are needed, the same in every
run; only build/ may keep them.
"""

from __future__ import annotations

import json
import random
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from functools import cache
from itertools import chain, islice
from pathlib import Path

from ahocorasick_rs import AhoCorasick

from repair import habits, rows
from repair.inflection import analyses, inflect, like
from repair.lexicon import inflected
from repair.ngrams import NgramStore
from repair.segment import Text
from repair.thesaurus import Thesaurus
from training.articles import Gold
from training.corpora import BUILD, HELD, late_lines, lines
from training.corrupt import Spinner, annotated
from training.habits import FILE as HABITS
from training.swaps import LISTED, SPLIT, WALK, Choice, Swaps, held_back
from training.tables import FILE as TABLES

ARTIFACTS = Path("repair/artifacts")
LENGTHS = 220, 420  # words of an article, from and to
DENSITIES = 8.0, 28.0  # swaps to a hundred words, from and to; in data/dev from 10 to 32
COMPANIONS = 4.0, 14.0  # the same, of those that stand around tortured phrases
# Share of the words for which a machine's dictionary has neighbours of a kind. Of the swaps of real pages (data/swaps,
# data/dev) six or seven in ten are synonyms or paraphrases, one in twenty each is Roget's or two hops of WordNet away;
# where only one pair in ten may be used, the plentiful distant kinds would be most of it.
OFFERED = {"same": 1.0, "ppdb": 1.0, "near": 0.3, "roget": 0.15, "far": 0.12, WALK: 0.2, SPLIT: 0.3}
APPETITES = (0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0)  # of a machine, tried for the wanted density
LONG = 120  # words of a paragraph, at which longer lines are cut
OFTEN = 3  # places of one expected phrase, at most
MADE_BY = (
    ("benchmarks", "unseen"), ("training", "corpora"), ("training", "corrupt"), ("training", "swaps"),
    ("training", "tables"),
)  # fmt: skip
Place = tuple[int, int, str]  # from, to, and what is written there


class Unseen(Swaps):
    """The held-back swaps, less what the lexicon holds and what training may write in another way.

    Apart from the other tables: ``phrases``, expected phrase -> tortured ones; ``listed``, what our own tables hold.
    """

    def __init__(self, store: NgramStore, thesaurus: Thesaurus) -> None:
        lexicons = rows.shipped()
        super().__init__(lexicons, store, thesaurus, held=True)
        trained = Swaps(lexicons, store, thesaurus).tables
        met: dict[str, list[Choice]] = defaultdict(list)
        for row in habits.read(HABITS):
            for entry in inflected(row):
                met[entry.original.lower()].append((entry.observed.lower(), 1.0))
        self._known = [*trained.values(), met, *(self.tables.pop(path.stem) for path in lexicons)]
        phrases = self.tables.pop("tortured_phrases")
        self.phrases = {o: c for o, c in phrases.items() if not any(o in table for table in self._known)}
        for name, table in self.tables.items():
            left = {original: self._unknown(original, choices) for original, choices in table.items()}
            self.tables[name] = {original: choices for original, choices in left.items() if choices}
        self.listed = self.tables.pop(LISTED)

    def unknown(self, observed: str, original: str) -> bool:
        """Whether no row and no reading of the two forms is trained: "folks" may be held back and "folk" not."""
        listed = any(observed == there for table in self._known for there, _ in table.get(original, ()))
        return not listed and all(held_back(a, b) for a in _bases(observed) for b in _bases(original))

    def _unknown(self, original: str, choices: list[Choice]) -> list[Choice]:
        return [choice for choice in choices if " " in choice[0] or self.unknown(choice[0], original)]

    def _neighbours(self, lemma: str, tag: str) -> dict[str, list[Choice]]:
        form = inflect(lemma, tag) or lemma
        found = {name: self._unknown(form, choices) for name, choices in super()._neighbours(lemma, tag).items()}
        return {name: choices for name, choices in found.items() if choices and _offered(lemma, name)}

    def _walks(self, lemma: str, base: str) -> list[str]:
        return super()._walks(lemma, base) if _offered(lemma, WALK) else []


def _offered(lemma: str, kind: str) -> bool:
    return zlib.crc32(f"{kind}\t{lemma}".encode()) % 1000 < 1000 * OFFERED[kind]


def _bases(form: str) -> set[str]:
    return {lemma for lemma, _ in analyses(form)} or {form}


@cache
def held_swaps() -> Unseen:
    """The swaps that the sets are made with."""
    return Unseen(NgramStore(ARTIFACTS / "ngrams"), Thesaurus(ARTIFACTS / "thesaurus"))


def kept(make: Callable[[], list[Gold]]) -> list[Gold]:
    """A set as ``make`` gives it. It takes minutes, so build/ keeps it until a file that it is made by changes."""
    code = [Path(f"{folder}/{name}.py") for folder, name in MADE_BY]
    mark = 0
    for path in [*code, *rows.shipped(), HABITS, TABLES]:
        mark = zlib.crc32(path.read_bytes(), mark)
    place = Path("build/benchmarks") / f"{make.__name__}-{mark:08x}.json"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(make()), encoding="utf-8")
    found: list[Gold] = json.loads(place.read_text(encoding="utf-8"))
    return found


def unseen(articles: int = 48, seed: int = 21) -> list[Gold]:
    """Stretches of the held-back corpora, spun with held-back swaps at densities such as real machines have."""
    swaps = held_swaps()
    return _spun_stretches(articles, seed, swaps, [*OFFERED, *swaps.tables])


def listed(articles: int = 48, seed: int = 23) -> list[Gold]:
    """The same, spun with the held-back swaps of our own tables alone."""
    swaps = copy(held_swaps())
    swaps.tables = {LISTED: swaps.listed}
    return _spun_stretches(articles, seed, swaps, [LISTED])


def _spun_stretches(articles: int, seed: int, swaps: Unseen, sources: Sequence[str]) -> list[Gold]:
    out = list[Gold]()
    for corpus in HELD:
        rng = random.Random(f"{seed} {corpus}")
        stock = list(lines(corpus))
        for k in range(articles // len(HELD)):
            at, goal, part = rng.randrange(len(stock)), rng.randint(*LENGTHS), list[str]()
            skipped = rng.randrange(max(1, len(list(paragraphs(stock[at])))))  # of a line that is a whole speech
            for paragraph in islice(chain.from_iterable(paragraphs(line) for line in stock[at:]), skipped, None):
                part.append(paragraph)
                if _words(part) >= goal:
                    break
            out.append({"id": f"{corpus}-{k}", **damaged("\n\n".join(part), (), swaps, sources, rng)})
    return out


def tortured(articles: int = 72, seed: int = 22) -> list[Gold]:
    """Paragraphs in which held-back phrases stood, now tortured, several to an article, among other held-back swaps.

    Only the phrases are required. The other swaps are there because machines leave no text around them alone, and the
    verdict rests on that; they are optional, so that recall and restoration are those of the phrases.
    """
    swaps, rng, out = held_swaps(), random.Random(seed), list[Gold]()
    sources = [*OFFERED, *swaps.tables]
    texts = list(_with_phrases(swaps.phrases, rng))
    for k, (corpus, text, places) in enumerate(rng.sample(texts, min(articles, len(texts)))):
        out.append({"id": f"{corpus}-{k}", **damaged(text, places, swaps, sources, rng)})
    return out


def paragraphs(line: str) -> Iterator[str]:
    """A line of a corpus, cut between sentences where it is long: some lines are whole speeches."""
    if line.count(" ") < LONG:
        yield from [line] if line.strip() else []
        return
    text, first = Text(line), 0
    for s in text.sentences:
        if s.last - first >= LONG or s.last == len(text):
            yield line[text.starts[first] : text.ends[s.last - 1]]
            first = s.last


def damaged(text: str, phrases: Sequence[Place], swaps: Swaps, sources: Sequence[str], rng: random.Random) -> Gold:
    """An article's text and units: the phrases in their places and, around them, swaps of the sources.

    How often a machine finds a held-back swap depends on the text, so of several appetites the nearest is taken.
    """
    density = rng.uniform(*(COMPANIONS if phrases else DENSITIES))
    machine, seed = Spinner.draw(rng, list(swaps.tables), clean=0.0), rng.random()
    machine.sources = dict.fromkeys(sources, 1.0)
    spun = [
        _spun(text, phrases, replace(machine, appetite=appetite, chosen={}), swaps, random.Random(seed))
        for appetite in APPETITES
    ]
    wanted = len(phrases) + density * text.count(" ") / 100
    return min(spun, key=lambda gold: abs(len(gold["units"]) - wanted))


def _spun(text: str, phrases: Sequence[Place], machine: Spinner, swaps: Swaps, rng: random.Random) -> Gold:
    out, units, at = "", [], 0
    for start, end, observed in [*phrases, (len(text), len(text), "")]:
        piece = text[at:start]
        core = piece.strip()
        out += piece[: len(piece) - len(piece.lstrip())]
        new, found = annotated(core, machine, swaps, rng)
        for unit in found:
            moved = {"start": len(out) + unit["start"], "end": len(out) + unit["end"], "optional": bool(phrases)}
            units.append({**unit, **moved})
        out += new + (piece[len(piece.rstrip()) :] if core else "")
        if observed:
            there = {"start": len(out), "end": len(out) + len(observed), "observed": observed}
            units.append({**there, "originals": [text[start:end]], "optional": False})
            out += observed
        at = end
    return {"text": out, "units": units}


def _with_phrases(phrases: dict[str, list[Choice]], rng: random.Random) -> Iterator[tuple[str, str, list[Place]]]:
    """Articles of paragraphs of one corpus that hold expected phrases: corpus, text, and what is written where."""
    names = sorted(phrases)
    finder = AhoCorasick(names)
    often: Counter[str] = Counter()
    for corpus, source in [*((name, lines) for name in HELD), *((name, late_lines) for name in BUILD)]:
        stock = [p for line in source(corpus) if _places(line, finder) for p in paragraphs(line) if _places(p, finder)]
        rng.shuffle(stock)
        part, places = list[str](), list[Place]()
        for paragraph in stock:
            here = [(names[k], a, z) for k, a, z in _places(paragraph, finder)]
            if paragraph.count(" ") < 12 or not any(often[name] < OFTEN for name, _, _ in here):
                continue
            at, last = sum(len(p) + 2 for p in part), 0
            for name, a, z in here:
                if a >= last and often[name] < OFTEN:
                    often[name] += 1
                    observed = rng.choices(*zip(*phrases[name], strict=True))[0]
                    places.append((at + a, at + z, like(paragraph[a:z], observed)))
                    last = z
            part.append(paragraph)
            if _words(part) >= LENGTHS[0]:
                yield corpus, "\n\n".join(part), places
                part, places = [], []


def _places(text: str, finder: AhoCorasick) -> list[tuple[int, int, int]]:
    """Where whole phrases stand: which, from, to."""
    low = text.lower()
    if len(low) != len(text):  # a few capitals are longer in lower case, which would shift all places
        return []
    return [
        (k, a, z)
        for k, a, z in finder.find_matches_as_indexes(low, overlapping=True)
        if not (low[a - 1 : a] + low[z : z + 1]).strip(" .,;:!?\"'()\n’“”-–—")
    ]


def _words(part: Sequence[str]) -> int:
    return sum(p.count(" ") + 1 for p in part)
