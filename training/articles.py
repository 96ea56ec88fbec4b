"""Annotated articles of our own writing: training/articles (to train the combination) and tests/articles (the gate).

Markup: ``{{observed||original||another original}}`` a replaced stretch, ``{{?observed||original}}`` a matter of taste;
header lines ``#: key value`` before the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

UNIT = re.compile(r"\{\{(\??)([^{}|]+)((?:\|\|[^{}|]+)+)\}\}")
Gold = dict[str, Any]  # id, text, units: as ../shared/bench/score.py reads it


def parse(marked: str, name: str) -> Gold:
    """A marked-up article as gold annotation. Raises ValueError where markup is left over."""
    head: dict[str, str] = {}
    while marked.startswith("#:"):
        line, _, marked = marked.partition("\n")
        key, _, value = line[2:].strip().partition(" ")
        head[key] = value
    marked = marked.strip("\n") + "\n"
    text, units, at = "", [], 0
    for m in UNIT.finditer(marked):
        text += marked[at : m.start()]
        observed, originals = m[2], m[3][2:].split("||")
        units.append(
            {
                "start": len(text),
                "end": len(text) + len(observed),
                "observed": observed,
                "originals": originals,
                "optional": bool(m[1]),
            }
        )
        text += observed
        at = m.end()
    text += marked[at:]
    if "{{" in text or "}}" in text:
        raise ValueError(f"{name}: unbalanced markup")
    return {"id": name, "text": text, "units": units} | head


def folder(path: Path) -> Iterator[Gold]:
    """All articles of a folder, by name."""
    for file in sorted(path.glob("*.txt")):
        yield parse(file.read_text(encoding="utf-8"), f"{path.name}/{file.stem}")


def gold_lines(path: Path) -> list[Gold]:
    """Articles of a JSONL file in the scorer's format."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
