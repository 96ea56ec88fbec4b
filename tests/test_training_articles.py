"""The annotated articles of our own: markup, and units as the swaps within them."""

from __future__ import annotations

from pathlib import Path

import pytest

from training import articles
from training.articles import cores, parse, restored

CORES = {
    "article mended": ("an envelope", ["a folder"], [("envelope", ["folder"])]),
    "shared half": ("back-weight", ["back-pressure"], [("weight", ["pressure"])]),
    "swap by swap": (
        "nature of management",
        ["quality of service"],
        [("nature", ["quality"]), ("management", ["service"])],
    ),
    "other shape left out": ("due to", ["according to", "as per"], [("due", ["according"])]),
    "shared end": ("take a peek at", ["look at"], [("take a peek", ["look"])]),
    "nothing left of the original": ("gross sales", ["sales"], [("gross sales", ["sales"])]),
    "one word": ("environment", ["state", "public"], [("environment", ["state", "public"])]),
}


@pytest.mark.parametrize(("observed", "originals", "wanted"), CORES.values(), ids=CORES)
def test_a_unit_is_cut_into_its_swaps(observed: str, originals: list[str], wanted: list[tuple[str, list[str]]]) -> None:
    unit = {"start": 7, "end": 7 + len(observed), "observed": observed, "originals": originals, "optional": False}
    found = cores(unit)
    assert [(c["observed"], c["originals"]) for c in found] == wanted
    assert all(observed[c["start"] - 7 : c["end"] - 7] == c["observed"] for c in found)


def test_a_stretch_of_several_units_may_read_as_any_of_their_originals() -> None:
    gold = parse("He sent {{an||a}} {{electronic mail||email||e-mail}} home.", "x")
    pattern = restored(gold["text"], 8, 26, gold["units"])
    assert pattern.fullmatch("a email")
    assert pattern.fullmatch("a e-mail")
    assert not pattern.fullmatch("a letter")


def test_markup_left_over_is_an_error() -> None:
    with pytest.raises(ValueError, match="unbalanced"):
        parse("He sent {{an||a email home.", "x")


def test_articles_are_packed_and_come_back_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marked = {"spun/zz-ice": "#: style pivot\nThe {{gelid||ice}} “melts”.\n", "clean/zz-tea": "Tea is warm.\n"}
    monkeypatch.setattr(articles, "OWN", tmp_path / "articles.tar.xz")
    monkeypatch.setattr(articles, "packed", articles.packed.__wrapped__)  # not what the real archive holds
    articles.pack(marked)
    first = articles.OWN.read_bytes()
    assert articles.packed() == marked
    assert [g["id"] for g in articles.own("spun")] == ["spun/zz-ice"]
    articles.pack(dict(reversed(marked.items())))
    assert articles.OWN.read_bytes() == first
