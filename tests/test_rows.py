"""Lexicon files: what is refused and how it says so; the Screener's queries."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repair.errors import InputError, LexiconError
from repair.rows import HEADER, KINDS, Row, format, parse, problems, read, shipped, write
from repair.screener import query_terms, rows
from repair.screener import read as read_export

words = st.text(alphabet="abcÉß'-", min_size=1, max_size=6)
phrases = st.lists(words, min_size=1, max_size=3).map(" ".join)
swaps = st.builds(
    Row,
    observed=phrases,
    original=phrases.map(lambda phrase: f"{phrase} x"),
    kind=st.sampled_from([kind for kind in KINDS if kind != "ignore"]),
    weight=st.integers(0, 100).map(lambda n: n / 100),
    context=st.lists(st.sampled_from(["+kim", "-green", "+state_media"]), max_size=2).map(tuple),
    note=phrases,
    source=st.just("news"),
    clean=st.none() | st.integers(0, 999).map(lambda n: n / 10),
)


def line(*cells: str) -> str:
    return "\t".join([*cells, *["", "noun", "0.9", "", "", "", ""][len(cells) - 1 :]])


def file(path: Path, *lines: str) -> Path:
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return path


@given(swaps)
def test_a_row_and_its_line_are_the_same(row: Row) -> None:
    assert parse(format(row)) == row


@given(st.lists(swaps, max_size=8))
def test_written_files_are_sorted_and_come_back(tmp_path_factory: pytest.TempPathFactory, held: list[Row]) -> None:
    path = tmp_path_factory.mktemp("rows") / "a.tsv"
    write(path, held)
    assert read(path) == sorted(held, key=lambda row: row.order)
    assert not [problem for problem in problems(path) if "stands after" in problem.message]


def test_context_terms() -> None:
    row = parse(line("environment media", "state media", "noun", "0.9", "+State_media -green"))
    assert (row.wanted, row.unwanted) == (("state media",), ("green",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tb", "2 columns instead of 8; separate observed, original, "),
        (line("a", "b") + "\t", "9 columns"),
        (line("", "b"), "observed is ''"),
        (line("a  b", "c"), "single blanks"),
        (line(" a", "c"), "single blanks"),
        (line("a", "b", "thing"), "unknown kind 'thing'; it is one of noun, "),
        (line("a", "b", "noun", "1.5"), "from 0 to 1"),
        (line("a", "b", "noun", "nan"), "from 0 to 1"),
        (line("a", "b", "noun", "high"), "from 0 to 1"),
        (line("a", "b", "noun", "0.9", "kim"), "write +word or -word"),
        (line("a", "b", "noun", "0.9", "+"), "write +word or -word"),
        (line("a", "a"), "make it an ignore row"),
        (line("a", "b", "ignore"), "write the same in observed and original"),
        (line("a\x07", "b"), r"control character '\x07'"),
        (line("a", "b\u202e"), "control character"),
        (line("a", "b", "noun", "0.9", "", "", "", "-1"), "per million"),
    ],
)
def test_broken_rows_say_line_and_cure(tmp_path: Path, text: str, message: str) -> None:
    path = file(tmp_path / "a.tsv", line("A", "fine"), text)
    found = problems(path)
    assert [problem.line for problem in found] == [3]
    assert message in found[0].message and str(found[0]).startswith(f"{path}:3: ")
    with pytest.raises(LexiconError, match=":3: "):
        read(path)


def test_duplicates_loops_and_order_across_files(tmp_path: Path) -> None:
    one = file(tmp_path / "1.tsv", line("a", "b"), line("c", "d"), line("e", "f", "noun", "0.2"))
    two = file(
        tmp_path / "2.tsv", line("d", "C"), line("c", "d"), line("f", "e"), line("g", "h"), line("g", "h", "verb")
    )
    found = problems([one, two])
    assert [(problem.line, problem.message.split(";")[0]) for problem in found] == [
        (2, f"a loop: {one}:3 maps 'C' back"),
        (3, "'c' stands after 'd'"),
        (3, f"'c' to 'd' as noun is at {one}:3 already"),
        (3, f"a loop: {two}:2 maps 'd' back"),
    ]


def test_a_phrase_may_be_left_alone(tmp_path: Path) -> None:
    path = file(tmp_path / "a.tsv", line("red tape", "red tape", "ignore", "1"))
    assert problems(path) == []
    assert "at" in problems([path, path])[0].message


def test_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes(f"{HEADER}\r\n{line('a', 'b')}\r\n".encode())
    assert problems(path) == [] and read(path)[0].original == "b"


@pytest.mark.parametrize("content", [b"", b"observed\toriginal\n", HEADER.encode() + b"\n\xff\n"])
def test_files_that_are_no_lexicon(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes(content)
    assert len(problems(path)) == 1
    with pytest.raises(LexiconError):
        read(path)


def test_a_missing_lexicon(tmp_path: Path) -> None:
    assert "can't be read" in problems(tmp_path / "none.tsv")[0].message


def test_shipped_lexicons_are_valid() -> None:
    assert problems(shipped()) == []


@pytest.mark.parametrize(
    ("query", "flagged", "context", "near"),
    [
        ('"surface region" AND "surface area"', ("surface region",), ("+surface_area",), False),
        ('"chime labs" NOT "CHIMe labs Stanford"~5', ("chime labs",), ("-CHIMe_labs_Stanford",), False),
        ('"a b" AND ("c d" OR "e")', ("a b",), ("+c_d", "+e"), False),
        ('"a b" AND NOT ("c" OR "d")', ("a b",), ("-c", "-d"), False),
        ('("a b" OR "a bs") AND SVM', ("a b", "a bs"), ("+SVM",), False),
        ('"a b"~3', ("a b",), (), True),
        ("counterfeit consciousness", ("counterfeit consciousness",), (), False),
        ("big business AND business intelligence", ("big business",), ("+business_intelligence",), False),
        ("“a b” AND “c”", ("a b",), ("+c",), False),
        ('"unclosed', ("unclosed",), (), False),
        ("", (), (), False),
    ],
)
def test_queries(query: str, flagged: tuple[str, ...], context: tuple[str, ...], near: bool) -> None:
    assert query_terms(query) == (flagged, context, near)


def test_records_without_an_original_are_left_out() -> None:
    assert [list(rows('"a b"', expected, "1")) for expected in ("???", "", "(found in 10.1155)", "A B")] == [
        [],
        [],
        [],
        [],
    ]
    (row,) = rows('"a b"', "c d", "31,202")
    assert row == Row("a b", "c d", "noun", 0.9, (), "31202 papers", "problematic-paper-screener")


@given(st.text(max_size=40), st.text(max_size=20), st.text(max_size=8))
def test_whatever_a_record_holds_its_rows_are_valid_or_can_be_refused(query: str, expected: str, papers: str) -> None:
    for row in rows(query, expected, papers):
        assert "\t" not in row.observed and "\n" not in row.original
        assert format(row).count("\t") == 7


def test_an_export_without_its_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="no column tortured_phrase"):
        list(read_export(tmp_path / "a.csv"))
