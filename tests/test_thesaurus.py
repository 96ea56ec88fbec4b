"""Dictionary neighbours, in a thesaurus of seven words and in the shipped one."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from repair import Repairer
from repair.errors import ArtifactError
from repair.thesaurus import FAR, NEAR, PPDB, ROGET, SAME, Thesaurus

WORDS = ["car", "auto", "vehicle", "craft", "motor", "automobile club", "lonely"]


def build(folder: Path) -> Thesaurus:
    """car and auto share a synset; vehicle is one step up, craft two; PPDB and a head of Roget's know more."""

    def save(name: str, rows: list[list[int]]) -> None:
        np.save(folder / f"{name}.sizes.npy", np.array([*map(len, rows)], np.uint16))
        np.save(folder / f"{name}.npy", np.array([x for r in rows for x in r], np.uint32))

    (folder / "words.txt.gz").write_bytes(gzip.compress(("\n".join(WORDS) + "\n").encode()))
    save("word_synsets", [[0], [0], [1], [2], [], [], []])
    save("synset_words", [[0, 1], [2], [3]])
    save("synset_synsets", [[1], [0, 2], [1]])
    save("ppdb", [[4], [], [], [], [0], [], []])
    save("word_heads", [[0], [], [], [], [], [0], []])
    save("head_words", [[0, 5]])
    return Thesaurus(folder)


def test_every_kind_of_neighbour(tmp_path: Path) -> None:
    thesaurus = build(tmp_path)
    near = {"auto": SAME, "vehicle": NEAR, "craft": FAR, "motor": PPDB, "automobile club": ROGET}
    assert thesaurus.neighbours("car") == near
    assert thesaurus.neighbours("lonely") == thesaurus.neighbours("unheard of") == {}


def test_one_neighbour_by_several_ways(tmp_path: Path) -> None:
    build(tmp_path)
    np.save(tmp_path / "ppdb.npy", np.array([1, 0], np.uint32))
    assert Thesaurus(tmp_path).neighbours("car")["auto"] == SAME | PPDB


@pytest.mark.parametrize(
    ("file", "damaged"),
    [
        ("ppdb.npy", b"no array"),
        ("words.txt.gz", b"no archive"),
        ("words.txt.gz", gzip.compress(b"car")[:-9]),
        ("words.txt.gz", gzip.compress(b"car" * 99)[:12] + b"\xff" * 20),
    ],
)
def test_a_damaged_thesaurus_says_what_to_do(tmp_path: Path, file: str, damaged: bytes) -> None:
    build(tmp_path)
    (tmp_path / file).write_bytes(damaged)
    with pytest.raises(ArtifactError, match="install mt-repair again"):
        Thesaurus(tmp_path)


@pytest.mark.parametrize(
    ("observed", "original"),
    [("say", "state"), ("reside", "live"), ("hearth", "fire"), ("stick", "pin"), ("board", "sheet")],
)
def test_the_shipped_one_reaches_wrong_senses(repairer: Repairer, observed: str, original: str) -> None:
    assert original in repairer._pipeline.judge.proposer.thesaurus.neighbours(observed)


def test_neighbours_are_never_the_word_itself(repairer: Repairer) -> None:
    thesaurus = repairer._pipeline.judge.proposer.thesaurus
    for word in thesaurus.words[::500]:
        assert word not in thesaurus.neighbours(word)
