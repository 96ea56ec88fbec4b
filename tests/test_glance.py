"""The screen's third look: which sentences it reads, what it makes of them, what it spares."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from repair import Repairer
from repair.encoder import Reading
from repair.errors import ArtifactError
from repair.glance import COLUMNS, WORDS, Glance, features, replaced, worst
from repair.hashed import Words, chunks
from repair.pipeline import GLANCED, SPARED
from repair.report import Article
from repair.rows import COLUMNS as ROW
from repair.segment import Text
from training.articles import folder

ARTICLES = Path(__file__).parent / "articles"
DULL = "The boat left at noon and came back by six."


def picked(text: str, *odd: str) -> list[str]:
    """The worst sentences of a text in which the words ``odd`` misfit and all others fit."""
    (raw,) = chunks(text)
    words = Words(raw)
    seen = [raw[a:z].decode() for a, z in zip(words.starts, words.ends, strict=True)]
    return worst(raw, words, np.array([4.0 if w in odd else -6.0 for w in seen], np.float32))


def test_the_oddest_sentences_are_read_in_their_order() -> None:
    text = " ".join([*[DULL] * 20, "He ate environment media.", *[DULL] * 20, "They paid herbal assets!", DULL])
    found = picked(text, "environment", "media", "herbal", "assets")
    assert [s for s in found if s != DULL] == ["He ate environment media.", "They paid herbal assets."]
    assert WORDS / 2 < sum(len(s.split()) for s in found) <= WORDS


def test_a_long_article_has_more_of_it_read() -> None:
    assert 200 < sum(len(s.split()) for s in picked(" ".join([DULL] * 500))) <= 250


def test_lines_end_sentences_and_endless_ones_are_cut() -> None:
    assert picked("one\ntwo three\n\nfour", "two") == ["one.", "two three.", "four."]
    found = picked("word " * 500 + "odd " + "word " * 500, "odd")
    assert found and all(len(s.split()) <= 40 for s in found) and any("odd" in s for s in found)


@pytest.mark.parametrize("text", ["word", "word.", "  word \n", "…word", "naïve café — “really”? Yes.", "a\x00b c"])
def test_short_and_odd_texts_are_read_whole(text: str) -> None:
    assert " ".join(picked(text)).count("word") == text.count("word")


def test_what_nothing_can_be_said_of_does_not_count() -> None:
    (raw,) = chunks("Anna Brown met Carla Davis. " + "He sat idly there. " * 60)
    words = Words(raw)
    odds = np.full(len(words.hashes), -3.0, np.float32)
    odds[:5] = 0
    assert worst(raw, words, odds)[0] == "He sat idly there."


def test_columns_of_an_article() -> None:
    few, many = (
        dict(zip(COLUMNS, features(np.array(chances, np.float32), 1.5, 300).tolist(), strict=True))
        for chances in ([0.9] + [0.0] * 59, [0.9, 0.8] * 10 + [0.0] * 40)
    )
    assert few["score"] == many["score"] == 1.5
    assert few["first"] == many["first"] > 2 and few["second"] < -9 and many["second"] > 2
    assert many["mean"] > few["mean"] and many["many"] > few["many"] and many["eighth"] > few["eighth"]
    assert np.isfinite(features(np.zeros(0, np.float32), 0.0, 0)).all()


def test_however_many_sentences_there_are_the_encoder_sees_a_bounded_text_at_a_time() -> None:
    sizes = []

    class Fake:
        def read(self, texts: list[Text]) -> list[Reading]:
            sizes.extend(map(len, texts))
            return [Reading(np.full((len(t), 3), 0.25, np.float32), np.zeros((len(t), 4), np.float32)) for t in texts]

    found = replaced(Fake(), ["one two."] * 1001)  # type: ignore[arg-type]
    assert (found == 0.75).all() and len(found) == 2002 and max(sizes) < 1000
    assert replaced(Fake(), []).shape == (0,)  # type: ignore[arg-type]


def test_a_missing_artifact_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="install"):
        Glance(tmp_path, None)  # type: ignore[arg-type]


def test_clean_articles_that_the_first_looks_doubt_are_spared_and_spun_ones_are_not() -> None:
    repairer = Repairer()
    screen = repairer._pipeline.screen
    assert screen is not None
    kept = {kind: [t for g in folder(ARTICLES / kind) if screen.doubtful(t := g["text"])] for kind in ("clean", "spun")}
    reports = {kind: [repairer._pipeline._spared(Article(t)) for t in texts] for kind, texts in kept.items()}
    # These were written to tempt; of ordinary clean text it spares seven in eight (docs/cards/screen.md).
    assert sum(r is not None for r in reports["clean"]) >= len(kept["clean"]) / 8
    assert sum(r is not None for r in reports["spun"]) <= 1
    assert {r.verdict.probability for r in reports["clean"] if r} == {GLANCED} and GLANCED > SPARED
    assert all(r.verdict.label == "clean" and r.words > 20 and not r.findings for r in reports["clean"] if r)
    assert "judge" not in repairer._pipeline.__dict__, "a glance needs no lexicon"


def test_nothing_is_spared_by_a_glance_without_encoder_or_with_a_wording_of_the_users_own(
    repairer: Repairer, tmp_path: Path
) -> None:
    clean = [g["text"] for g in folder(ARTICLES / "clean")]
    usual = repairer._pipeline
    glanced = [t for t in clean if (r := usual._spared(Article(t))) and r.verdict.probability == GLANCED]
    own = tmp_path / "own.tsv"
    word = next(w for w in glanced[0].split() if w.isalpha() and w.islower() and len(w) > 4)
    own.write_text("\t".join(ROW) + f"\n{word}\tother\tnoun\t0.5\t\t\town\t\n", encoding="utf-8")
    for other in (Repairer(without=["encoder"]), Repairer(lexicons=[own]), Repairer(screen=False)):
        assert other._pipeline._spared(Article(glanced[0])) is None
