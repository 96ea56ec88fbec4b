"""Edits, undo and the offset map are exact, whatever the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repair.display import counted
from repair.report import Article, Edit, Finding, OffsetMap, Repair, Report, Verdict, apply
from repair.rounds import Settling


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, list[Edit]]:
    """A text with sorted edits that don't overlap; they may touch."""
    text = draw(st.text(max_size=80))
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    spans = [(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False) if a < b]
    return text, [Edit(a, b, text[a:b], draw(st.text(max_size=12))) for a, b in spans]


def repair_of(text: str, edits: list[Edit]) -> Repair:
    return Repair(apply(text, edits), tuple(edits), Report(0, Verdict("clean", 0, 0)))


@given(edited())
def test_undo_gives_back_what_came_in(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    assert repair_of(text, edits).undo() == text


@given(edited())
def test_untouched_characters_keep_their_place_on_the_map(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    new, offsets = apply(text, edits), OffsetMap(edits)
    inside = {i for edit in edits for i in range(edit.start, edit.end)}
    for i in set(range(len(text))) - inside:
        assert new[offsets.to_new(i)] == text[i]
        assert offsets.to_old(offsets.to_new(i)) == i
    assert offsets.to_new(len(text)) == len(new)


@given(edited())
def test_edits_map_to_their_replacement(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    new, offsets = apply(text, edits), OffsetMap(edits)
    for edit in edits:
        start = offsets.to_new(edit.start)
        assert new[start : start + len(edit.after)] == edit.after


@given(edited())
def test_the_map_never_goes_backwards(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    offsets = OffsetMap(edits)
    places = [offsets.to_new(i) for i in range(len(text) + 1)]
    assert places == sorted(places)
    back = [offsets.to_old(i) for i in range(len(apply(text, edits)) + 1)]
    assert back == sorted(back)


@pytest.mark.parametrize("edits", [[Edit(0, 1, "x", "y")], [Edit(0, 2, "ab", "c"), Edit(1, 3, "bc", "d")]])
def test_edits_that_do_not_fit_are_refused(edits: list[Edit]) -> None:
    with pytest.raises(ValueError):
        apply("abc", edits)


def test_every_finding_tells_the_verdict_of_the_first_reading() -> None:
    """Further readings have other verdicts, on texts that nobody sees."""
    text, first = "a queer bus and an odd tram", Verdict("spun", 0.9, 0.2)
    found = [
        Finding(at, at + len(word), word, 0.9, "flag", (), {"verdict": str(verdict), "replaced": 0.9})
        for at, word, verdict in ((2, "queer", first), (19, "odd", Verdict("clean", 0.1, 0.0)))
    ]
    state = Settling(Article(text), Report(7, first, tuple(found)), [Edit(8, 11, "bus", "coach")], found[1:])
    report, _ = state.settled()
    assert [f.evidence["verdict"] for f in report.findings] == ["article spun, probability 0.90"] * 3


def test_one_is_no_plural() -> None:
    assert [counted(n, "change") for n in (0, 1, 1200)] == ["0 changes", "1 change", "1,200 changes"]
