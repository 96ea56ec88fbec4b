"""What the encoder's training is fed: neighbours worked out ahead, and the wordings that a batch chooses among."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from repair.network import Network
from repair.ngrams import NgramStore
from repair.thesaurus import Thesaurus
from training.ahead import ARTIFACTS, Ahead, write
from training.articles import Gold, parse
from training.corpora import SHARED
from training.encoder import Table
from training.export import narrowed
from training.own import NOT_ASKED, endless, half, own_articles, windows
from training.swaps import SPLIT, WALK, Swaps, held_back
from training.windows import Maker


def test_neighbours_worked_out_ahead_come_out_as_they_went_in(tmp_path: Path) -> None:
    found = {
        ("state", "NN"): {"same": [("nation", 2.5), ("land", 1.5)], WALK: [("soil", 1.0)]},
        ("state", "VB"): {"ppdb": [("say", 4.0)], SPLIT: [("land mass", 1.0)]},
        ("of", "IN"): {},
    }
    write(found, tmp_path / "neighbours.npz")
    ahead = Ahead(tmp_path / "neighbours.npz")
    assert {key: ahead.get(key) for key in found} == found
    assert ahead.get(("ferry", "NN")) is None


class Words:
    """Stands for training.windows.Maker: two wordings of one piece, one of two."""

    table = ("state", "media", "herbal assets")
    seed = 3

    def flat(self, wordings: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
        pieces = [[sum(map(ord, word)) for word in wording.split()] for wording in wordings]
        of = np.repeat(np.arange(len(pieces)), [len(p) for p in pieces])
        return of, np.array([i for p in pieces for i in p], np.int64)


def batch_of(words: Any, rivals: list[int]) -> dict[str, np.ndarray]:
    of, pieces = words.flat(["ferry boat"])  # the batch's own, behind the table
    behind = len(words.table)
    numbers = {"target": [2, behind, 0], "own": [behind, behind, 0], "rivals": rivals}
    return {key: np.array(found, np.int32) for key, found in numbers.items()} | {"extra": pieces, "extra_of": of}


@pytest.mark.parametrize("most", [0, 1])
def test_a_batch_finds_its_wordings_among_the_table_or_a_part_of_it(most: int) -> None:
    words: Any = Words()
    loaded = Table(words, most, "cpu").loaded(batch_of(words, []))
    expected = {"target": ["herbal assets", "ferry boat", "state"], "own": ["ferry boat", "ferry boat", "state"]}
    for key, wordings in expected.items():
        for k, wording in enumerate(wordings):
            there = loaded["wording_pieces"][loaded["wording_of"] == loaded[key][k]]
            assert torch.equal(there, torch.from_numpy(words.flat([wording])[1]))


def test_rivals_are_always_among_the_wordings_and_drawn_ones_stand_for_the_rest() -> None:
    words: Any = Words()
    words.table = ("state", "media", "herbal assets", *map(str, range(20)))
    loaded = Table(words, 4, "cpu").loaded(batch_of(words, [1]))
    media = loaded["wording_of"][loaded["wording_pieces"] == words.flat(["media"])[1][0]]
    assert len(media) == 1
    assert loaded["standing"][media] == 0
    rows = len(loaded["standing"]) - 1  # without the batch's own
    drawn = rows - 3  # state, media, herbal assets
    assert 1 <= drawn <= 4
    # Those drawn count as much as the twenty wordings that are neither asked for nor rivals.
    assert sorted(loaded["standing"].exp().tolist())[-drawn:] == pytest.approx([20 / drawn] * drawn)
    assert torch.count_nonzero(loaded["standing"]) == drawn


@pytest.mark.skipif(not SHARED.exists(), reason="the project's shared folder is not here")
@pytest.mark.parametrize("held", [True, False])
def test_senseless_swaps_keep_to_their_part(held: bool) -> None:
    swaps = Swaps([], NgramStore(ARTIFACTS / "ngrams"), Thesaurus(ARTIFACTS / "thesaurus"), held)
    rng = random.Random(4)
    drawn = {form for _ in range(300) for form, _ in swaps.any("ferry", "NN", rng)}
    assert len(drawn) > 5
    assert all(held_back(word, "ferry") == held for word in drawn)


def marked(text: str) -> Gold:
    return parse(text, "spun/here")


def test_windows_of_an_annotated_article_say_what_was_swapped() -> None:
    gold = marked(
        "The {{environment||state}} media met {{the us||America}} {{?often||frequently}} at {{an honest||a fair}} fee."
    )
    (window,) = windows(gold, random.Random(1))
    swapped = {w: label for w, label in zip(window.words, window.labels, strict=True) if label}
    assert swapped == {"environment": 1, "the": 1, "us": 2, "often": NOT_ASKED, "honest": 1}
    asked = {" ".join(window.words[a:z]): original for a, z, original in window.asked}
    assert asked == {"environment": "state", "the us": "America", "often": "frequently", "honest": "fair"}


def test_a_term_is_asked_for_whole_and_by_its_words() -> None:
    (window,) = windows(marked("They gave {{primary help||first aid}} to him."), random.Random(1))
    assert window.labels == [0, 0, 1, 2, 0, 0, 0]
    asked = {" ".join(window.words[a:z]): original for a, z, original in window.asked}
    assert asked == {"primary help": "first aid", "primary": "first", "help": "aid"}


def test_long_articles_are_cut_between_sentences_and_lose_nothing() -> None:
    gold = marked(" ".join(f"Number {i} of the {{{{environment||state}}}} media met again today." for i in range(90)))
    found = list(windows(gold, random.Random(1)))
    assert len(found) > 2
    assert all(w.words[0] == "Number" and w.words[-1] == "." for w in found)
    assert sum(len(w.asked) for w in found) == 90


def test_swaps_are_undone_at_random_so_that_light_damage_is_seen_too() -> None:
    gold = marked(" ".join(["The {{environment||state}} media met again."] * 20))
    stream = endless([gold], random.Random(2))
    counts = {sum(1 for label in next(stream).labels if label) for _ in range(60)}
    assert {0, 20} < counts
    assert len(counts) > 8


def test_our_articles_fall_into_two_halves_of_like_size() -> None:
    names = [gold["id"] for gold in own_articles()]
    assert len(names) == len(set(names))
    assert 0.4 < sum(map(half, names)) / len(names) < 0.6


@pytest.mark.skipif(not SHARED.exists(), reason="the project's shared folder is not here")
def test_rivals_are_what_else_an_observed_wording_could_stand_for() -> None:
    maker = Maker(sorted(Path("lexicons").glob("*.tsv")), ["[PAD]"], 1)
    found = {maker.table[n] for k in range(40) for n in maker.rivals("environment", random.Random(k))}
    assert {"state", "surroundings"} <= found
    assert "environment" not in found
    assert not maker.rivals("qwertyuiop", random.Random(1))


def test_turning_the_embeddings_leaves_their_scores_as_they_were() -> None:
    config = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    torch.manual_seed(3)
    net, turned, cut = (
        Network(BertModel(BertConfig(**config, intermediate_size=32, embedding_size=size), add_pooling_layer=False))
        for size in (16, 16, 5)
    )
    state = net.state_dict()
    turned.load_state_dict(state | narrowed(net, 16))
    cut.load_state_dict(state | narrowed(net, 5))
    states, one = torch.randn(7, 16), torch.arange(7)
    pieces = torch.arange(40)
    with torch.inference_mode():
        scores = [n.scores(n.queries(states, one, one, 7), *n.wordings(pieces, pieces, 40)) for n in (net, turned, cut)]
    assert torch.allclose(scores[0], scores[1], atol=1e-4)
    assert scores[2].shape == scores[0].shape
    assert len(cut.query[2].bias) == 5
