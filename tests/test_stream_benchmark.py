"""The checks of benchmarks/stream.py see what they are there for, and the charts are well formed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import run

from benchmarks.mixture import CODES, Mixture, build
from benchmarks.page import put
from benchmarks.plots import HEIGHT, WIDTH, chart
from benchmarks.stream import OPTIONS, checked
from training.corpora import SHARED

pytestmark = pytest.mark.usefixtures("stubbed")
ROWS = [
    b'{"text": "Today environment media spoke.", "id": 1, "n": 1.50}\n',
    b"not json\n",
    b" \n",
    b'{"id":2,"text":"caf\\u00e9, environment media", "e": 1e400}\r\n',
    '{"id": 3, "text": "café", "deep": [1, {"a": null}]}\n'.encode(),
]


def output() -> list[bytes]:
    """The lines that the command makes of ROWS, which lie in ``in.jsonl`` then."""
    Path("in.jsonl").write_bytes(b"".join(ROWS))
    result = run("fix", "-", *OPTIONS, "--errors", "bad.jsonl", input=b"".join(ROWS))
    assert result.exit_code == 3
    return result.stdout_bytes.splitlines(keepends=True)


def faults(lines: list[bytes]) -> list[str]:
    Path("out.jsonl").write_bytes(b"".join(lines))
    found: list[str] = checked(Path("in.jsonl"), {"broken": {"2": "json"}, "lines": len(ROWS)}, Path())["faults"]
    return found


def test_a_right_output_has_no_faults() -> None:
    lines = output()
    assert faults(lines) == [] and len(lines) == 4


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda lines: lines[:-1],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [lines[0], lines[0], *lines[2:]],
        lambda lines: [lines[2], *lines[1:2], lines[0], lines[3]],
        lambda lines: [lines[0].replace(b"1.50", b"1.5"), *lines[1:]],
        lambda lines: [*lines[:2], lines[2].replace(b"1e400", b"Infinity"), lines[3]],
        lambda lines: [*lines[:2], lines[2].replace(b"\r\n", b"\n"), lines[3]],
        lambda lines: [*lines[:3], lines[3].replace("café".encode(), b"caf\\u00e9")],
        lambda lines: [*lines[:3], lines[3].replace(b'"deep": ', b'"deep":')],
        lambda lines: [lines[0], b"\n", *lines[2:]],
        lambda lines: [json.dumps({**json.loads(lines[0]), "more": 1}).encode() + b"\n", *lines[1:]],
        lambda lines: [ROWS[0], *lines[1:]],
    ],
)
def test_every_other_output_has(spoilt: Callable[[list[bytes]], list[bytes]]) -> None:
    lines = output()
    assert spoilt(lines) != lines and faults(spoilt(lines))


def test_errors_must_be_those_of_the_input() -> None:
    lines = output()
    told = Path("bad.jsonl").read_bytes()
    for bad in (b"", told + told, told.replace(b'"line": 2', b'"line": 3'), told.replace(b"not json", b"not jsom")):
        Path("bad.jsonl").write_bytes(bad)
        assert faults(lines)


@pytest.mark.skipif(not (SHARED / "corpora").exists(), reason="no corpora here")
def test_a_mixture_is_the_same_each_time_and_its_broken_lines_are_broken() -> None:
    mixture = Mixture(400_000, spun=0.2, broken=20)
    source, told = build(mixture, Path())
    again, _ = build(mixture, Path("again"))
    assert source.read_bytes() == again.read_bytes() and told["bytes"] >= 400_000
    assert hashlib.sha256(source.read_bytes()).hexdigest() == told["sha256"]
    assert sorted(told["broken"].values()) == sorted(2 * list(CODES.values()))
    result = run("fix", source, *OPTIONS, "--errors", "bad.jsonl")
    assert result.exit_code == 3
    Path("out.jsonl").write_bytes(result.stdout_bytes)
    found = checked(source, told, Path())
    assert found["faults"] == [] and found["errors"] == 20
    assert 0.1 < told["spun"] / told["articles"] < 0.3


@pytest.mark.parametrize("logarithmic", [True, False])
def test_charts_are_well_formed_and_inside_their_frame(logarithmic: bool) -> None:
    lines = {"1 worker <&>": [(1, 3.5), (10, 32), (1000, 3000)], "2 workers": [(1, 4), (1000, 1600)]}
    root = ElementTree.fromstring(chart("A & b", "MB", "seconds", lines, logarithmic=logarithmic))
    circles = [(float(c.get("cx", "")), float(c.get("cy", ""))) for c in root.iter() if c.tag.endswith("circle")]
    assert len(circles) == 5 and all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in circles)
    assert circles[0][0] < circles[1][0] < circles[2][0] and circles[0][1] > circles[1][1] > circles[2][1]


def test_parts_of_a_page_are_replaced_alone() -> None:
    page = Path("page.md")
    page.write_text("# Title\n\nWritten by hand.\n")
    put(page, "one", "One", ["first"])
    put(page, "two", "Two", ["second"])
    put(page, "one", "One", ["third \\1"])
    text = page.read_text()
    assert text.startswith("# Title\n\nWritten by hand.\n") and "first" not in text
    assert text.index("third \\1") < text.index("second") and text.count("## ") == 2
