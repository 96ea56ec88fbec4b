"""What is kept from article to article is bounded: no cache may grow with what has been read."""

from __future__ import annotations

import gc
import random
import sys
from functools import _lru_cache_wrapper
from typing import Any

import pytest

from repair import Repairer, candidates, channel, evidence, wordings
from repair.candidates import Options, Packed, Proposer
from repair.channel import Channel
from repair.evidence import Judge
from repair.segment import Text

FIXED = {"_folder", "_table", "_overrides"}  # of repair.forms: files as they are


def kept() -> list[Any]:
    """Every cache of a function that the package has made."""
    found = [o for o in gc.get_objects() if type(o) is _lru_cache_wrapper]
    return [o for o in found if (getattr(o, "__module__", None) or "").startswith("repair.")]


def texts(n: int) -> list[Text]:
    """Articles with ever other words, known and unknown."""
    rng = random.Random(1)
    stems = ["walk", "govern", "minister", "large", "state", "help", "report", "season", "market", "window", "river"]
    ends = ["", "s", "ed", "ing", "er", "ly", "ness"]
    return [
        Text(" ".join(rng.choice(stems) + rng.choice(ends) + rng.choice(["", "x", f" q{i}z"]) for _ in range(60)))
        for i in range(n)
    ]


def test_every_cache_has_a_limit(repairer: Repairer) -> None:
    repairer.check("The environment media told how the leader had flown, and nobody was astonished at it.")
    judge = repairer._pipeline.judge
    assert judge.proposer.dictionary in kept() and len(kept()) > 15
    unbounded = {o.__name__ for o in kept() if o.cache_info().maxsize is None and o.__module__ != "repair.learning"}
    assert unbounded <= FIXED


def test_what_is_kept_stays_small_over_many_wordings(repairer: Repairer, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, limit in (
        (candidates, "_KEPT", 20),
        (channel, "_MOST", 2_000),
        (evidence, "_MOST_WORDINGS", 500),
        (wordings, "_ROOM", 64),
    ):
        monkeypatch.setattr(module, name, limit)
    pipeline = repairer._pipeline
    usual = pipeline.judge.proposer
    proposer = Proposer(usual.lexicon, usual.thesaurus, pipeline.store, habits=usual.habits)
    small, large = Judge(pipeline.store, proposer, None), pipeline.judge
    for text in texts(8):
        found, other = small.evidence(text, None), Judge.evidence(large, text, None)
        assert found.texts == other.texts and found.spans == other.spans
        assert len(small._channel._known[0]) <= 2_000
        assert proposer.dictionary.cache_info().currsize <= 20 >= proposer._composed.cache_info().currsize
    before = len(small._table)
    small._wordings()
    assert before > 500 > len(small._table)


def test_candidates_are_kept_in_an_eighth_of_the_memory() -> None:
    options = Options()
    for i in range(120):
        options.add(f"wording {i}", 1 << (i % 12), 0.0)
    packed = Packed(options)
    assert (packed.texts, packed.bits.tolist(), len(packed)) == (options.texts, options.bits, 120)
    size = sum(map(sys.getsizeof, (packed, packed._joined, packed.bits, packed.weights)))
    loose = sum(map(sys.getsizeof, (options.texts, options.index, options.bits, options.weights, *options.texts)))
    assert size * 6 < loose + sum(map(sys.getsizeof, options.bits))


def test_the_channel_keeps_numbers_not_tables(repairer: Repairer) -> None:
    kept = Channel(repairer._pipeline.judge.proposer.thesaurus, repairer._pipeline.store)
    choices = [kept._choices(word) for word in ("state", "help", "large", "run", "take")]
    assert all(sys.getsizeof(c.close) < 80 + 16 * len(c.close) for c in choices)
