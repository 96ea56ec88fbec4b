"""Reads the export of the Problematic Paper Screener: CSV with tortured_phrase, expected_phrase, num_papers.

The first field is a boolean query over a whole document: ``"surface region" AND "surface area"`` flags the first phrase
where the second also occurs. So terms after AND and NOT are conditions, never swaps.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from repair.errors import InputError
from repair.rows import CONTROL, Row

FIELDS = ("tortured_phrase", "expected_phrase", "num_papers")
TOKEN = re.compile(r'"([^"]*)"(~\d+)?|(\()|(\))|\b(AND|OR|NOT)\b|([^\s"()]+)')
FREQUENT = 10  # papers from which on a phrase is a fingerprint rather than somebody's slip


def read(path: Path) -> Iterator[Row]:
    """The swaps of an export. Rows without a usable expected phrase are left out."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in FIELDS if name not in (reader.fieldnames or ())]
            if missing:
                raise InputError(f"{path}: no column {', '.join(missing)}; is it the Screener's CSV export?", "format")
            for record in reader:
                yield from rows(*(record[name] or "" for name in FIELDS))
    except OSError as error:
        raise InputError(f"{path}: it can't be read ({error.strerror}); check path and mode", "unreadable") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; export it again as UTF-8", "encoding") from None
    except csv.Error as error:
        raise InputError(f"{path}: broken CSV ({error}); export it again", "format") from None


def rows(query: str, expected: str, papers: str) -> Iterator[Row]:
    """The swaps of one record, one for each alternative wording that it flags."""
    original = _clean(expected)
    if not original or "?" in original or original.startswith("("):
        return
    digits = re.sub(r"\D", "", papers)
    count = int(digits) if digits and len(digits) < 12 else 0
    flagged, context, near = query_terms(query)
    for observed in flagged:
        if observed and observed.casefold() != original.casefold():
            note = f"{count} papers" + ("; words between allowed there" if near else "")
            weight = 0.9 if count >= FREQUENT else 0.7
            yield Row(observed, original, "noun", weight, context, note, "problematic-paper-screener")


def query_terms(query: str) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """What a query flags, its conditions as a row's context, and whether it lets words stand between."""
    flagged: list[str] = []
    context: list[str] = []
    sign, near, operator, bare = "", False, "", list[str]()

    def close() -> None:
        if bare:
            take(" ".join(bare))
            bare.clear()

    def take(term: str) -> None:
        term = _clean(term)
        if not term:
            return
        if sign:
            context.append(sign + term.replace(" ", "_"))
        elif not flagged or operator == "OR":
            flagged.append(term)

    for phrase, gap, opening, closing, word, other in TOKEN.findall(_straight(query)):
        if other:
            bare.append(other)
            continue
        close()
        if word:
            # OR goes on with what came before it; NOT may follow AND.
            sign = {"AND": "+", "NOT": "-"}.get(word, sign)
            operator = word
        elif not (opening or closing):
            near = near or (bool(gap) and not sign)
            take(phrase)
    close()
    return tuple(dict.fromkeys(flagged)), tuple(dict.fromkeys(context)), near


def _straight(query: str) -> str:
    return query.translate({ord(quote): '"' for quote in "“”„«»"})


def _clean(phrase: str) -> str:
    return " ".join(CONTROL.sub(" ", phrase.replace("\t", " ")).split()).strip("\"'")
