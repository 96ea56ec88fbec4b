"""A long jsonl for benchmarks: clean articles, some spun ones among them, some lines that can't be read.

Made line by line in little memory, the same for the same settings. Text comes from the corpora as streams; one that
runs out begins again, and is cut elsewhere then. Records have what records have in the wild: further keys in any order,
numbers that no float holds, escapes or none, foreign line ends.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from training.articles import own, thinned
from training.corpora import BUILD, HELD, lines

HELD_BYTES = dict(zip(HELD, (30, 14, 20, 12, 4, 4), strict=True))  # MB of text, about
LEAST_TEXT, USUAL_TEXT, MOST_TEXT = 300, 2_500, 40_000  # characters of an article
CHANGE = 40  # articles that come from one corpus before another is chosen
FORMAT = 1  # changes with what is written


@dataclass(frozen=True, slots=True)
class Mixture:
    """What a file is to hold. size: bytes. spun: share of the articles. held: share of clean text from corpora that

    nothing was built from. broken: lines that can't be read, of the kinds of BROKEN in turn.
    """

    size: int
    spun: float = 0.02
    held: float = 0.5
    broken: int = 50
    seed: int = 5

    @property
    def name(self) -> str:
        key = hashlib.sha256(json.dumps([FORMAT, asdict(self)]).encode()).hexdigest()[:8]
        return f"mixture-{self.size / 1e6:g}MB-{key}.jsonl"


BROKEN: dict[str, Callable[[str, str], bytes]] = {  # from the id of the line before and a new one
    "cut": lambda last, new: f'{{"id": "{new}", "text": "it ends here'.encode(),
    "no json": lambda last, new: b"<p>not json</p>",
    "list": lambda last, new: b'["a list"]',
    "id given before": lambda last, new: f'{{"id": "{last}", "text": "the same id"}}'.encode(),
    "no text": lambda last, new: f'{{"id": "{new}", "body": "the text has another name"}}'.encode(),
    "text a number": lambda last, new: f'{{"id": "{new}", "text": 5}}'.encode(),
    "id a list": lambda last, new: b'{"id": [], "text": "x"}',
    "not UTF-8": lambda last, new: f'{{"id": "{new}", "text": "'.encode() + b"\xff\xfe" + b'"}',
    "lone surrogate": lambda last, new: f'{{"id": "{new}", "text": "a\\ud800b"}}'.encode(),
    "too deep": lambda last, new: b"[" * 5_000,
}
CODES = {  # of the errors that they make
    "cut": "json", "no json": "json", "list": "json", "id given before": "duplicate-id", "no text": "missing-field",
    "text a number": "wrong-type", "id a list": "wrong-type", "not UTF-8": "encoding", "lone surrogate": "surrogate",
    "too deep": "json",
}  # fmt: skip


def build(mixture: Mixture, into: Path, say: Callable[[str], None] = lambda text: None) -> tuple[Path, dict[str, Any]]:
    """The file and what it holds; one that is there already is taken."""
    target = into / mixture.name
    about = target.with_suffix(".about.json")
    with suppress(OSError, ValueError):
        told: dict[str, Any] = json.loads(about.read_text())
        if target.stat().st_size == told["bytes"]:
            return target, told
    into.mkdir(parents=True, exist_ok=True)
    made, sha, told = 0, hashlib.sha256(), {"lines": 0, "articles": 0, "spun": 0, "blank": 0, "broken": {}}
    temporary = target.with_suffix(".tmp")
    with temporary.open("wb") as file:
        for kind, line in _lines(mixture):
            file.write(line)
            sha.update(line)
            made += len(line)
            told["lines"] += 1
            if kind in BROKEN:
                told["broken"][str(told["lines"])] = CODES[kind]
            else:
                told["articles"] += kind != "blank"
                told["spun"] += kind == "spun"
                told["blank"] += kind == "blank"
            if told["lines"] % 20_000 == 0:
                say(f"{target.name}: {made / 1e6:,.0f} MB written")
    told |= {"bytes": made, "sha256": sha.hexdigest(), "mixture": asdict(mixture)}
    temporary.rename(target)
    about.write_text(json.dumps(told, indent=1))
    return target, told


def _lines(mixture: Mixture) -> Iterator[tuple[str, bytes]]:
    """Kind and bytes of each line: "clean", "spun", "blank" or one of BROKEN."""
    rng = random.Random(mixture.seed)
    clean, spun = _clean(rng, mixture.held), _spun(rng)
    bad = sorted(rng.uniform(0.01, 0.99) * mixture.size for _ in range(mixture.broken))
    kinds = list(BROKEN)
    made = number = 0
    last = ""
    while made < mixture.size:
        number += 1
        id = f"{number:08}-{rng.getrandbits(32):08x}"
        if bad and last and made > bad[0]:
            kind = kinds[(mixture.broken - len(bad)) % len(kinds)]
            del bad[0]
            line = BROKEN[kind](last, id) + b"\n"
        elif rng.random() < 0.0005:
            kind, line = "blank", b" \n"
        else:
            kind = "spun" if rng.random() < mixture.spun else "clean"
            corpus, text = next(spun if kind == "spun" else clean)
            line, last = _record(rng, id, corpus, text), id
        made += len(line)
        yield kind, line


def _record(rng: random.Random, id: str, corpus: str, text: str) -> bytes:
    """An article with further keys, in any order."""
    row = [
        ("id", json.dumps(id)),
        ("text", ""),
        ("url", json.dumps(f"https://example.org/{corpus}/{id}")),
        ("fetched", f"{rng.randrange(10**18, 10**19)}.50"),
        ("meta", json.dumps({"tags": ["a", "é", {"deep": [1, 2.0, None]}]}, ensure_ascii=rng.random() < 0.5)),
        ("score", rng.choice(["1e400", "-0.0", "1.10", "12345678901234567890"])),
    ]  # fmt: skip
    rng.shuffle(row)
    ascii_only, space = rng.random() < 0.5, rng.choice(["", " "])
    body = json.dumps(text, ensure_ascii=ascii_only)
    parts = [f'"{key}":{space}{body if key == "text" else value}' for key, value in row]
    end = "\r\n" if rng.random() < 0.001 else "\n"
    return ("{" + f",{space}".join(parts) + "}" + end).encode("utf-8", "replace")


def _clean(rng: random.Random, held: float) -> Iterator[tuple[str, str]]:
    """Corpus and text of clean articles without end: runs of lines, as long as articles are."""
    streams = {name: _endless(name, rng) for name in (*BUILD, *HELD)}
    while True:
        sizes = HELD_BYTES if rng.random() < held else BUILD
        (name,) = rng.choices(list(sizes), list(sizes.values()))
        for _ in range(CHANGE):
            wanted = min(MOST_TEXT, max(LEAST_TEXT, int(rng.lognormvariate(0, 0.7) * USUAL_TEXT)))
            taken, size = [], 0
            while size < wanted:
                taken.append(next(streams[name])[:MOST_TEXT])
                size += len(taken[-1]) + 1
            yield name, "\n".join(taken)


def _endless(name: str, rng: random.Random) -> Iterator[str]:
    """The lines of a corpus that hold something, again and again; where articles begin differs each time."""
    while True:
        for line in lines(name):
            if line.strip() and rng.random() < 0.98:
                yield line


def _spun(rng: random.Random) -> Iterator[tuple[str, str]]:
    """Our own spun articles without end: as they are, then with some of their swaps undone."""
    golds = list(own("spun"))
    share = 1.0
    while True:
        rng.shuffle(golds)
        for gold in golds:
            yield "spun", thinned(gold, share, rng)["text"]
        share = rng.uniform(0.6, 1.0)
