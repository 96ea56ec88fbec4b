"""Which corpus serves what, and how its lines are read.

BUILD: statistics and the encoder are built from the first nine tenths of these; their last tenth (``late_lines``) is
left for the combination of evidence, which must see text that the sources were not built on.
HELD: never built from; clean text of six kinds for measuring only.
"""

from __future__ import annotations

import lzma
import os
from collections.abc import Iterator
from pathlib import Path

SHARED = Path(os.environ.get("MT_REPAIR_SHARED", Path(__file__).resolve().parents[2] / "shared"))

BUILD = {  # name -> bytes of text, as ../shared/README.md lists the files
    "allsides_articles": 212_356_938,
    "autoblog_2020_dailymail_etc": 59_999_957,
    "fakehealth_news": 8_812_896,
    "financial_news_2017_2020": 10_630_322,
    "rss_news_2023": 149_999_564,
    "tech_blogs": 9_999_845,
    "whitehouse_2021_2026": 24_999_594,
    "wikipedia_2015_core": 139_999_579,
}
HELD = (
    "cnndm_test_part",
    "autoblog_reuters_2016",
    "felix_student_news",
    "europarl_1996_2000_tok",
    "fed_speeches_minutes",
    "medquad_nih",
)


def lines(name: str) -> Iterator[str]:
    """The lines of one corpus, in order, without their ends."""
    with lzma.open(SHARED / "corpora" / f"{name}.txt.xz", "rt", encoding="utf-8", errors="replace") as f:
        for line in f:
            yield line.rstrip("\n")


def building_lines(name: str) -> Iterator[str]:
    """The first nine tenths of a corpus of BUILD."""
    left = BUILD[name] * 0.9
    for line in lines(name):
        left -= len(line.encode("utf-8", "replace")) + 1
        if left < 0:
            return
        yield line


def late_lines(name: str) -> Iterator[str]:
    """The last tenth of a corpus of BUILD."""
    left = BUILD[name] * 0.9
    for line in lines(name):
        left -= len(line.encode("utf-8", "replace")) + 1
        if left < 0:
            yield line
