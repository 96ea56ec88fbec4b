"""Proposals: every source by itself, on a lexicon and a thesaurus small enough to see through."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from repair import Repairer
from repair.candidates import (
    ACRONYMS,
    LEXICON,
    PPDB_,
    SOURCES,
    UNITS,
    WN_SAME,
    WORDS,
    Options,
    Placed,
    Proposer,
    acronyms,
    own_wordings,
    source_names,
)
from repair.compounds import Compounds
from repair.errors import UsageError
from repair.lexicon import Lexicon
from repair.rows import COLUMNS
from repair.segment import Text
from repair.thesaurus import PPDB, SAME

HEADER = "\t".join(COLUMNS) + "\n"
LINES = (
    "advert\tadvert\tignore\t0.9\t\t\town\t\n"
    "environment\tstate\tnoun\t0.6\t+media\t\town\t\n"
    "lend a hand\thelp\tverb\t0.9\t\t\town\t\n"
    "seven laptop\tseven per cent\tfunction\t0.9\t\t\tunits\t\n"
    "the\tthis\tfunction\t0.9\t\t\town\t\n"
    "wisdom business\tintelligence agency\tnoun\t0.9\t\t\town\t\n"
)


class FakeThesaurus:
    words = ("large", "big", "strike hard", "smash")

    def neighbours(self, word: str) -> dict[str, int]:
        return {"large": {"big": SAME | PPDB}, "strike hard": {"smash": SAME}}.get(word, {})

    def related(self, word: str) -> dict[int, int]:
        return {self.words.index(w): bits for w, bits in self.neighbours(word).items()}


class FakeStore:
    """Knows a few words, all of them frequent."""

    words = ("\0", "big", "bigger", "smash", "help", "presentation", "state", "ad", "bigly")

    def __init__(self) -> None:
        self.ids = {w: i for i, w in enumerate(self.words)}
        self.unigrams = np.array([0, *[5000] * 8], np.uint32)


@pytest.fixture
def lexicon(tmp_path: Path) -> Lexicon:
    path = tmp_path / "own.tsv"
    path.write_text(HEADER + LINES, encoding="utf-8")
    return Lexicon([path])


def proposed(lexicon: Lexicon, text: str, *without: str) -> dict[str, dict[str, int]]:
    """Candidates and their sources' bits for each stretch of a text."""
    cut = Text(text)
    spans = Proposer(lexicon, FakeThesaurus(), FakeStore(), without).spans(cut, [True] * len(cut))  # type: ignore[arg-type]
    return {
        text[cut.starts[s.first] : cut.ends[s.last - 1]]: dict(zip(s.options.texts, s.options.bits, strict=True))
        for s in spans
    }


def test_the_lexicon_in_every_form(lexicon: Lexicon) -> None:
    found = proposed(lexicon, "Two Wisdom Businesses lent a hand")
    assert found["Wisdom Businesses"] == {"intelligence agencies": LEXICON}
    assert proposed(lexicon, "They lend a hand") == {"lend a hand": {"help": LEXICON}}
    assert proposed(lexicon, "He lent a hand") == {"lent a hand": {"helped": LEXICON}}


def test_single_words_and_units_are_sources_of_their_own(lexicon: Lexicon) -> None:
    text = "The environment media grew seven laptop"
    assert proposed(lexicon, text) == {"environment": {"state": WORDS}, "seven laptop": {"seven per cent": UNITS}}
    assert proposed(lexicon, text, "words") == {"seven laptop": {"seven per cent": UNITS}}
    assert proposed(lexicon, text, "lexicon") == {}


def test_context_conditions_hold(lexicon: Lexicon) -> None:
    assert "environment" not in proposed(lexicon, "The environment suffers. The media grew.")


def test_dictionary_neighbours(lexicon: Lexicon) -> None:
    assert proposed(lexicon, "A large car") == {"large": {"big": WN_SAME | PPDB_}}
    assert proposed(lexicon, "A larger car") == {"larger": {"bigger": WN_SAME | PPDB_}}
    assert proposed(lexicon, "A large car", "ppdb") == {"large": {"big": WN_SAME}}
    assert proposed(lexicon, "A large car", "ppdb", "wordnet") == {}
    assert proposed(lexicon, "they strike hard now")["strike hard"] == {"smash": WN_SAME}


def test_articles_alone_are_no_artifacts(lexicon: Lexicon) -> None:
    spans = proposed(lexicon, "An ad for the big state and a large car")
    assert spans and not {"a", "an", "the"} & set(spans)


def test_clipped_words(lexicon: Lexicon) -> None:
    assert "presentation" in proposed(lexicon, "a presentatio was given")["presentatio"]
    assert proposed(lexicon, "a presentatio was given", "spelling") == {}


def test_no_stretch_runs_over_a_line_a_zone_or_what_is_ignored(lexicon: Lexicon) -> None:
    assert proposed(lexicon, "wisdom\nbusiness") == {}
    assert proposed(lexicon, "`a large car` https://large.example.org <large>") == {}
    assert proposed(lexicon, "an advert") == {}


def test_what_is_cached_is_never_changed(lexicon: Lexicon) -> None:
    proposer = Proposer(lexicon, FakeThesaurus(), FakeStore())  # type: ignore[arg-type]
    cut = Text("large environment media large")

    def found() -> list[tuple[list[str], list[int]]]:
        return [(list(s.options.texts), list(s.options.bits)) for s in proposer.spans(cut, [True] * 4)]

    first = found()
    for s in proposer.spans(cut, [True] * 4):
        placed = Placed(s.options)
        placed.add("other", ACRONYMS)
        placed.add(s.options.texts[0], ACRONYMS)
        assert placed.texts == [*s.options.texts, "other"] and placed.marks == [(0, ACRONYMS)]
    assert found() == first


def test_options_add_up() -> None:
    options = Options()
    options.add("x", LEXICON, 0.4)
    options.add("x", WORDS, 0.2)
    assert (options.texts, options.bits, options.weights) == (["x"], [LEXICON | WORDS], [0.4])
    assert source_names(options.bits[0]) == ["lexicon", "words"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the Central Information Company (KCNA) said", []),  # fewer names than letters: no telling which
        ("the Korean Central Information Company (KCNA) said", [("Information", "n"), ("Company", "a")]),
        ("the World Wellbeing Organization (WHO) said", [("Wellbeing", "h")]),
        ("the World Health Organization (WHO) said", []),
        ("a plain remark (NB) here", []),
        ("(WHO)", []),
    ],
)
def test_acronyms(text: str, expected: list[tuple[str, str]]) -> None:
    cut = Text(text)
    assert [(cut.words[i], letter) for i, letter in acronyms(cut)] == expected


def test_the_articles_own_wording() -> None:
    own = own_wordings(Text("The prime minister left. The top minister\nspoke."))
    assert own["minister", "<"] == ["prime", "top"]
    assert own["top", ">"] == ["minister"] and ("minister", ">") in own and "spoke" not in own["minister", ">"]


def test_unknown_sources_are_refused(repairer: Repairer) -> None:
    with pytest.raises(UsageError, match="'thesauri'"):
        Repairer(without=["thesauri"]).check("x")


def test_every_source_has_bits_or_a_name() -> None:
    from repair.candidates import NAMES

    assert set(NAMES.values()) == set(SOURCES)


class Dictionary:
    """A thesaurus of base forms that holds what the compounds need."""

    words = ()

    def neighbours(self, word: str) -> dict[str, int]:
        return dict.fromkeys({"sleep": ("bed", "rest"), "seasoned": ("old",)}.get(word, ()), SAME)


class Counts:
    def __init__(self, **counts: int) -> None:
        self.words = ("\0", *counts)
        self.ids = {w: i for i, w in enumerate(self.words)}
        self.unigrams = np.array([0, *counts.values()], np.uint32)


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        ("sleep", "time", ["bedtime"]),
        ("life", "time", ["lifetime"]),
        ("more", "seasoned", ["older"]),
        ("rest", "time", []),
    ],
)
def test_two_words_may_stand_for_one(first: str, second: str, wanted: list[str]) -> None:
    known = Counts(bedtime=90, lifetime=900, older=5000, resttime=3)
    assert Compounds(Dictionary(), known).originals(first, second) == wanted  # type: ignore[arg-type]


def test_halves_of_compounds_stand_side_by_side_on_a_line_or_have_a_hyphen_between() -> None:
    text = Text("On-line, my sleep\ntime is up")
    pairs = list(Compounds(Dictionary(), Counts()).pairs(text))  # type: ignore[arg-type]
    assert [[text.words[k] for k in range(a, z)] for a, z in pairs] == [["On", "-", "line"], ["my", "sleep"]]
