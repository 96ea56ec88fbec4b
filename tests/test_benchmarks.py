"""What the figures rest on: held-back articles, damage with annotation, and what a rung of the ablation may know."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pytest

from benchmarks.ablation import RUNGS, Gathered, view
from benchmarks.quality import Clean, held_articles
from benchmarks.unseen import LONG, damaged, paragraphs
from repair.candidates import ARTICLE, LEXICON, WN_SAME
from repair.columns import PAIR, SPAN
from repair.evidence import Evidence
from repair.report import Finding, Report, Verdict
from training.combination import Sample
from training.corpora import SHARED


class OneSwap:
    """Stands for training.swaps.Swaps: knows one swap."""

    tables = {"own": {"state": [("environment", 1.0)]}}  # noqa: RUF012
    longest = {"state": 1}  # noqa: RUF012

    def neighbours(self, lemma: str, tag: str) -> dict[str, Any]:
        return {}


def test_damage_is_annotated_where_it_stands() -> None:
    text = "The state spoke of breast cancer.\n\n State media, the state said, had no bank account."
    a = text.index("breast cancer")
    phrases = [(a, a + len("breast cancer"), "bosom malignancy")]
    gold = damaged(text, phrases, OneSwap(), ["own"], random.Random(2))  # type: ignore[arg-type]
    restored, at = "", 0
    for unit in gold["units"]:
        assert gold["text"][unit["start"] : unit["end"]] == unit["observed"]
        restored += gold["text"][at : unit["start"]] + unit["originals"][0]
        at = unit["end"]
    assert restored + gold["text"][at:] == text.replace("\n\n ", "\n\n")
    assert [u["observed"] for u in gold["units"] if not u["optional"]] == ["bosom malignancy"]
    assert {u["observed"].lower() for u in gold["units"] if u["optional"]} == {"environment"}


def test_long_lines_are_cut_between_sentences() -> None:
    sentence = "The ferry left the quay at noon with mail."
    assert list(paragraphs(sentence)) == [sentence]
    assert list(paragraphs(" ")) == []
    speech = " ".join([sentence] * 60)
    parts = list(paragraphs(speech))
    assert " ".join(parts) == speech
    assert len(parts) > 2 and all(p.endswith("mail.") and p.count(" ") < LONG + 10 for p in parts)


@pytest.mark.skipif(not (SHARED / "corpora").exists(), reason="the project's shared folder is not here")
def test_held_back_articles_differ_and_fewer_are_the_first_of_more() -> None:
    few, more = (list(held_articles("medquad_nih", words)) for words in (2000, 6000))
    assert few == more[: len(few)]
    assert len(set(more)) == len(more)
    lengths = [text.count(" ") for text in islice(held_articles("medquad_nih", 10**9), 200)]
    assert min(lengths) > 50 and 250 < sorted(lengths)[100] < 650


def test_figures_of_clean_text() -> None:
    flag = Finding(0, 4, "text", 0.9, "flag", ())
    counts = Clean()
    counts.add(Report(1000, Verdict("clean", 0.1, 0.0)))
    counts.add(Report(1000, Verdict("suspicious", 0.6, 0.0), (flag, replace(flag, action="replace"))))
    total = Clean()
    total += counts
    assert total.row("all") == "| all | 2,000 | 1.000 | 0.500 | 1 of 2 (50.00%) |"


def test_a_rung_sees_no_more_than_it_may() -> None:
    pair, span = np.ones((3, len(PAIR)), np.float32), np.ones((2, len(SPAN)), np.float32)
    bits = [WN_SAME, LEXICON, ARTICLE]
    spans, observed, of = [(0, 1), (4, 5)], ["state", "state"], np.array([0, 0, 1])
    evidence = Evidence(spans, observed, of, ["a", "b", "c"], bits, pair, span, {})
    sample = Sample("x", "own", 9, evidence, np.zeros(2), np.ones(2), np.zeros(3), True, 0.1)
    similar = np.full((3, 5), 7.0, np.float32), np.full((2, 1), 7.0, np.float32)
    seen = [view(Gathered("dev", {}, sample, sample, similar), rung).evidence for rung in RUNGS]
    assert [e.texts for e in seen] == [["b"], ["a", "b"], ["a", "b"], ["a", "b"], ["a", "b"], ["a", "b", "c"]]
    assert [e.spans for e in seen] == [[(0, 1)]] + [[(0, 1), (4, 5)]] * 5
    enc, fit, repeats, mean = PAIR.index("enc"), PAIR.index("fit"), SPAN.index("repeats"), SPAN.index("article_mean")
    assert [e.pair[0, enc] for e in seen] == [1, 1, 7, 1, 1, 1]
    assert [e.pair[0, fit] for e in seen] == [0, 1, 1, 1, 1, 1]
    assert [e.span[0, mean] for e in seen] == [0, 0, 0, 0, 1, 1]
    assert [e.span[0, repeats] for e in seen] == [0, 0, 0, 0, 0, 1]
    assert [len(set(e.observed)) for e in seen] == [1, 2, 2, 2, 2, 1]
