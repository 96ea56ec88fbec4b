"""Learning: what `repair learn` proposes from pairs, what lessons make of a lexicon, and how they are taken back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Command, run

from repair import rows
from repair.errors import InputError, LexiconError
from repair.learning import Learning
from repair.lexicon import inflected
from repair.lexicon_commands import silence
from repair.proposals import Proposer
from repair.rows import Row
from training.articles import folder, source

PAIRS = list(folder(ROOT / "tests/cases/learn"))  # the alignment was tuned on the first five alone


@pytest.fixture(scope="module")
def proposer() -> Proposer:
    return Proposer()


@pytest.mark.parametrize("part", [slice(0, 5), slice(5, 10)], ids=["tuned", "held back"])
def test_the_swaps_of_our_own_pairs_are_proposed(part: slice) -> None:
    """A swap counts where its row, inflected as the lexicon does it, gives both wordings of the text."""
    wanted = found = proposed = right = 0
    for gold in PAIRS[part]:
        proposer = Proposer()
        proposer.add(gold["id"], gold["text"], source(gold))
        true = {(u["observed"].lower(), u["originals"][0].lower()): u["optional"] for u in gold["units"]}
        held = set()
        for proposal in proposer.proposals():
            row = Row(proposal.observed, proposal.original, proposal.kind)
            forms = {(e.observed.lower(), e.original.lower()) for e in inflected(row)} & set(true)
            proposed, right = proposed + 1, right + bool(forms)
            held |= forms
        required = {pair for pair, optional in true.items() if not optional}
        wanted, found = wanted + len(required), found + len(required & held)
    assert wanted > 300
    assert found / wanted >= 0.9
    assert 1 - right / proposed <= 0.05


@pytest.mark.parametrize(
    ("spun", "original", "row"),
    [
        ("He resided", "He lived", ("reside", "live", "verb")),
        ("two wisdom businesses", "two intelligence agencies", ("wisdom business", "intelligence agency", "noun")),
        ("as a result of rain", "because rain", ("as a result of", "because", "function")),
        ("an afternoon of rain", "a day of rain", ("afternoon", "day", "noun")),
        ("in america then", "in United States then", ("america", "United States", "function")),
    ],
)
def test_rows_are_short_and_in_base_form(
    proposer: Proposer, spun: str, original: str, row: tuple[str, str, str]
) -> None:
    around = "The quiet harbour town slept {} while grey gulls circled over empty boats."
    proposer.found.clear()
    proposer.add("x", around.format(spun), around.format(original))
    got = {(p.observed, p.original, p.kind) for p in proposer.proposals()}
    assert row in got or (row[0] == "wisdom business" and len(got) == 2)


def test_texts_that_are_no_pair_are_refused(proposer: Proposer) -> None:
    with pytest.raises(InputError, match="check the pairing"):
        proposer.add("x", PAIRS[0]["text"], source(PAIRS[1]))


def test_agreement_is_no_swap(proposer: Proposer) -> None:
    proposer.found.clear()
    proposer.add("x", "An old grey harbor needs walls, it don't", "A old grey harbour needed wall, it do not")
    assert list(proposer.proposals()) == []


def test_decisions_move_the_weight_and_are_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "own.tsv"
    rows.write(path, [Row("my own", "row", weight=0.4, source="user")])
    learning = Learning(path)
    weights = []
    for accepted in (True, True, False, False, False):
        learning.learn("Bosoms", "breasts", accepted)
        weights.append(next(row.weight for row in rows.read(path) if row.observed == "bosom"))
    assert weights[0] < weights[1] > weights[2] > weights[3] > weights[4]
    assert rows.problems(path) == []
    again = Learning(path)  # another process
    swap = again.known()["bosom", "breast"]
    assert (swap.accepted, swap.rejected) == (2, 3)
    assert [s.rejected for s in again.undo()] == [1]
    assert again.known()["bosom", "breast"].rejected == 2
    assert again.forget("bosom")
    assert again.known() == {}
    assert rows.read(path) == [Row("my own", "row", weight=0.4, source="user")]


def test_a_rejection_alone_makes_no_row_and_equal_wordings_are_ignored(tmp_path: Path) -> None:
    learning = Learning(tmp_path / "own.tsv")
    learning.learn("bosom", "breast", False)
    assert learning.rows() == []
    learning.learn("herbal tea", "herbal tea", True)
    assert [(row.observed, row.kind) for row in learning.rows()] == [("herbal tea", "ignore")]


def test_swaps_that_map_back_make_no_loop(tmp_path: Path) -> None:
    learning = Learning(tmp_path / "own.tsv")
    learning.learn("bosom", "breast", True)
    learning.learn("breast", "bosom", True)
    assert len(learning.rows()) == 2 and rows.problems(learning.lexicon) == []


def test_wordings_that_no_row_can_hold_teach_nothing(tmp_path: Path) -> None:
    learning = Learning(tmp_path / "own.tsv")
    for bad in ("a\x1b[31m", "a\u202e", "\ud800", " "):
        assert learning.learn(bad, "b", True) is None
    assert not learning.journal.exists()


def test_a_journal_that_a_kill_broke_off_loses_only_that_line(tmp_path: Path) -> None:
    path = tmp_path / "own.tsv"
    Learning(path).learn("bosom", "breast", True)
    journal = Learning(path).journal
    with journal.open("ab") as file:
        file.write(b'{"at": "20')
    Learning(path).learn("peril", "cancer", True)
    assert {row.observed for row in Learning(path).rows()} == {"bosom", "peril"}
    journal.write_bytes(b"nonsense\n" + journal.read_bytes())
    with pytest.raises(LexiconError, match=r"own\.learned\.jsonl:1"):
        Learning(path).known()


def test_the_command_writes_only_when_told(command: Command, tmp_path: Path) -> None:
    lines = [{"spun": g["text"], "original": source(g), "id": g["id"]} for g in PAIRS[:2]]
    lines.append({"spun": PAIRS[0]["text"], "original": source(PAIRS[3]), "id": "wrong"})
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, lines)))
    own = ("--file", "own.tsv")
    result = command("learn", "pairs.jsonl", *own)
    assert result.returncode == 3 and not (tmp_path / "own.tsv").exists()
    assert (
        b"wrong" in result.stderr
        and b"2 pairs, 1 rejected" in result.stderr
        and b"nothing was written" in result.stderr
    )
    assert command("learn", "pairs.jsonl", "--yes", *own).returncode == 3
    assert command("lexicon", "check", "own.tsv").returncode == 0
    shown = command("lexicon", "show", "--learned", *own)
    assert "bosom → breast".encode() in shown.stdout
    assert command("lexicon", "undo", *own).returncode == 0
    assert rows.read(tmp_path / "own.tsv") == []
    assert command("lexicon", "undo", *own).returncode == 2


def test_folders_are_paired_by_name(command: Command, tmp_path: Path) -> None:
    for name, gold in (("a", PAIRS[0]), ("b", PAIRS[1])):
        for side, ending, text in (("spun", "txt", gold["text"]), ("src", "md", source(gold))):
            (tmp_path / side).mkdir(exist_ok=True)
            (tmp_path / side / f"{name}.{ending}").write_text(text, encoding="utf-8")
    (tmp_path / "src" / "c.txt").write_text("alone")
    result = command("learn", "spun", "src", "--format", "tsv")
    assert result.returncode == 3 and b"c.txt: nothing in spun has this name" in result.stderr
    (tmp_path / "made.tsv").write_bytes(result.stdout)
    assert command("lexicon", "check", "made.tsv").returncode == 0
    assert len(rows.read(tmp_path / "made.tsv")) > 100


def test_what_a_review_ignores_is_shown_and_taken_back(tmp_path: Path) -> None:
    """It is no lesson with counts, but nothing is learned silently."""
    file = tmp_path / "lexicon.tsv"
    rows.write(file, [Row("my own", "my own", "ignore", 1.0, (), "", "user")])
    silence("Once more", True, file)
    shown = run("lexicon", "show", "--learned", "--file", file)
    assert "Once more (ignored)" in shown.stdout and "my own" not in shown.stdout
    assert run("lexicon", "undo", "once more", "--file", file).exit_code == 0
    assert [row.observed for row in rows.read(file)] == ["my own"], "what the user wrote is the user's"
    assert run("lexicon", "undo", "once more", "--file", file).exit_code != 0


def test_learning_loads_no_model(environment: dict[str, str]) -> None:
    """LemmInflect would import spaCy where that is installed, and spaCy torch: seconds that learning has no need of."""
    code = """
import sys
from repair.proposals import Proposer
Proposer().add("name", "The boats sailed for the most effective port.", "The ships sailed for the only port.")
assert not {"torch", "spacy"} & sys.modules.keys(), "too much"
from lemminflect import getAllLemmas
assert getAllLemmas("ships")["NOUN"] == ("ship",)
"""
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
