"""The screen: hashes and counts of words, tells and their windows, misfits, what the shipped screen lets through."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from repair import Repairer
from repair.errors import ArtifactError
from repair.hashed import CHUNK, Words, chunks
from repair.misfits import COLUMNS, FEATURES, LEAST, Misfits, fingerprint
from repair.ngrams import COUNT_BASE, NgramStore, hash_ngrams
from repair.screen import NEVER, Screen
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


def seen_only_as(folder: Path, *pairs: str) -> NgramStore:
    """A store that knows the words of these pairs and of FILLER, and has seen the pairs a thousand times."""
    words = ["\0", "\n", ",", "environment", *dict.fromkeys(" ".join([*pairs, FILLER]).split())]
    numbers = {w: i for i, w in enumerate(words)}
    grams = [[np.array([numbers[w]]) for w in pair.split()] for pair in pairs]
    hashes = np.sort(np.array([hash_ngrams(g)[0] for g in grams], np.uint64))
    slots = ((hashes & np.uint64(0xFFF)) << np.uint64(4)).astype(np.uint16) | np.uint16(9)
    bucket = (hashes >> np.uint64(63)).astype(np.int64)
    by = np.lexsort((slots, bucket))
    np.save(folder / "sizes.npy", np.bincount(bucket, minlength=2).astype(np.uint8))
    np.save(folder / "slots.npy", slots[by])
    np.save(folder / "levels.npy", (2 * COUNT_BASE ** (np.arange(16) + 0.5)).astype(np.float32))
    np.save(folder / "unigrams.npy", np.full(len(words), 5000, np.uint32))
    (folder / "words.txt.gz").write_bytes(gzip.compress(" ".join(words).encode()))
    (folder / "names.txt").write_text("", encoding="utf-8")
    return NgramStore(folder)


def stump(column: int, threshold: float, below: float = -1.0, above: float = 3.0) -> dict[str, object]:
    """One tree: log odds ``below`` and ``above`` a threshold, as training.combination.packed writes it."""
    return {
        "odds_feature": np.array([column, 0, 0]),
        "odds_threshold": np.array([threshold, np.inf, np.inf]),
        "odds_children": np.array([[1, 2], [1, 1], [2, 2]]),
        "odds_value": np.array([0.0, below, above]),
        "odds_roots": np.array([0]),
        "odds_depth": np.array(1),
        "odds_bias": np.array(0.0),
    }


def second(folder: Path, ngrams: NgramStore, originals: dict[str, list[str]], **arrays: object) -> Misfits:
    """A second look that knows which words stand for which, and takes words with a high gain for replaced."""
    observed = sorted(originals, key=ngrams.ids.__getitem__)
    given: dict[str, object] = {
        "observed": np.array([ngrams.ids[w] for w in observed], np.uint32),
        "counts": np.array([len(originals[w]) for w in observed], np.uint8),
        "originals": np.array([ngrams.ids[o] for w in observed for o in originals[w]], np.uint16),
        "ways": np.zeros(sum(map(len, originals.values())), np.uint8),
        "prior": np.full(len(observed), 16, np.int8),
        "quiet": 0.0,
        **stump(6, 3.0),
        "factors": np.array([-1.0, 0, 0, 0, *[1.0] * FEATURES]),
        "store": fingerprint(ngrams),
    }
    np.savez(folder / "misfits.npz", **{**given, **arrays})  # type: ignore[arg-type]
    return Misfits(folder, ngrams)


def gains(misfits: Misfits, text: str, tells: float = 1.0) -> dict[str, float]:
    """How much better another word would fit, for each word that is asked about: those that are tells always are."""
    (raw,) = chunks(text)
    words = Words(raw)
    at, rows, quiet = misfits.rows(raw, words, np.full(len(words.hashes), tells, np.float32))
    assert not set(at) & set(quiet)
    assert rows.shape == (len(at), len(COLUMNS))
    names = [raw[a:z].decode() for a, z in zip(words.starts[at], words.ends[at], strict=True)]
    return dict(zip(names, rows[:, COLUMNS.index("gain")].tolist(), strict=True))


def test_a_word_misfits_where_a_neighbour_of_it_would_fit(tmp_path: Path) -> None:
    store = seen_only_as(tmp_path, "the state", "state media", "media said", "said ,")
    misfits = second(tmp_path, store, {"environment": ["noon", "state"], "quay": ["noon"], "state": ["environment"]})
    fits = gains(misfits, "the state media said,")
    assert fits["state"] < 0 and fits["media"] == LEAST, "media stands for nothing"
    assert "media" not in gains(misfits, "the state media said,", tells=0), "a matter of course"
    assert gains(misfits, "the island media")["island"] == LEAST, "odd, but it stands for nothing"
    odd = gains(misfits, "the environment media said,", tells=0)
    assert odd["environment"] > 3
    assert abs(gains(misfits, "the quay media said")["quay"]) < 0.1, "the other is no better"
    assert gains(misfits, "The environment media said,")["environment"] == odd["environment"]
    assert not {"environment", "Environment"} & set(gains(misfits, "the Environment media")), "a name"
    assert not {"environment", "Environment"} & set(gains(misfits, "the environment's media")), "half a word"
    assert "zyx" not in gains(misfits, "the zyx media"), "a word nobody knows"
    assert gains(misfits, "") == {}


def test_the_second_look_decides_what_the_first_doubts(tmp_path: Path) -> None:
    folder = tmp_path / "screen"
    folder.mkdir()
    (tmp_path / "ngrams").mkdir()
    made(folder, "endmost", factors=(-0.1, 1.0, 1.0, 0.0))
    store = seen_only_as(tmp_path / "ngrams", "the state", "state media", "media said")
    doubted = FILLER * 3 + "endmost " + "the state media said " * 20
    assert Screen(folder).doubtful(doubted)
    second(folder, store, {"environment": ["state"]}, **stump(6, 99.0))
    assert not Screen(folder).doubtful(doubted)
    assert Screen(folder, ["media SAID"]).doubtful(doubted)
    second(folder, store, {"environment": ["state"]})
    spun = doubted.replace("state", "environment")
    assert Screen(folder).score(spun) > Screen(folder).score(doubted)
    assert Screen(folder, store=lambda: store).score(spun) == Screen(folder).score(spun)
    broken = {"store": 1}
    with pytest.raises(ArtifactError, match="n-gram store"):
        second(folder, store, {}, **broken)
    with pytest.raises(ArtifactError, match="n-gram store"):
        Screen(folder).doubtful(doubted)
    (folder / "misfits.npz").write_bytes(b"")
    with pytest.raises(ArtifactError, match="install"):
        Screen(folder).doubtful(doubted)


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
