"""What machines are known to write: swaps met in annotated articles, by number of writers."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from repair.candidates import HABITS, SOURCES, Proposer
from repair.columns import PAIR
from repair.errors import ArtifactError, UsageError
from repair.evidence import Judge
from repair.habits import Habits, read, write
from repair.lexicon import Lexicon
from repair.ngrams import NgramStore
from repair.pipeline import artifacts
from repair.repairer import Repairer
from repair.segment import Text
from repair.thesaurus import Thesaurus
from training.articles import parse
from training.habits import by_writer, swaps, writer

SWAPS = {
    ("shore", "bank", "noun"): 3,
    ("shore", "coast", "noun"): 1,
    ("in step with", "according to", "function"): 2,
    ("Herbal Assets", "Natural Resources", "name"): 1,
}


@pytest.fixture
def habits(tmp_path: Path) -> Habits:
    path = tmp_path / "habits.tsv.gz"
    write(path, SWAPS)
    return Habits.read(path)


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    write(tmp_path / "habits.tsv.gz", SWAPS)
    found = read(tmp_path / "habits.tsv.gz")
    assert {(row.observed, row.original, row.kind): int(row.note) for row in found} == SWAPS


def places(habits: Habits, sentence: str) -> dict[str, set[str]]:
    text = Text(sentence)
    found: dict[str, set[str]] = {}
    for match in habits.matches(text):
        there = sentence[text.starts[match.first] : text.ends[match.last - 1]]
        found[there] = {entry.original for entry in match.entries}
    return found


def test_a_swap_is_known_in_every_inflection(habits: Habits) -> None:
    assert habits.of("shore") == {"bank": 3, "coast": 1}
    assert habits.of("shores") == {"banks": 3, "coasts": 1}
    assert habits.of("in step with") == {"according to": 2}
    assert habits.of("bank") == {}


def test_what_is_known_is_found_in_a_text(habits: Habits) -> None:
    found = places(habits, "In step with the Herbal Assets office, both shores lent money.")
    assert found == {
        "In step with": {"according to"}, "Herbal Assets": {"Natural Resources"}, "shores": {"banks", "coasts"},
    }  # fmt: skip


def test_a_writer_is_judged_without_what_he_alone_wrote(habits: Habits) -> None:
    new = habits.less({("shore", "bank", "noun"), ("shore", "coast", "noun"), ("in step with", "according to", "verb")})
    assert new.of("shores") == {"banks": 2}
    assert new.of("in step with") == {"according to": 2}
    assert places(new, "Both shores lent money.") == {"shores": {"banks"}}
    assert habits.of("shores") == {"banks": 3, "coasts": 1}, "the habits themselves stay as they are"


def test_the_number_of_writers_is_evidence(habits: Habits) -> None:
    store, thesaurus = NgramStore(artifacts() / "ngrams"), Thesaurus(artifacts() / "thesaurus")
    text = Text("Both shores lent money.")
    for without, expected in (((), {"banks": 3.0, "coasts": 1.0}), (("habits",), {}), (("lexicon",), {})):
        found = Judge(store, Proposer(Lexicon([]), thesaurus, store, without, habits), None).evidence(text, None)
        column = found.pair[:, PAIR.index("met")].tolist()
        met = {text: n for text, n in zip(found.texts, column, strict=True) if n}
        listed = {t for t, bits in zip(found.texts, found.bits, strict=True) if bits & HABITS}
        assert met == {w: pytest.approx(math.log1p(n), abs=1e-3) for w, n in expected.items()}
        assert listed == set(expected)


def test_shipped_habits_hold_what_several_writers_wrote() -> None:
    habits = Habits.read(artifacts() / "habits.tsv.gz")
    assert habits.of("extra")["more"] > 5 > habits.of("extra").get("fewer", 0)


def test_damaged_habits_say_so(tmp_path: Path) -> None:
    path = tmp_path / "habits.tsv.gz"
    path.write_bytes((artifacts() / "habits.tsv.gz").read_bytes()[:1000])
    with pytest.raises(ArtifactError, match="install mt-repair again"):
        Habits.read(path)


def test_a_source_can_be_switched_off() -> None:
    with pytest.raises(UsageError, match=r"unknown source 'habit'.*habits"):
        Repairer(without=["habit"]).check("Both shores lent money.")


def test_swaps_of_an_article_are_counted_in_base_form() -> None:
    gold = parse(
        "Both {{shores||banks||lenders}} {{lifted outside||carried out}} {{?often||frequently}} the {{1||2}} "
        "{{Herbal Assets||Natural Resources}} plan; {{an eyebrow||a eyebrow}}.",
        "spun/zz-two-banks",
    )
    assert swaps(gold) == {
        ("shore", "bank", "noun"), ("shore", "bank", "verb"), ("Herbal Assets", "Natural Resources", "name"),
        ("herbal", "natural", "adjective"), ("herbal", "natural", "noun"), ("asset", "resource", "noun"),
        ("lifted outside", "carried out", "function"), ("lift", "carry", "verb"), ("outside", "out", "function"),
    }  # fmt: skip
    assert writer(gold) == "zz"
    assert by_writer([gold, {**gold, "id": "spun/14-letter"}]) == {"zz": swaps(gold), "": swaps(gold)}


def test_stretches_of_which_no_candidate_fits_are_no_trouble(repairer: Repairer) -> None:
    assert repairer.fix("an store").text == "an store"
    store = repairer._pipeline.store
    nothing = Proposer(Lexicon([]), Thesaurus(artifacts() / "thesaurus"), store, set(SOURCES) - {"ngrams"})
    assert Judge(store, nothing, None).evidence(Text("an store"), None).pair.shape == (0, len(PAIR))
