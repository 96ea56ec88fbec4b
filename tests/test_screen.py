"""The screen: hashes and counts of words, tells and their windows, and what the shipped screen lets through."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from repair import Repairer
from repair.errors import ArtifactError
from repair.screen import CHUNK, NEVER, Screen, Words, chunks
from repair.segment import Text

ARTICLES = Path(__file__).parent / "articles"
SHIPPED = Path(os.environ.get("MT_REPAIR_ARTIFACTS") or Path(__file__).parent.parent / "repair/artifacts") / "screen"
LIGHT = ("04-library-boat", "05-moon-dust")  # five swaps in 330 words: what no count of wordings can tell
FILLER = "the ferry left the quay at noon and came back before dark with mail and coal for the island "


def hashes(text: str) -> list[int]:
    return [int(h) for raw in chunks(text) for h in Words(raw).hashes]


def made(folder: Path, *tells: str, factors: tuple[float, ...] = (-8.0, 1.0, 1.0, 0.0)) -> Screen:
    """A screen that knows ``tells``, each of weight 4."""
    found = []
    for tell in tells:
        words = Words(tell.encode())
        found.append(int([h for h, _ in words.grams()][len(words.hashes) - 1][0]))
    weights = np.full(len(found), 64, np.uint8)
    np.savez(folder / "screen.npz", tells=np.array(sorted(found), np.uint32), weights=weights, factors=factors)
    return Screen(folder)


def test_a_word_has_the_same_hash_wherever_it_stands() -> None:
    text = "State media, STATE (media)\nstate"
    a, b, c, d, e = hashes(text)
    assert a == c == e and b == d and a != b
    assert hashes("x" * 90_000 + " state")[-1] == a
    assert len(set(hashes("one two three own tow now won eno net ten"))) == 10


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "word",
        "He doesn't know. It’s Russia's, not the boys' one.",
        "In the U.S. and the U.K., e.g. J.R.R. Tolkien’s books, at 5 p.m.",
        "7pc of COVID-19 cases — “really”, she said… £5 · café naïve",
        "rock'n'roll (1990s) a_b\tc\r\nd",
    ],
)
def test_words_are_counted_as_tokens_are(text: str) -> None:
    assert sum(Words(raw).count for raw in chunks(text)) == sum(Text(text).is_word)


def test_words_of_whole_articles_are_counted_as_tokens_are() -> None:
    for file in ARTICLES.glob("*/*.txt"):
        text = file.read_text(encoding="utf-8")
        counted, tokens = sum(Words(raw).count for raw in chunks(text)), sum(Text(text).is_word)
        assert abs(counted - tokens) <= 0.005 * tokens, file.name


def test_long_texts_are_cut_between_words() -> None:
    text = "liberty " * (CHUNK // 3)
    assert max(len(raw) for raw in chunks(text)) <= CHUNK
    assert len(set(hashes(text))) == 1
    assert sum(len(raw) for raw in chunks("x" * (3 * CHUNK))) == 3 * CHUNK


def test_tells_are_whole_words_with_single_signs_between(tmp_path: Path) -> None:
    screen = made(tmp_path, "environment media", "bosom peril")
    for text, found in [
        ("the Environment  media", 0),
        ("the ENVIRONMENT media said", 1),
        ("environment-media", 1),
        ("environment mediator", 0),
        ("reenvironment media", 0),
        ("environment. Media", 0),
        ("bosom peril and environment media", 2),
    ]:
        assert len(screen.found(Words(text.encode()))[0]) == found, text


def test_one_damaged_paragraph_in_a_long_clean_article_is_doubtful(tmp_path: Path) -> None:
    tells = ["environment media", "bosom peril", "endmost", "herbal assets", "lend a hand"]
    screen = made(tmp_path, *tells)
    assert not screen.doubtful(FILLER * 100)
    assert not screen.doubtful(FILLER * 50 + "endmost " + FILLER * 50)
    assert not screen.doubtful(FILLER * 50 + "endmost " * 50 + FILLER * 50), "a habit of one word is one tell"
    assert screen.doubtful(FILLER * 50 + ", ".join(tells) + " " + FILLER * 50)
    assert screen.score("endmost herbal assets") == NEVER, "too short to tell"


def test_the_users_own_wordings_are_always_looked_at(tmp_path: Path) -> None:
    made(tmp_path, "endmost")
    assert not Screen(tmp_path).doubtful(FILLER)
    assert Screen(tmp_path, ["Left the QUAY"]).doubtful(FILLER)


def test_a_damaged_screen_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "screen.npz").write_bytes(b"PK\x03\x04 no zip")
    with pytest.raises(ArtifactError, match="install"):
        Screen(tmp_path)


def test_spun_articles_are_doubtful_and_odd_texts_are_not() -> None:
    screen = Screen(SHIPPED)
    spun = {f.stem: f.read_text(encoding="utf-8") for f in sorted((ARTICLES / "spun").glob("*.txt"))}
    missed = [name for name, text in spun.items() if name not in LIGHT and not screen.doubtful(_observed(text))]
    assert not missed
    for text in (
        "",
        "\n",
        "\x00",
        "…",
        "Elle a dit que la mer était calme. " * 20,
        "для него это было важно " * 20,
        "x = [1]\n" * 200,
    ):
        assert not screen.doubtful(text), text


def test_the_screen_can_be_switched_off() -> None:
    clean = "The ferry left the quay at noon.\n"
    assert Repairer().check(clean).verdict.probability < 0.01
    assert Repairer(screen=False)._pipeline.screen is None


def _observed(marked: str) -> str:
    """The text of an annotated article, without its markup."""
    from training.articles import parse

    return str(parse(marked, "")["text"])
