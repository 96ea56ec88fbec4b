"""Tables of swaps: how they are read, and what goes into training and habits."""

from __future__ import annotations

import pytest

from training.corpora import SHARED
from training.habits import by_table
from training.swaps import as_rows, expected_phrases, held_back, listed, phrase_held_back
from training.tables import parsed, tables


def test_a_line_is_read_in_order_without_repeats_or_the_original_itself() -> None:
    assert list(parsed("state: nation; country ; nation; State; 5; a")) == [
        ("nation", "state", 0),
        ("country", "state", 1),
    ]
    assert not list(parsed("a line without swaps"))


def test_tables_hold_many_swaps_of_several_writers() -> None:
    found = tables()
    assert len(found) > 20
    assert sum(map(len, found.values())) > 100_000


@pytest.mark.parametrize(
    ("observed", "original", "expected"),
    [
        ("condition", "state", ["noun", "verb"]),
        ("pass away", "die", ["verb"]),
        ("nation media", "state media", ["noun"]),
        ("in step with", "according to", ["function"]),
    ],
)
def test_a_swap_in_base_form_is_of_the_kinds_that_both_sides_can_be(
    observed: str, original: str, expected: list[str]
) -> None:
    assert [kind for _, _, kind in as_rows(observed, original)] == expected


@pytest.mark.skipif(not SHARED.exists(), reason="the project's shared folder is not here")
def test_what_is_held_back_reaches_neither_training_nor_habits() -> None:
    def back(observed: str, original: str) -> bool:
        a, b = observed.lower(), original.lower()
        return held_back(a, b) or (b in expected_phrases() and phrase_held_back(b))

    parts = [[(a, b) for swaps in listed(held).values() for a, b, _ in swaps] for held in (False, True)]
    assert not any(back(a, b) for a, b in parts[0])
    assert all(back(a, b) for a, b in parts[1])
    assert 0.08 < len(parts[1]) / (len(parts[0]) + len(parts[1])) < 0.14
    assert not any(held_back(a.lower(), b.lower()) for used in by_table().values() for a, b, _ in used)
