"""Tables of swaps of our own: for common words and phrases, what machines put in their place (training/tables.txt.xz).

    python -m training.tables FILE...

adds tables, each of one writer: a line is "original: swap; swap; ...", in base form, the likeliest first. Writers went
through the common words of English one by one, so the tables hold what articles seldom happen to. What is held back
from training (training/swaps.py) is left out of it and of the habits too, so that figures on it stay true.
"""

from __future__ import annotations

import argparse
import lzma
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from repair import rows
from training.articles import norm

FILE = Path(__file__).with_name("tables.txt.xz")
_MARK = "#: "  # begins the line that names a table
MOST_WORDS = 5  # of either side

Listed = tuple[str, str, int]  # observed, original, and how many swaps stand before it


def usable(observed: str, original: str) -> bool:
    """Whether a swap can be a row: some words on either side, with letters, and not the same."""
    sides = observed, original
    if any(rows.CONTROL.search(s) or len(s.split()) > MOST_WORDS or s != " ".join(s.split()) for s in sides):
        return False
    return all(any(c.isalpha() for c in s) for s in sides) and norm(observed) != norm(original) and len(observed) > 1


@cache
def tables() -> dict[str, list[Listed]]:
    """The swaps of every table, by its name. Raises FileNotFoundError where there are none."""
    found: dict[str, list[Listed]] = {}
    for line in lzma.decompress(FILE.read_bytes()).decode().split("\n"):
        if line.startswith(_MARK):
            table = found.setdefault(line.removeprefix(_MARK), [])
        else:
            table += parsed(line)
    return found


def parsed(line: str) -> Iterator[Listed]:
    """The swaps of a line, each once."""
    original, _, rest = line.partition(":")
    swaps = dict.fromkeys(swap.strip().replace("’", "'") for swap in rest.split(";"))
    original = original.strip().replace("’", "'")
    usable_ones = (swap for swap in swaps if usable(swap, original))
    yield from ((swap, original, place) for place, swap in enumerate(usable_ones))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    known = lzma.decompress(FILE.read_bytes()).decode() if FILE.exists() else ""
    parts = [known.rstrip("\n")] if known else []
    for path in parser.parse_args().files:
        if f"{_MARK}{path.stem}\n" in known:
            parser.error(f"{path}: a table {path.stem!r} is there already; give it another name")
        lines = [line.strip() for line in path.read_text(encoding="utf-8").split("\n")]
        if empty := [line for line in lines if line and not any(parsed(line))]:
            print(f"{path}: {len(empty)} lines hold no swap, such as {empty[0]!r}")
        parts.append("\n".join([_MARK + path.stem, *(line for line in lines if any(parsed(line)))]))
    FILE.write_bytes(lzma.compress("\n".join(parts).encode() + b"\n", preset=9))
    tables.cache_clear()
    found = tables()
    print(f"{sum(map(len, found.values()))} swaps in {len(found)} tables; {FILE.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
