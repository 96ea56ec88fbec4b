"""The stretches of a Markdown text that are not prose: code, link targets, html tags, front matter.

Not a parser: only what no edit may touch, found in linear time whatever the text holds (scraped text is hostile, so
no pattern here may look further than the next character that could start another match).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

Zone = tuple[int, int]

FRONT = re.compile(r"(---|\+\+\+)[ \t]*\r?\n")
FENCE = re.compile(r"[ ]{0,3}(?:>[ ]?)*(?:[-*+][ ]+|\d{1,9}[.)][ ]+)?(`{3,}|~{3,})")
INDENTED = re.compile(r"(?: {4}|\t)[ \t]*\S")
LIST_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]")
DEFINITION = re.compile(r"[ ]{0,3}\[[^\[\]\n]{1,300}\]:[^\n]*")
TARGET = re.compile(r"\]\([^()\n]*(?:\([^()\n]*\)[^()\n]*)?\)|\]\[[^\[\]\n]*\]")
TAG = re.compile(r"</?[A-Za-z][^<>]*>|<![A-Za-z][^<>]*>|<[a-z]+:[^<>\s]*>")
BACKTICKS = re.compile(r"`+")


def protected(text: str) -> tuple[Zone, ...]:
    """The protected zones of ``text``, sorted, without overlaps."""
    blocks = list(_blocks(text))
    zones = [*blocks, *_comments(text)]
    for start, end in _gaps(blocks, len(text)):
        zones += _code_spans(text, start, end)
        zones += (match.span() for pattern in (TARGET, TAG) for match in pattern.finditer(text, start, end))
    return _merged(zones)


def _blocks(text: str) -> Iterator[Zone]:
    """Front matter, fenced and indented code, link definitions: what is decided line by line."""
    at = 0
    if front := FRONT.match(text):
        close = re.compile(rf"^{re.escape(front[1])}[ \t]*\r?$", re.M).search(text, front.end())
        if close:
            at = close.end()
            yield 0, at
    fence, opened = "", 0
    blank, listed = True, False
    for line in re.compile(r"[^\n]*\n|[^\n]+$").finditer(text, at):
        start, end = line.span()
        mark = FENCE.match(text, start, end)
        if fence:
            if mark and mark[1].startswith(fence) and not text[mark.end() : end].strip():
                yield opened, end
                fence = ""
            continue
        if mark and not (mark[1][0] == "`" and "`" in text[mark.end() : end]):
            fence, opened = mark[1], start
        elif blank and not listed and INDENTED.match(text, start, end):
            yield start, end
            continue  # the next indented line belongs to the same block
        elif DEFINITION.match(text, start, end):
            yield start, end
        empty = not text[start : min(end, start + 200)].strip() and end - start <= 200
        if not empty:
            # Indented text after a list item continues the item: prose, not code.
            listed = bool(LIST_ITEM.match(text, start, end)) or (listed and text[start] in " \t")
        blank = empty
    if fence:
        yield opened, len(text)


def _comments(text: str) -> Iterator[Zone]:
    at = text.find("<!--")
    while at >= 0:
        end = text.find("-->", at + 4)
        if end < 0:
            return
        yield at, end + 3
        at = text.find("<!--", end)


def _code_spans(text: str, start: int, end: int) -> Iterator[Zone]:
    """Inline code: a run of backticks up to the next run of the same length in the same paragraph."""
    for paragraph in _paragraphs(text, start, end):
        runs = [match.span() for match in BACKTICKS.finditer(text, *paragraph)]
        partner: list[int | None] = [None] * len(runs)
        latest: dict[int, int] = {}
        for i in range(len(runs) - 1, -1, -1):
            length = runs[i][1] - runs[i][0]
            partner[i] = latest.get(length)
            latest[length] = i
        i = 0
        while i < len(runs):
            other = partner[i]
            if other is not None:
                yield runs[i][0], runs[other][1]
                i = other
            i += 1


def _paragraphs(text: str, start: int, end: int) -> Iterator[Zone]:
    for match in re.compile(r"\n[ \t\r]*\n").finditer(text, start, end):
        yield start, match.start()
        start = match.end()
    yield start, end


def _gaps(zones: list[Zone], length: int) -> Iterator[Zone]:
    at = 0
    for start, end in zones:
        yield at, start
        at = end
    yield at, length


def _merged(zones: list[Zone]) -> tuple[Zone, ...]:
    out: list[Zone] = []
    for start, end in sorted(zones):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return tuple(out)
