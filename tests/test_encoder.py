"""The encoder at run time: every window of an article has a pass of its own."""

from __future__ import annotations

import numpy as np
import pytest

from repair import Repairer
from repair.encoder import Encoder
from repair.segment import Text

BEGINS = "The environment media told how the leader had flown to the capital of the province. " * 16
ENDS = "Nobody there was astonished at it, and the wisdom business kept its silence about the visit. " * 8


@pytest.fixture(scope="module")
def encoder(repairer: Repairer) -> Encoder:
    found = repairer._pipeline.encoder
    assert found is not None
    return found


def test_a_window_reads_the_same_whatever_stands_in_the_others(encoder: Encoder) -> None:
    text = Text(BEGINS + ENDS)
    windows = encoder._windows(text)
    assert len(windows) > 1
    (whole,) = encoder.read([text])
    for a, z in windows:
        (alone,) = encoder.read([Text(text.text[text.starts[a] : text.ends[z - 1]])])
        np.testing.assert_array_equal(alone.odds, whole.odds[a:z])
        np.testing.assert_array_equal(alone.states, whole.states[a:z])


def test_what_is_kept_of_a_reading_is_what_would_be_read_again(encoder: Encoder) -> None:
    text = Text(BEGINS + ENDS)
    (first,), reads = encoder.read([text]), encoder._window.cache_info().misses
    (again,) = encoder.read([Text(text.text.replace("silence", "peace"))])  # in the later windows alone
    assert encoder._window.cache_info().misses - reads < len(encoder._windows(text))
    encoder._window.cache_clear()
    (fresh,) = encoder.read([text])
    np.testing.assert_array_equal(fresh.odds, first.odds)
    assert not np.array_equal(again.odds, first.odds)


@pytest.mark.parametrize("text", ["", "word", "\ud800 \x00 \u200b", "x" * 5000])
def test_every_token_gets_a_reading(encoder: Encoder, text: str) -> None:
    words = Text(text)
    (reading,) = encoder.read([words])
    assert reading.odds.shape == (len(words), 3)
    assert np.isfinite(reading.states).all()
    np.testing.assert_allclose(reading.odds.sum(axis=1), 1, rtol=1e-5)
