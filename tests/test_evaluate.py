"""``repair evaluate`` gives the figures of the project's own scorer, to the last digit."""

from __future__ import annotations

import importlib.util
import json
import random
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from conftest import ROOT, Command

from repair.errors import InputError
from repair.evaluate import Gold, Unit, read_gold, score, score_clean
from repair.report import Finding, Report, Suggestion, Verdict

SHARED = ROOT.parent / "shared"
GOLD = SHARED / "data" / "dev" / "spun.jsonl"


def report(words: int, *findings: Finding) -> Report:
    return Report(words, Verdict("spun", 1, 0), findings)


def finding(text: str, start: int, end: int, action: Any, *suggestions: str) -> Finding:
    return Finding(start, end, text[start:end], 0.9, action, tuple(Suggestion(s, 0.5, "x") for s in suggestions))


TEXT = "The environment media spoke in a herbal assets way, and an huge cat ran."
ARTICLE = Gold(
    "a",
    TEXT,
    (
        Unit(4, 21, ("state media", "state-run media")),
        Unit(33, 46, ("natural resources",)),
        Unit(59, 63, ("large",), optional=True),
    ),
)


def test_a_small_case_by_hand() -> None:
    found = report(
        14,
        finding(TEXT, 4, 15, "replace", "state"),
        finding(TEXT, 33, 39, "flag", "herb", "natural"),
        finding(TEXT, 59, 63, "replace", "tiny"),
        finding(TEXT, 64, 67, "replace", "dog"),
    )
    figures = score([ARTICLE], {"a": found})
    assert figures["units"] == 2 and figures["findings"] == 4 and figures["replacements"] == 3
    assert (figures["detection_precision"], figures["detection_recall"]) == (0.75, 1.0)
    assert (figures["top1"], figures["top5"]) == (0.5, 0.5), "'natural assets' is only half of it"
    assert (figures["edit_precision"], figures["edit_recall"]) == (0.3333, 0.5)
    assert len(figures["lists"]["harm"]) == 2 and "[cat]" in figures["lists"]["alarm"][0]
    assert score_clean([found])["clean_replacements_per_1000"] == round(3000 / 14, 3)


def test_nothing_found() -> None:
    figures = score([ARTICLE], {})
    assert figures["detection_f05"] == 0 and len(figures["lists"]["missed"]) == 2


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    path = SHARED / "bench" / "score.py"
    if not path.exists() or not GOLD.exists():
        pytest.skip("the project's shared folder is not here")
    spec = importlib.util.spec_from_file_location("bench_score", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("seed", range(4))
def test_equals_the_bench(bench: ModuleType, seed: int) -> None:
    pick = random.Random(seed)
    articles = read_gold(GOLD)
    reports = {article.id: report(len(article.text.split()), *_noisy(article, pick)) for article in articles}
    rows = {id: one.to_dict(id) for id, one in reports.items()}
    theirs = bench.score(bench.read(str(GOLD)), rows) | bench.score_clean(rows)
    ours = score(articles, reports) | score_clean(reports.values())
    assert ours == theirs
    assert 0 < ours["top1"] < 1 and 0 < ours["edit_precision"] < 1


def _noisy(article: Gold, pick: random.Random) -> list[Finding]:
    """Findings that are right, too short, too long, shifted, wrong or invented."""
    out: list[Finding] = []
    for unit in article.units:
        start, end = unit.start, unit.end
        wording = pick.choice(unit.originals)
        kind = pick.random()
        if kind < 0.1:
            start = max(0, article.text.rfind(" ", 0, max(0, start - 1)) + 1)
            wording = article.text[start : unit.start] + wording
        elif kind < 0.2:
            end = min(len(article.text), end + 6)
        elif kind < 0.3:
            start = min(end - 1, start + article.text[start:end].find(" ") + 1)
        elif kind < 0.5:
            continue
        others = pick.sample(["wrong", wording, wording.upper(), f"an {wording}", "the"], 3)
        if (out and start < out[-1].end) or not article.text[start:end].strip():
            continue
        suggestions = others if pick.random() < 0.6 else [wording, *others]
        out.append(finding(article.text, start, end, pick.choice(["flag", "replace"]), *suggestions))
    return out


def test_the_command(command: Command, tmp_path: Path) -> None:
    unit = {"start": 4, "end": 21, "observed": "environment media", "originals": ["state media"]}
    (tmp_path / "gold.jsonl").write_text(json.dumps({"id": "a", "text": TEXT, "units": [unit]}) + "\n")
    (tmp_path / "clean.jsonl").write_text(json.dumps({"id": "c", "text": "bosom " + "word " * 9}) + "\n")
    result = command("evaluate", "gold.jsonl", "--clean", "clean.jsonl", "--json")
    figures = json.loads(result.stdout.splitlines()[0])
    assert result.returncode == 0, result.stderr
    assert (figures["top1"], figures["edit_precision"], figures["clean_findings_per_1000"]) == (1.0, 0.5, 100.0)
    shown = command("evaluate", "gold.jsonl", "--show", "missed,alarm").stdout.decode()
    assert "missed (0)" in shown and "detection_f05" in shown


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"id": "a", "text": "abc"}',
        '{"id": "a", "text": "abc", "units": [{"start": 0, "end": 2, "observed": "xx", "originals": []}]}',
        '{"id": "a", "text": "b", "units": []}\n{"id": "a", "text": "b", "units": []}',
    ],
)
def test_broken_gold_names_the_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "gold.jsonl").write_text(line)
    with pytest.raises(InputError, match=rf"gold\.jsonl:{line.count(chr(10)) + 1}: "):
        read_gold(tmp_path / "gold.jsonl")
