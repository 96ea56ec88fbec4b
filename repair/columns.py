"""The columns of numbers that the trained networks (repair.perceptrons) read, by name and in order.

PAIR: one candidate at one stretch; SPAN: one stretch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from repair import channel
from repair.candidates import (
    ACRONYMS,
    ARTICLE,
    COMPOUND,
    ENCODER,
    LEXICON,
    NAMES,
    NGRAMS,
    PPDB_,
    ROGET_,
    SPELLING,
    UNITS,
    WN_FAR,
    WN_NEAR,
    WN_SAME,
    WORDS,
    Options,
    Packed,
)
from repair.encoder import Floats, Reading
from repair.segment import Text

_BITS = tuple(NAMES)
PAIR = (
    "enc", "enc_gain", "enc_to_best", "enc_rank", "fit", "fit_gain", "fit_to_best", "left", "right", "left_gain",
    "right_gain", "middle", "middle_gain", "unigram", "unigram_gain", "weight", "lexicon", "words", "wn_same",
    "wn_near", "wn_far", "ppdb", "roget", "article", "acronym", "retrieved", "ngram", "spelling", "compound",
    "sources", "length", "candidate_length", "stem", "prior", "joint_left", "joint_right", "likeness", *channel.COLUMNS,
    "met", "met_observed",
)  # fmt: skip
SPAN = (
    "replaced", "replaced_max", "first_odds", "around", "article_mean", "article_high", "tells", "enc_own",
    "enc_own_rank", "fit_own", "left_own", "right_own", "middle_own", "unigram_own", "capital", "sentence_start",
    "quoted", "repeats", "length", "known", "weight_max", "listed", "replaced_least", "begins_before", "begins_inside",
    "goes_on", "replaced_before", "replaced_after",
)  # fmt: skip


def pair_columns(
    score: Floats, own: Floats, span_of: npt.NDArray[np.int64], bits: npt.NDArray[np.int64], weights: Floats,
    prior: Floats, texts: list[str], observed: list[str],
) -> Floats:  # fmt: skip
    """The columns of PAIR up to "prior": candidates in their places, against what stands there and against each other.

    score, own: (pairs, 6) and (spans, 6) as Wordings.score gives them; the pairs of a span stand together.
    """
    if not texts:  # no candidate of any stretch fits its place
        return np.zeros((0, PAIR.index("prior") + 1), np.float32)
    mine = own[span_of]
    has = {bit: ((bits & bit) > 0).astype(np.float32) for bit in _BITS}
    order = np.zeros(len(texts), np.float32)
    starts = np.flatnonzero(np.r_[True, span_of[1:] != span_of[:-1]])
    for a, z in zip(starts, [*starts[1:], len(texts)], strict=True):
        order[a:z][np.argsort(-score[a:z, 0], kind="stable")] = np.arange(z - a)
    best = np.maximum.reduceat(score, starts, axis=0) if len(starts) else score
    best_of = np.repeat(best, np.diff([*starts, len(texts)]), axis=0)
    lengths = np.array([t.count(" ") + 1 for t in texts], np.float32)
    own_lengths = np.array([o.count(" ") + 1 for o in observed], np.float32)[span_of]
    stem = np.array([_shared(t, observed[s]) for t, s in zip(texts, span_of, strict=True)], np.float32)
    columns = [
        score[:, 0], score[:, 0] - mine[:, 0], score[:, 0] - best_of[:, 0], order,
        score[:, 1], score[:, 1] - mine[:, 1], score[:, 1] - best_of[:, 1],
        score[:, 2], score[:, 3], score[:, 2] - mine[:, 2], score[:, 3] - mine[:, 3],
        score[:, 4], score[:, 4] - mine[:, 4], score[:, 5], score[:, 5] - mine[:, 5], weights,
        has[LEXICON], np.maximum(has[WORDS], has[UNITS]), has[WN_SAME], has[WN_NEAR], has[WN_FAR], has[PPDB_],
        has[ROGET_], has[ARTICLE], has[ACRONYMS], has[ENCODER], has[NGRAMS], has[SPELLING], has[COMPOUND],
        sum(has.values()), own_lengths, lengths, stem, prior,
    ]  # fmt: skip
    return np.stack(columns, axis=1).astype(np.float32)


def span_columns(
    text: Text, spans: list[tuple[int, int]], reading: Reading | None, replaced: Floats, own: Floats,
    options: Sequence[Packed | Options], observed: list[str], listed: bool,
) -> Floats:  # fmt: skip
    """The columns of SPAN: the encoder's doubt here, around and in all the article, and how well the wording fits.

    listed: whether the lexicon was asked.
    """
    n = len(text)
    words = np.array(text.is_word)
    totals = np.concatenate([[0.0], np.cumsum(np.where(words, replaced, 0))])
    counts = np.concatenate([[0], np.cumsum(words)])
    high = float((replaced[words] > 0.5).mean()) if words.any() else 0.0
    mean = float(totals[-1] / max(1, counts[-1]))
    weight = np.array([o.heaviest for o in options], np.float32)
    tells = sum(1 for k, (a, z) in enumerate(spans) if weight[k] >= 0.5 and z - a > 1) / max(1, counts[-1]) * 100
    starts = {s.first for s in text.sentences}
    repeats = Counter(observed)
    first, further = (reading.odds[:, k] if reading is not None else np.full(n, 0.2, np.float32) for k in (1, 2))
    lines = text.line_starts
    quoted = text.quoted
    rows = []
    for k, (a, z) in enumerate(spans):
        low, up = max(0, a - 30), min(n, z + 30)
        around = (totals[a] - totals[low] + totals[up] - totals[z]) / max(
            1, counts[a] - counts[low] + counts[up] - counts[z]
        )
        rows.append((
            replaced[a:z].mean(), replaced[a:z].max(), first[a], around, mean, high, tells, own[k, 0], 0.0,
            own[k, 1], own[k, 2], own[k, 3], own[k, 4], own[k, 5], text.words[a][0].isupper(), a in starts,
            quoted[a], min(5, repeats[observed[k]]), z - a, len(options[k]) > 0, weight[k], listed,
            # Where an artifact begins and ends: a stretch may be a part of one, or hold more than one.
            replaced[a:z].min(), further[a], first[a + 1 : z].max(initial=0.0),
            further[z] if z < n and not lines[z] else 0.0,
            replaced[a - 1] if a and not lines[a] else 0.0, replaced[z] if z < n and not lines[z] else 0.0,
        ))  # fmt: skip
    return np.array(rows, dtype=np.float32)


def _shared(a: str, b: str) -> float:
    """Share of the shorter word that both start with: one stem, another form."""
    if a[:1] != b[:1]:  # as most do
        return 0.0
    shorter = min(len(a), len(b))
    same = 0
    while same < shorter and a[same] == b[same]:
        same += 1
    return same / max(1, shorter)
