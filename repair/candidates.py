"""Proposals: which stretches may be artifacts, and what may have stood there.

Every source is small and can be switched off by name (SOURCES). What a wording alone suggests (lexicon, word swaps,
dictionary neighbours, spelling) is worked out once per wording and kept; what depends on the place (the article's own
wording, acronyms, neighbours in the n-gram store, the encoder's retrieval) is added per stretch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import log10
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from repair.compounds import Compounds
from repair.habits import Habits
from repair.inflection import analyses, british, inflect
from repair.lexicon import Entry, Lexicon
from repair.ngrams import NgramStore
from repair.segment import Text
from repair.thesaurus import FAR, NEAR, PPDB, ROGET, SAME, Thesaurus

SOURCES = (
    "lexicon", "words", "wordnet", "ppdb", "roget", "ngrams", "acronyms", "units", "article", "spelling", "encoder",
    "compounds", "habits",
)  # fmt: skip
(
    LEXICON, WORDS, WN_SAME, WN_NEAR, WN_FAR, PPDB_, ROGET_, NGRAMS, ACRONYMS, UNITS, ARTICLE, SPELLING, ENCODER,
    COMPOUND, HABITS,
) = (1 << i for i in range(15))  # fmt: skip
NAMES = {
    LEXICON: "lexicon", WORDS: "words", WN_SAME: "wordnet", WN_NEAR: "wordnet", WN_FAR: "wordnet", PPDB_: "ppdb",
    ROGET_: "roget", NGRAMS: "ngrams", ACRONYMS: "acronyms", UNITS: "units", ARTICLE: "article", SPELLING: "spelling",
    ENCODER: "encoder", COMPOUND: "compounds", HABITS: "habits",
}  # fmt: skip
_DICTIONARY = {SAME: WN_SAME, NEAR: WN_NEAR, FAR: WN_FAR, PPDB: PPDB_, ROGET: ROGET_}
ARTICLES = frozenset(["a", "an", "the"])  # no machine swaps them alone, and "an" for "a" is mended with what follows
_LEAST = 40  # occurrences below which a dictionary neighbour is no candidate
_LEAST_FAR = 400  # the same where nothing but two hops of WordNet speaks for it
_LEAST_BASE, _LEAST_CLOSE = 100, 4  # and for a base form, whether so or otherwise
MOST = 320  # candidates a wording keeps
_KEPT = 6_000  # wordings whose candidates are kept, about 2 KB each; likewise of several sources


class Numbered(NamedTuple):
    """An Options as arrays. ``table`` says in which table of wordings the numbers are rows."""

    table: object
    numbers: npt.NDArray[np.int32]
    bits: npt.NDArray[np.int16]
    weights: npt.NDArray[np.float32]


@dataclass(slots=True)
class Options:
    """Candidates for one stretch, column-wise, while they are gathered. ``texts`` are folded, weights the lexicon's."""

    texts: list[str] = field(default_factory=list)
    bits: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    rows: dict[int, Entry] = field(default_factory=dict)
    index: dict[str, int] = field(default_factory=dict)
    numbered: Numbered | None = field(default=None, compare=False, repr=False)  # kept by repair.wordings

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def heaviest(self) -> float:
        return max(self.weights, default=0.0)

    def add(self, text: str, bit: int, weight: float = 0.0, entry: Entry | None = None) -> None:
        """One more candidate, or one more source for a known one."""
        i = self.index.get(text)
        if i is None:
            i = self.index[text] = len(self.texts)
            self.texts.append(text)
            self.bits.append(0)
            self.weights.append(0.0)
        self.bits[i] |= bit
        if weight > self.weights[i]:
            self.weights[i] = weight
            if entry is not None:
                self.rows[i] = entry


class Packed:
    """Options as they are kept, in an eighth of the memory: shared, and changed by nobody but repair.wordings.

    A place's own candidates go into a Placed.
    """

    __slots__ = ("_joined", "bits", "heaviest", "numbered", "rows", "weights")

    def __init__(self, options: Options) -> None:
        self._joined = "\n".join(options.texts)
        self.bits = np.array(options.bits, np.int16)
        self.weights = np.array(options.weights, np.float32)
        self.heaviest = options.heaviest
        self.rows: Mapping[int, Entry] = options.rows or _NO_ROWS
        self.numbered: Numbered | None = None

    def __len__(self) -> int:
        return len(self.bits)

    @property
    def texts(self) -> list[str]:
        return self._joined.split("\n") if len(self) else []


_NO_ROWS: Mapping[int, Entry] = MappingProxyType({})
NOTHING = Packed(Options())


class Placed:
    """A stretch's candidates: those of its wording, which are shared, then those that only its place suggests."""

    __slots__ = ("_index", "marks", "own", "shared")

    def __init__(self, shared: Packed) -> None:
        self.shared, self.own = shared, Options()
        self._index: dict[str, int] | None = None
        self.marks: list[tuple[int, int]] = []  # further sources of shared candidates: (index, bit)

    def add(self, text: str, bit: int) -> None:
        """One more candidate, or one more source for a known one."""
        if self._index is None:
            self._index = {text: i for i, text in enumerate(self.shared.texts)}
        i = self._index.get(text)
        if i is None:
            self.own.add(text, bit)
        else:
            self.marks.append((i, bit))

    @property
    def texts(self) -> list[str]:
        return self.shared.texts + self.own.texts


@dataclass(frozen=True, slots=True)
class Span:
    """Tokens [first, last) that may be an artifact."""

    first: int
    last: int
    options: Packed


class Proposer:
    """Finds spans and their candidates. Shared between articles; keeps nothing of them."""

    def __init__(
        self,
        lexicon: Lexicon,
        thesaurus: Thesaurus,
        store: NgramStore,
        without: Collection[str] = (),
        habits: Habits | None = None,
    ) -> None:
        self.lexicon, self.thesaurus, self.store = lexicon, thesaurus, store
        self._counts: list[int] = store.unigrams.tolist()  # a list is quicker to ask than an array, word by word
        self.on = {s for s in SOURCES if s not in without}
        if "lexicon" in without:  # lists of swaps like it are switched off with it
            self.on -= {"words", "units", "habits"}
        self.habits = habits if "habits" in self.on else None
        # Occurrences of the thesaurus's words, to pass over the rare ones before anything is inflected.
        self._base = [self._count(w) for w in thesaurus.words]
        kinds = [(bit, own) for bit, own in _DICTIONARY.items() if NAMES[own] in self.on]
        # By a relation of the thesaurus: the sources that it stands for.
        self._sources = [sum(own for bit, own in kinds if relation & bit) for relation in range(2 * max(_DICTIONARY))]
        self.dictionary = lru_cache(maxsize=_KEPT)(self._dictionary)
        self._composed = lru_cache(maxsize=_KEPT)(self._compose)
        self._compounds = Compounds(thesaurus, store)
        # The thesaurus's multiword entries, and how many words they have at most, by first word.
        self._phrases = frozenset(w for w in self.thesaurus.words if " " in w) if "wordnet" in self.on else frozenset()
        self._long_entries: dict[str, int] = {}
        for phrase in self._phrases:
            first = phrase.split(" ", 1)[0]
            self._long_entries[first] = max(self._long_entries.get(first, 0), phrase.count(" ") + 1)

    def spans(self, text: Text, worth: Sequence[bool]) -> list[Span]:
        """All stretches with at least one candidate, from the sources that need no context.

        Stretches without a token that is ``worth`` the work are passed over.
        """
        # What speaks for a stretch: rows of the lexicon, habits of machines, its wording as one of the dictionary,
        # halves of a compound.
        entries: dict[tuple[int, int], tuple[Entry, ...]] = {}
        met: dict[tuple[int, int], tuple[Entry, ...]] = {}
        phrases: dict[tuple[int, int], str] = {}
        halves: dict[tuple[int, int], tuple[str, str]] = {}
        folded = text.folded
        blocked = [b or i for b, i in zip(text.blocked, self.lexicon.ignored_tokens(text), strict=True)]
        listed = self.lexicon if "lexicon" in self.on or "words" in self.on else None
        for swaps, found in ((listed, entries), (self.habits, met)):
            for match in swaps.matches(text) if swaps else ():
                if any(worth[match.first : match.last]):
                    found[match.first, match.last] = match.entries
        for i, word in enumerate(folded):
            if not text.is_word[i] or blocked[i] or len(word) < 2:
                continue
            if worth[i]:
                phrases[i, i + 1] = word
            for length in range(2, min(self._long_entries.get(word, 0), len(text) - i) + 1):
                phrase = " ".join(folded[i : i + length])
                if phrase in self._phrases and any(worth[i : i + length]):
                    phrases[i, i + length] = phrase
        for a, z in self._compounds.pairs(text) if "compounds" in self.on else ():
            if (worth[a] or worth[z - 1]) and self._compounds.originals(folded[a], folded[z - 1]):
                halves[a, z] = folded[a], folded[z - 1]
        out = []
        for a, z in sorted({*entries, *met, *phrases, *halves}):
            if any(blocked[a:z]) or any(text.line_starts[a + 1 : z]) or (z - a == 1 and folded[a] in ARTICLES):
                continue
            place = a, z
            rows, pair, wording = entries.get(place, ()), halves.get(place), phrases.get(place)
            used = tuple(key(entry.original) for entry in met.get(place, ()))
            if rows or used or pair:
                options = self._composed(z - a == 1, rows, used, wording, pair)
            else:
                options = self.dictionary(wording or "")
            if len(options):
                out.append(Span(a, z, options))
        return out

    def _compose(
        self,
        single: bool,
        entries: tuple[Entry, ...],
        met: tuple[str, ...],
        phrase: str | None,
        halves: tuple[str, str] | None,
    ) -> Packed:
        """Candidates of several sources."""
        options = Options()
        for entry in entries:
            source = "words" if single else "lexicon"
            if "units" in self.on and entry.row.source == "units":
                source = "units"
            if source in self.on:
                bit = {"words": WORDS, "lexicon": LEXICON, "units": UNITS}[source]
                options.add(key(entry.original), bit, entry.row.weight, entry)
        for original in met:
            options.add(original, HABITS)
        if phrase:
            found = self.dictionary(phrase)
            for word, bits in zip(found.texts, found.bits.tolist(), strict=True):
                options.add(word, bits)
        if halves:
            for word in self._compounds.originals(*halves):
                options.add(word, COMPOUND)
        return Packed(options)

    def _dictionary(self, phrase: str) -> Packed:
        """Inflected dictionary neighbours of a folded wording (and near spellings of an unknown one)."""
        found: dict[str, int] = {}
        readings = analyses(phrase) if " " not in phrase else (("", "NN"), ("", "VB"), ("", "JJ"), ("", "RB"))
        sources, words, counted = self._sources, self.thesaurus.words, self._base
        for lemma, tag in readings:
            base = tag in ("NN", "VB", "JJ", "RB")
            for number, relation in self.thesaurus.related(lemma or phrase).items():
                bits = sources[relation]
                if not bits or counted[number] < (_LEAST_BASE if bits == WN_FAR else _LEAST_CLOSE):
                    continue
                word = words[number]
                form: str | None = word
                if " " in word:
                    form = word if base and bits & WN_SAME else None
                elif not base:
                    form = inflect(word, tag)
                if lemma == "" and " " not in word and (word, tag) not in analyses(word):
                    form = None
                if form:
                    found[form] = found.get(form, 0) | bits
        if not found and not readings and " " not in phrase:
            # function words and words without readings: PPDB and Roget know some
            for number, relation in self.thesaurus.related(phrase).items():
                if bits := sources[relation]:
                    found[words[number]] = bits
        same = british(phrase)
        counts = {form: self._count(form) for form in found}
        scored = [
            (found[form].bit_count() * 3 + log10(count), form, found[form])
            for form, count in counts.items()
            if count >= (_LEAST_FAR if found[form] == WN_FAR else _LEAST) and british(form) != same
        ]
        scored.sort(reverse=True)
        options = Options()
        for _, form, bits in scored[:MOST]:
            options.add(form, bits)
        if not options.texts and "spelling" in self.on:
            self._add_spellings(phrase, options)
        return Packed(options)

    def _count(self, form: str) -> int:
        """Occurrences of a wording's rarest word."""
        ids, counts = self.store.ids, self._counts
        i = ids.get(form)
        if i is not None and "-" not in form:  # else its parts decide
            return counts[i]
        return min(counts[ids[w]] if w in ids else 0 for w in form.replace("-", " ").split(" "))

    def _add_spellings(self, word: str, options: Options) -> None:
        """Frequent words of which ``word``, that nobody writes, is a clipped or misspelt form ("presen")."""
        if len(word) < 5 or not word.isascii() or not word.isalpha() or self._count(word) > 3:
            return
        from rapidfuzz import process
        from rapidfuzz.distance import Levenshtein

        near = process.extract(
            word,
            self._by_start().get(word[:2], ()),
            scorer=Levenshtein.normalized_similarity,
            limit=4,
            score_cutoff=0.8,
        )
        for form, _, _ in near:
            options.add(form, SPELLING)

    @lru_cache(maxsize=1)  # noqa: B019  (a Proposer lives as long as its Repairer)
    def _by_start(self) -> dict[str, list[str]]:
        out: dict[str, list[str]] = {}
        for i, word in enumerate(self.store.words):
            if self.store.unigrams[i] >= 1500 and word.isalpha() and len(word) > 4:
                out.setdefault(word[:2], []).append(word)
        return out


def key(wording: str) -> str:
    """Folded form of a candidate."""
    return wording.lower().replace("’", "'")


def source_names(bits: int) -> list[str]:
    """The names of the sources behind a candidate."""
    return list(dict.fromkeys(name for bit, name in NAMES.items() if bits & bit))


def own_wordings(text: Text) -> dict[tuple[str, str], list[str]]:
    """What stands elsewhere in the article beside a word: ("minister", "<") -> words before "minister"."""
    out: dict[tuple[str, str], list[str]] = {}
    folded = text.folded
    for i in range(1, len(folded)):
        if text.is_word[i] and text.is_word[i - 1] and not text.line_starts[i]:
            out.setdefault((folded[i], "<"), []).append(folded[i - 1])
            out.setdefault((folded[i - 1], ">"), []).append(folded[i])
    return out


_ACRONYM = 8  # longest acronym looked at


def acronyms(text: Text) -> Iterator[tuple[int, str]]:
    """Tokens before "(KCNA)" whose initial does not fit the letter it stands for: (token, wanted initial)."""
    for i in range(2, len(text) - 1):
        letters = text.words[i]
        if not (
            text.words[i - 1] == "("
            and text.words[i + 1] == ")"
            and letters.isupper()
            and 2 <= len(letters) <= _ACRONYM
        ):
            continue
        names = [j for j in range(max(0, i - 14), i - 1) if text.words[j][0].isupper() and text.is_word[j]]
        names = names[-len(letters) :]
        if len(names) != len(letters) or names[-1] != i - 2:
            continue
        wrong = [(j, letter) for j, letter in zip(names, letters, strict=True) if text.words[j][0] != letter]
        if len(wrong) < len(letters) and len(wrong) <= len(letters) // 2 + 1:
            yield from ((j, letter.lower()) for j, letter in wrong)
