"""Forms of words, and agreement."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repair.forms import _table, inflections, lemmas
from repair.inflection import american, analyses, article_for, british, inflect, inflect_phrase, like


@pytest.mark.parametrize(
    ("lemma", "tag", "form"),
    [
        ("business", "NNS", "businesses"),
        ("child", "NNS", "children"),
        ("go", "VBD", "went"),
        ("make", "VBG", "making"),
        ("big", "JJR", "bigger"),
        ("state", "NNS", "states"),
        ("say", "VBZ", "says"),
    ],
)
def test_forms(lemma: str, tag: str, form: str) -> None:
    assert inflect(lemma, tag) == form
    assert (lemma, tag) in analyses(form)


@pytest.mark.parametrize("word", ["the", "than", "", "4", "état", "qzxv", "a b"])
def test_function_words_and_strangers_have_no_readings(word: str) -> None:
    assert analyses(word) == ()


@pytest.mark.parametrize(
    ("phrase", "kind", "tag", "form"),
    [
        ("wisdom business", "noun", "NNS", "wisdom businesses"),
        ("member of parliament", "noun", "NNS", "members of parliament"),
        ("lend a hand", "verb", "VBZ", "lends a hand"),
        ("shell out", "verb", "VBD", "shelled out"),
        ("shell out", "verb", "VB", "shell out"),
    ],
)
def test_a_phrase_is_inflected_at_its_head(phrase: str, kind: str, tag: str, form: str) -> None:
    assert inflect_phrase(phrase, kind, tag) == form


@pytest.mark.parametrize(
    ("word", "article"),
    [
        ("state", "a"), ("environment", "an"), ("hour", "an"), ("honest", "an"), ("university", "a"), ("European", "a"),
        ("unit", "a"), ("unimportant", "an"), ("umbrella", "an"), ("one", "a"), ("8", "an"), ("18th", "an"),
        ("FBI", "an"), ("UN", "a"), ("NATO", "an"), ("BBC", "a"), ("X-ray", "an"), ("heir", "an"), ("house", "a"),
        ("user", "a"),
    ],
)  # fmt: skip
def test_a_or_an(word: str, article: str) -> None:
    assert article_for(word) == article


@pytest.mark.parametrize(
    ("model", "text", "expected"),
    [
        ("environment", "state", "state"),
        ("Environment", "state", "State"),
        ("Herbal Assets", "natural resources", "Natural Resources"),
        ("HERBAL ASSETS", "natural resources", "NATURAL RESOURCES"),
        ("Central Information Company", "bank of england", "Bank of England"),
        ("Earlier than", "before", "Before"),
        ("7", "seven", "seven"),
        ("", "x", "x"),
        ("X", "", ""),
    ],
)
def test_capitals_follow_the_wording_replaced(model: str, text: str, expected: str) -> None:
    assert like(model, text) == expected


@pytest.mark.parametrize(
    ("us", "uk"),
    [
        ("organized", "organised"), ("analyze", "analyse"), ("color", "colour"), ("colors", "colours"),
        ("center", "centre"), ("size", "size"), ("sizes", "sizes"), ("prize", "prize"), ("table", "table"),
        ("organization", "organisation"),
    ],
)  # fmt: skip
def test_british_spelling(us: str, uk: str) -> None:
    assert british(us) == uk and british(uk) == uk


def test_american_spelling() -> None:
    assert (american("centres"), american("labour"), american("table")) == ("centers", "labor", "table")


@given(st.text(max_size=30), st.text(max_size=30))
def test_nothing_odd_stops_it(model: str, text: str) -> None:
    assert like(model, text).lower() == text.lower() or not text.isascii()
    assert article_for(text) in ("a", "an")
    assert isinstance(analyses(text.lower()), tuple) and isinstance(british(text), str)


def test_tables_are_read_as_their_own_package_reads_them() -> None:
    from lemminflect import getAllInflections, getAllLemmas

    listed = [line.decode().split(",")[0] for name in ("infl_lu", "lemma_lu") for line in _table(name)]
    extra = ["be", "can", "dare", "clergy", "he", "burn", "Sunday", "x-ray", ""]
    words = [*random.Random(1).sample(listed, 3_000), *extra]
    for word in [*words, *(w.upper() for w in words[:300]), *(w.capitalize() for w in words[:300])]:
        assert inflections(word) == getAllInflections(word)
        assert list(lemmas(word).items()) == list(getAllLemmas(word).items())
