"""The lexicon: inflection, names, numbers, conditions, ignore rows, and the state of the shipped files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from repair import rows
from repair.inflection import KIND_TAGS, inflect_phrase, phrase_forms
from repair.lexicon import Lexicon, key_of
from repair.rows import Row
from repair.segment import TOKEN, Text, fold

SHIPPED = [row for path in rows.shipped() for row in rows.read(path)]


def lexicon(folder: Path, *given: Row, ignore: Iterable[str] = ()) -> Lexicon:
    rows.write(folder / "rows.tsv", given)
    return Lexicon([folder / "rows.tsv"], ignore)


def found(lexicon: Lexicon, text: str) -> list[tuple[str, str]]:
    cut = Text(text)
    return [
        (text[cut.starts[match.first] : cut.ends[match.last - 1]], entry.original)
        for match in lexicon.matches(cut)
        for entry in match.entries
    ]


def test_the_shipped_files_have_no_problems() -> None:
    assert rows.problems(rows.shipped()) == []
    assert len(SHIPPED) >= 4000


def test_no_row_of_words_cuts_a_term_of_clean_english_to_one_of_its_words() -> None:
    """ "natural gas" and "body weight" are no artifacts, and what is cut off is lost: such rows only propose."""
    (path,) = (path for path in rows.shipped() if path.name == "words.tsv")
    heavy = [
        row.observed
        for row in rows.read(path)
        if row.kind in ("noun", "verb") and row.clean and row.weight > 0.12
        and set(row.original.split()) < set(row.observed.split())
    ]  # fmt: skip
    assert heavy == []


def test_every_shipped_row_was_measured_on_clean_text() -> None:
    assert [row.observed for row in SHIPPED if row.clean is None] == []
    assert {row.source for row in SHIPPED} <= {"own", "units", "pages"}


def test_a_wording_that_is_common_in_clean_text_weighs_little() -> None:
    assert [row for row in SHIPPED if row.clean and row.clean > 20 and row.weight > 0.3 and not row.context] == []
    assert [row for row in SHIPPED if row.clean and row.clean > 100 and row.weight > 0.12 and not row.context] == []


def test_originals_are_short() -> None:
    assert [row for row in SHIPPED if len(row.original.split()) > 4] == []


@pytest.mark.parametrize(
    ("text", "observed", "original"),
    [
        ("Two wisdom businesses closed.", "wisdom businesses", "intelligence agencies"),
        ("Wisdom Business sources said so.", "Wisdom Business", "intelligence agency"),
        ("He resided there.", "resided", "lived"),
        ("Residing abroad is dear.", "Residing", "living"),
    ],
)
def test_rows_cover_their_inflections(tmp_path: Path, text: str, observed: str, original: str) -> None:
    known = lexicon(tmp_path, Row("wisdom business", "intelligence agency"), Row("reside", "live", "verb"))
    assert found(known, text) == [(observed, original)]


def test_function_rows_stand_as_they_are(tmp_path: Path) -> None:
    known = lexicon(tmp_path, Row("as a result of", "because", "function"))
    assert found(known, "It fell as a result of rain, as a results of rain.") == [("as a result of", "because")]


def test_names_want_a_capital(tmp_path: Path) -> None:
    known = lexicon(tmp_path, Row("Decide", "Judge", "name"))
    assert found(known, "Decide Smith will decide.") == [("Decide", "Judge")]


def test_numbers_are_compared_as_they_stand(tmp_path: Path) -> None:
    known = lexicon(tmp_path, Row("7 days", "week", "function"), Row("2nd half", "second half", "function"))
    assert found(known, "In 7 days or 12 days, the 2nd half, the 42nd half.") == [
        ("7 days", "week"), ("2nd half", "second half")
    ]  # fmt: skip


def test_a_wording_stays_on_its_line(tmp_path: Path) -> None:
    assert found(lexicon(tmp_path, Row("endmost week", "last week", "function")), "endmost\nweek") == []


def test_longer_and_shorter_rows_are_both_reported(tmp_path: Path) -> None:
    known = lexicon(tmp_path, Row("bosom", "breast"), Row("bosom peril", "breast cancer"))
    assert found(known, "of bosom peril") == [("bosom peril", "breast cancer"), ("bosom", "breast")]


@pytest.mark.parametrize(
    ("context", "text", "holds"),
    [
        (("+cash",), "The bank paid cash.", True),
        (("+cash",), "The bank was steep.", False),
        (("+cash",), "The bank was steep. He had cash.", False),  # near means in the same sentence
        (("+cash", "+loan"), "The bank gave a loan.", True),
        (("+surface_area",), "The bank has a Surface  Area of one acre.", True),
        (("-river",), "The bank of the River Wye.", False),
        (("-river",), "The bank of rivers.", True),
        (("+cash", "-river"), "The bank paid cash for the river.", False),
        (("-don't",), "The bank says: don’t.", False),
    ],
)
def test_context_conditions_hold(tmp_path: Path, context: tuple[str, ...], text: str, holds: bool) -> None:
    known = lexicon(tmp_path, Row("bank", "shore", context=context))
    assert found(known, text) == ([("bank", "shore")] if holds else [])


def test_conditions_of_one_row_leave_others_alone(tmp_path: Path) -> None:
    known = lexicon(tmp_path, Row("bank", "shore", context=("+river",)), Row("bank", "lender"))
    assert found(known, "The bank closed.") == [("bank", "lender")]


def test_ignore_rows_cover_their_words(tmp_path: Path) -> None:
    known = lexicon(
        tmp_path, Row("red tape", "red tape", "ignore"), Row("tape", "ribbon"), ignore=["Bosom Buddies", "7 days"]
    )
    text = Text("Red tape and tape for bosom buddies, 7 days, 8 days.")
    assert [text.words[i] for i, covered in enumerate(known.ignored_tokens(text)) if covered] == [
        "Red", "tape", "bosom", "buddies", "7", "days"
    ]  # fmt: skip
    assert lexicon(tmp_path).ignored_tokens(text) == [False] * len(text)


def test_keys_are_the_tokens_of_a_text() -> None:
    for row in SHIPPED[::50]:
        words = TOKEN.findall(row.observed)
        assert key_of(row.observed) == " ".join(w if w[0].isdigit() else fold(w) for w in words)


def test_all_forms_at_once_are_the_forms_one_by_one() -> None:
    for row in SHIPPED[::20]:
        if row.kind in KIND_TAGS:
            one_by_one = [inflect_phrase(row.observed, row.kind, tag) for tag in KIND_TAGS[row.kind]]
            assert list(phrase_forms(row.observed, row.kind)) == one_by_one
