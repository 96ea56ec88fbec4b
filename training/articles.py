"""Annotated articles of our own writing: articles.tar.xz to learn from, tests/articles and others to measure by.

Markup: ``{{observed||original||another original}}`` a replaced stretch, ``{{?observed||original}}`` a matter of taste;
header lines ``#: key value`` before the text. The archive holds spun/*.txt and clean/*.txt;

    python -m training.articles FOLDER

checks the articles of a folder that is laid out in the same way, and adds them to it.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import re
import tarfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from repair.segment import TOKEN

UNIT = re.compile(r"\{\{(\??)([^{}|]+)((?:\|\|[^{}|]+)+)\}\}")
_AN = re.compile(r"\ban\b")
EXCERPT = 150  # words
OWN = Path(__file__).parent / "articles.tar.xz"
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


@cache
def packed() -> dict[str, str]:
    """The articles to learn from as they are marked up, by "spun/name" and "clean/name", in order."""
    out = {}
    with tarfile.open(OWN) as tar:
        for member in tar:
            if file := tar.extractfile(member):
                out[member.name.removesuffix(".txt")] = file.read().decode()
    return dict(sorted(out.items()))


def own(kind: str) -> Iterator[Gold]:
    """All articles to learn from that are "spun" or "clean", by name."""
    for name, marked in packed().items():
        if name.startswith(f"{kind}/"):
            yield parse(marked, name)


def pack(articles: dict[str, str]) -> None:
    """Make the archive: the same bytes whoever makes it, and whenever."""
    with tarfile.open(OWN, "w:xz", preset=9) as tar:
        for name, marked in sorted(articles.items()):
            raw = marked.encode()
            member = tarfile.TarInfo(f"{name}.txt")
            member.size = len(raw)
            tar.addfile(member, io.BytesIO(raw))


def gold_lines(path: Path) -> list[Gold]:
    """Articles of a JSONL file in the scorer's format."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def thinned(gold: Gold, share: float, rng: random.Random) -> Gold:
    """The article with only a ``share`` of its units left, at random; in place of the others stands the original."""
    text, units, at = "", [], 0
    for unit in gold["units"]:
        text += gold["text"][at : unit["start"]]
        at = unit["end"]
        if rng.random() < share:
            units.append({**unit, "start": len(text), "end": len(text) + len(unit["observed"])})
            text += unit["observed"]
        else:
            text += unit["originals"][0]
    return {**gold, "text": text + gold["text"][at:], "units": units}


def density(gold: Gold) -> float:
    """Units to 100 words."""
    return 100 * len(gold["units"]) / max(1, len(gold["text"].split()))


def excerpt(gold: Gold, rng: random.Random) -> str:
    """Some 150 words of an article, as one paragraph."""
    words = gold["text"].split()
    at = rng.randrange(max(1, len(words) - EXCERPT))
    return " ".join(words[at : at + EXCERPT])


def planted(paragraph: str, article: str, rng: random.Random) -> str:
    """An article with one more paragraph somewhere in it."""
    lines = article.split("\n")
    lines.insert(rng.randrange(len(lines) + 1), paragraph)
    return "\n".join(lines)


def source(gold: Gold) -> str:
    """The text before it was spun, by each unit's first original."""
    text: str = thinned(gold, 0.0, random.Random())["text"]
    return text


def norm(text: str) -> str:
    text = _AN.sub("a", text.replace("’", "'").replace("‘", "'").lower())
    return re.sub(r"\s+", " ", text).strip(" ,;")


def cores(unit: dict[str, Any]) -> list[dict[str, Any]]:
    """A unit as the swaps within it: "back-weight" -> "back-pressure" is "weight" -> "pressure".

    Words that both sides share at either end are left out (a and an are one word: the pipeline mends them); with as
    many words on both sides, each differing word is a swap of its own. The first original decides; others count where
    they have its shape. A unit of which nothing would be left on one side stays whole.
    """
    observed = list(TOKEN.finditer(unit["observed"]))
    shapes: list[list[tuple[int, int, str]]] = []
    for original in unit["originals"]:
        tokens = list(TOKEN.finditer(original))
        a, b = [norm(m[0]) for m in observed], [norm(m[0]) for m in tokens]
        shorter = min(len(a), len(b))
        head = next((i for i in range(shorter) if a[i] != b[i]), shorter)
        tail = next((i for i in range(shorter - head) if a[-1 - i] != b[-1 - i]), shorter - head)
        if head + tail in (len(a), len(b)):
            shapes.append([(0, len(unit["observed"]), original)])
        elif len(a) == len(b):
            pairs = [(o, t) for o, t, x, y in zip(observed, tokens, a, b, strict=True) if x != y]
            shapes.append([(o.start(), o.end(), t[0]) for o, t in pairs])
        else:
            last = tokens[len(b) - tail - 1].end()
            end = observed[len(a) - tail - 1].end()
            shapes.append([(observed[head].start(), end, original[tokens[head].start() : last])])
    places = [[(a, z) for a, z, _ in shape] for shape in shapes]
    same = [shape for shape, place in zip(shapes, places, strict=True) if place == places[0]]
    return [
        {
            "start": unit["start"] + a,
            "end": unit["start"] + z,
            "observed": unit["observed"][a:z],
            "originals": list(dict.fromkeys(shape[i][2] for shape in same)),
            "optional": unit["optional"],
        }
        for i, (a, z) in enumerate(places[0])
    ]


def restored(text: str, start: int, end: int, swaps: list[dict[str, Any]]) -> re.Pattern[str]:
    """What a stretch of text may read, normed, once the swaps within it are put back."""
    pieces, at = [], start
    for u in swaps:
        pieces.append(re.escape(_AN.sub("a", text[at : u["start"]].lower())))
        options = [re.escape(norm(o)) for o in u["originals"]]
        options += [re.escape(norm(u["observed"]))] if u["optional"] and len(swaps) > 1 else []
        pieces.append("(?:" + "|".join(options) + ")")
        at = u["end"]
    pieces.append(re.escape(_AN.sub("a", text[at:end].lower())))
    return re.compile("".join(pieces))


def main() -> None:
    parser = argparse.ArgumentParser(description="Check annotated articles, and add them to those to learn from.")
    parser.add_argument("folder", type=Path, help="with spun/*.txt and clean/*.txt in it")
    args = parser.parse_args()
    new = {f"{f.parent.name}/{f.stem}": f.read_text(encoding="utf-8") for f in sorted(args.folder.glob("*/*.txt"))}
    for name, marked in new.items():
        units = parse(marked, name)["units"]
        if bool(units) != name.startswith("spun/"):
            raise SystemExit(f"{name}: a spun article has swaps, a clean one none; this one has {len(units)}")
        for unit in units:
            if norm(unit["observed"]) in map(norm, unit["originals"]):
                raise SystemExit(f"{name}: {unit['observed']!r} stands on both sides of a swap")
    pack({**packed(), **new})
    print(f"{len(new)} articles added; {OWN} has {OWN.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
