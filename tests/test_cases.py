"""Cases as data: tests/cases/*/*.json, each a text and what must and must not happen to it.

    {"why": "...", "text": "...", "frame": "spun" | "clean" | null,
     "must_find": ["observed", ...], "must_suggest": {"observed": "original", ...},
     "must_replace": {"observed": "original", ...},
     "must_keep": ["wording no finding may touch", ...], "must_stand": ["wording fix must leave as it is", ...],
     "verdict": ["clean", "suspicious"]}

``frame`` sets the text into an article of our own, spun or clean: one sentence alone says little.
Folders: in-the-wild (what machines were seen to do, in sentences of our own), clean (nothing may happen), synthetic
(one mechanism each), known-failures (strict: a case that passes must move to where it belongs).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from repair import Repairer
from repair.report import Finding

FOLDER = ROOT / "tests/cases"
KEYS = {"why", "text", "frame", "must_find", "must_suggest", "must_replace", "must_keep", "must_stand", "verdict"}
BEFORE = {
    "spun": (
        "The neighborhood council mentioned on Monday that group of workers on the depot would be requested to droop "
        "their walkout. By means of the weekend, extra than forty automobiles had been caught in the yard, and the "
        "corporate stated it used to be “disenchanted”. A spokeswoman informed newshounds that talks will have to "
        "proceed in spite of the upward push in prices.\n\n"
    ),
    "clean": (
        "The local council said on Monday that staff at the depot would be asked to suspend their strike. By the "
        "weekend more than forty cars had been stuck in the yard, and the company said it was disappointed. A "
        "spokeswoman told reporters that talks must continue despite the rise in prices.\n\n"
    ),
    None: "",
}


def cases(kind: str) -> list[Any]:
    marks = [pytest.mark.xfail(strict=True, raises=AssertionError)] if kind == "known-failures" else []
    return [pytest.param(p, id=f"{kind}/{p.stem}", marks=marks) for p in sorted((FOLDER / kind).glob("*.json"))]


ALL = [case for kind in ("in-the-wild", "clean", "synthetic", "known-failures") for case in cases(kind)]


@pytest.mark.parametrize("path", ALL)
def test_case(repairer: Repairer, path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    assert set(case) <= KEYS and case["why"], "an unknown key would be a promise that nobody checks"
    before = BEFORE[case.get("frame")]
    text = before + case["text"]
    repair = repairer.fix(text)
    assert repair.undo() == text
    found = repair.report.findings

    def on(wording: str) -> list[Finding]:
        at = text.index(wording, len(before))
        return [f for f in found if f.start < at + len(wording) and at < f.end]

    for wording in case.get("must_find", []):
        assert on(wording), f"{wording!r} was not found"
    for wording, original in case.get("must_suggest", {}).items():
        said = [s.text for f in on(wording) for s in f.suggestions]
        assert original in said, f"{wording!r}: suggested {said}"
    for wording, original in case.get("must_replace", {}).items():
        assert original in repair.text[len(before) - 200 :] and any(f.action == "replace" for f in on(wording)), (
            f"{wording!r} became {[(f.action, [s.text for s in f.suggestions]) for f in on(wording)]}"
        )
    for wording in case.get("must_keep", []):
        assert not on(wording), f"{wording!r} was touched: {[f.observed for f in on(wording)]}"
    for wording in case.get("must_stand", []):
        assert wording in repair.text, f"{wording!r} was rewritten"
    if "verdict" in case:
        assert repair.report.verdict.label in case["verdict"], repair.report.verdict


def test_every_case_asks_for_something() -> None:
    for path in FOLDER.glob("*/*.json"):
        case = json.loads(path.read_text(encoding="utf-8"))
        assert set(case) - {"why", "text", "frame"}, f"{path}: no expectation"
        keys = ("must_find", "must_suggest", "must_replace", "must_keep", "must_stand")
        missing = [wording for key in keys for wording in case.get(key, ()) if wording not in case["text"]]
        assert not missing, f"{path}: it asks for {missing}"
