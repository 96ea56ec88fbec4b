"""The channel and the words between two words, on the shipped tables; what is kept changes nothing."""

from __future__ import annotations

import numpy as np
import pytest

from repair import Repairer, channel
from repair.between import Between
from repair.channel import COLUMNS, Channel

PAIRS = [("state", "country"), ("agency", "organization"), ("state", "country"), ("big", "large"), ("zzz", "large")]


def test_a_word_with_fewer_neighbours_is_readier(repairer: Repairer) -> None:
    judge = repairer._pipeline.judge
    got, unknown = Channel(judge.proposer.thesaurus, judge.store).columns(["agency", "zzz"], ["bureau", "bureau"])
    found = dict(zip(COLUMNS, got.tolist(), strict=True))
    assert found["neighbours"] > found["synonyms"] > 0 and found["readiness"] > np.log(channel._NEVER)
    assert unknown.tolist() == pytest.approx([0, 0, 0, np.log(channel._NEVER)])


@pytest.mark.parametrize("most", [400_000, 3, 1])
def test_pairs_come_out_the_same_kept_or_not(repairer: Repairer, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(channel, "_MOST", most)
    judge = repairer._pipeline.judge
    kept = Channel(judge.proposer.thesaurus, judge.store)
    for a, z in ((0, 2), (0, 5), (3, 5), (2, 3), (1, 5), (0, 0)):
        some = PAIRS[a:z]
        got = kept.columns([c for c, _ in some], [o for _, o in some])
        assert got.shape == (z - a, len(COLUMNS))
        assert got.tolist() == [pytest.approx(kept._columns(*pair), abs=1e-6) for pair in some]
        assert len(kept._known[0]) <= most


def test_what_often_stands_between_two_words(repairer: Repairer) -> None:
    judge = repairer._pipeline.judge
    store = judge.store
    before, after = store.encode(["prime", "said"]).tolist()
    between = Between(store, judge.reference[:5000])
    assert between.words(before, after, "preacher")[0] == "minister"
    assert between.words(before, after, "ministers") != between.words(before, after, "preacher")
    assert "minister" not in between.words(before, after, "minister")
