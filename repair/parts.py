"""Long articles are judged in parts, so that memory stays bounded whatever comes in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from repair.report import Article, Report

MOST = 60_000  # characters of a part: some 10,000 words


def cut(article: Article) -> list[tuple[int, Article]]:
    """An article as parts with their offsets, cut at line ends, else after sentences, else at blanks."""
    text = article.text
    if len(text) <= MOST:
        return [(0, article)]
    out, at = [], 0
    while at < len(text):
        end = _end(text, at)
        zones = tuple((a - at, z - at) for a, z in article.protected if a < end and at < z)
        out.append((at, Article(text[at:end], article.id, zones)))
        at = end
    return out


def _end(text: str, at: int) -> int:
    """Where the part that starts at ``at`` ends."""
    last = at + MOST
    if last >= len(text):
        return len(text)
    for mark in ("\n", ". ", " "):
        found = text.rfind(mark, at + MOST // 2, last)
        if found >= 0:
            return found + len(mark)
    return last


def joined(parts: Sequence[tuple[int, Report]]) -> Report:
    """One report of an article's parts: the gravest part's verdict, as damage may be patchy, and the density of all."""
    if len(parts) == 1:
        return parts[0][1]
    words = sum(r.words for _, r in parts)
    findings = tuple(replace(f, start=f.start + at, end=f.end + at) for at, r in parts for f in r.findings)
    gravest = max((r.verdict for _, r in parts), key=lambda v: v.probability)
    density = sum(r.verdict.density * r.words for _, r in parts) / max(1, words)
    return Report(words, replace(gravest, density=density), findings)
