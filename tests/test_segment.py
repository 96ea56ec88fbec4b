"""Tokens, sentences, quotations and protected zones."""

from __future__ import annotations

import gc
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repair.segment import Text, fold

ODD = st.text(st.one_of(st.characters(), st.sampled_from("aZé.,'’\"“”İß😀\n\r\t \0<>&`@#0")), max_size=200)


def sentences(text: str) -> list[str]:
    cut = Text(text)
    return [text[cut.starts[s.first] : cut.ends[s.last - 1]] for s in cut.sentences]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Russia’s army", ["Russia", "’s", "army"]),
        ("don't stop", ["don't", "stop"]),
        ("the U.S. said", ["the", "U.S.", "said"]),
        ("7,500.25 tons", ["7,500.25", "tons"]),
        ("well-known (KCNA)", ["well", "-", "known", "(", "KCNA", ")"]),
        ("", []),
        (" \n\t", []),
    ],
)
def test_tokens(text: str, tokens: list[str]) -> None:
    assert Text(text).words == tokens


def test_look_ups_fold_case_apostrophes_and_numbers() -> None:
    assert [fold(w) for w in ("Don’t", "1,066", "İ", "straße")] == ["don't", "0", "i̇", "straße"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It rained. We left.", ["It rained.", "We left."]),
        ("Mr. Hale of Acme Inc. said so. Nobody heard.", ["Mr. Hale of Acme Inc. said so.", "Nobody heard."]),
        ("“Go!” she said. He went.", ["“Go!” she said.", "He went."]),
        ("A headline\nThe text begins", ["A headline", "The text begins"]),
        ("It cost 3.5 million. Or 4.", ["It cost 3.5 million.", "Or 4."]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("see https://example.org/state-media?q=1 today", "https://example.org/state-media?q=1"),
        ("write to jo.smith@example.co.uk now", "jo.smith@example.co.uk"),
        ("set `environment media` to 1", "`environment media`"),
        ('a <a href="x y"> here', '<a href="x y">'),
        ("thanks @state_media for this", "@state_media"),
        ("fish &amp; chips", "&amp;"),
        ("on example.com daily", "example.com"),
        ("The end.\n\nLeave a Reply\nFrom here", "Leave a Reply"),
        ("Your email address will not be published. Thanks", "Your email address will not be published"),
        ("Required fields are marked *", "Required fields are marked"),
        ("Cancel reply", "Cancel reply"),
        ("on inter-governmental talks", "inter-governmental"),
    ],
)
def test_zones_are_protected(text: str, zone: str) -> None:
    cut = Text(text)
    at = text.index(zone)
    inside = [at <= a and z <= at + len(zone) for a, z in zip(cut.starts, cut.ends, strict=True)]
    assert cut.blocked == inside and any(inside)


def test_what_only_begins_like_a_form_is_text() -> None:
    text = "They leave a reply on the desk.\nShare this bread with your co-author, or re-read it.\nA well-read man."
    free = [w for w, b in zip(Text(text).words, Text(text).blocked, strict=True) if not b]
    assert {"leave", "reply", "Share", "bread", "well", "read", "man"} <= set(free)
    assert not {"co", "author", "re"} & set(free)


def test_the_callers_zones_are_protected_too() -> None:
    assert Text("one two three", [(5, 6)]).blocked == [False, True, False]


def test_quotations() -> None:
    cut = Text("He said “we go” and 'left'. It’s Ben’s.")
    assert [w for w, q in zip(cut.words, cut.quoted, strict=True) if q] == ["“", "we", "go", "”"]
    assert not any(Text("an unclosed “quotation\nruns on").quoted)


@given(ODD)
def test_any_text_is_cut_without_loss(text: str) -> None:
    cut = Text(text)
    at = 0
    for start, end, word in zip(cut.starts, cut.ends, cut.words, strict=True):
        assert not text[at:start].strip() and start < end and text[start:end] == word
        at = end
    assert not text[at:].strip()
    views = (cut.folded, cut.is_word, cut.blocked, cut.quoted, cut.line_starts)
    assert all(len(view) == len(cut) for view in views)


@given(ODD)
def test_sentences_hold_every_token_and_no_line_break(text: str) -> None:
    cut = Text(text)
    assert [i for s in cut.sentences for i in range(s.first, s.last)] == list(range(len(cut)))
    for s in cut.sentences:
        assert "\n" not in text[cut.starts[s.first] : cut.ends[s.last - 1]]


@pytest.mark.parametrize("unit", ["a", "a ", ".", "“", "<", "a.", "(", "'", "`", "&", "x@", "1,"])
def test_cutting_is_linear(unit: str) -> None:
    def seconds(size: int) -> float:
        gc.disable()  # else the collector walks the models that other tests hold, the oftener the more tokens
        begin = time.perf_counter()
        cut = Text(unit * (size // len(unit)))
        assert cut.sentences is not None and cut.blocked is not None and cut.quoted is not None
        gc.enable()
        return time.perf_counter() - begin

    assert seconds(200_000) < 20 * max(seconds(20_000), 0.02)  # quadratic would be 100 times
