"""The gate: figures on our own annotated articles never fall below what tests/floors.json pins.

To raise a floor, write the new figure there. To lower one is a decision of its own: floors.json keeps a "lowered" list
with the old value and the reason. The gate refuses articles other than those that the floors were pinned on. Nothing is
ever trained on them: tests/articles are of the machines that the development articles show, tests/kinds of many others,
tests/later of many others still, by four writers who came after all of the training articles.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from conftest import ROOT

from repair import Repairer, Report
from repair.evaluate import Gold, Unit, score, score_clean
from training.articles import folder

FLOORS: dict[str, Any] = json.loads((ROOT / "tests/floors.json").read_text(encoding="utf-8"))
# Folders of tests/, with their spun and their clean articles.
SETS = {"articles": (20, 16), "kinds": (36, 18), "later": (44, 20)}


def bounds(side: str) -> list[tuple[str, str]]:
    """Sets and figures with a floor (``at_least``) or a ceiling (``at_most``)."""
    return [(name, figure) for name in SETS for figure in FLOORS[name][side]]


def checksum(name: str) -> str:
    """Of all articles of a set and their annotation: other articles would be other figures."""
    sum = hashlib.sha256()
    for path in sorted((ROOT / "tests" / name).glob("*/*.txt")):
        sum.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return sum.hexdigest()


def gold(article: Any) -> Gold:
    """An article as repair.evaluate reads it."""
    units = (Unit(u["start"], u["end"], tuple(u["originals"]), u["optional"]) for u in article["units"])
    return Gold(article["id"], article["text"], tuple(units))


@pytest.fixture(scope="module")
def figures(repairer: Repairer) -> dict[str, dict[str, float]]:
    """All figures of the gate by set, computed once."""
    return {name: measured(repairer, name) for name in SETS}


def measured(repairer: Repairer, name: str) -> dict[str, float]:
    """The figures of a set."""
    spun, clean = (list(folder(ROOT / "tests" / name / kind)) for kind in ("spun", "clean"))
    golds = list(map(gold, spun))
    reports = dict(zip((g.id for g in golds), repairer.check_stream(g.text for g in golds), strict=True))
    quiet: list[Report] = list(repairer.check_stream(a["text"] for a in clean))
    out = score(golds, reports) | score_clean(quiet)
    out["verdict_spun_found"] = sum(r.verdict.label != "clean" for r in reports.values()) / len(reports)
    out["verdict_clean_accused"] = sum(r.verdict.label == "spun" for r in quiet) / len(quiet)
    lists = {**out.pop("lists"), "clean": out.pop("clean_list")}
    print(name, json.dumps({k: v for k, v in out.items() if not isinstance(v, list)}, indent=1))
    for kind in ("harm", "clean"):
        print(kind, *lists[kind], sep="\n  ")
    return out


@pytest.mark.parametrize("name", SETS)
def test_the_articles_are_those_the_floors_were_pinned_on(name: str) -> None:
    counts = tuple(len(list((ROOT / "tests" / name).glob(f"{kind}/*.txt"))) for kind in ("spun", "clean"))
    assert counts == SETS[name]
    assert checksum(name) == FLOORS[name]["sha256"], "measure again; pin floors and checksum together"


@pytest.mark.parametrize(("name", "figure"), bounds("at_least"))
def test_at_least(figures: dict[str, dict[str, float]], name: str, figure: str) -> None:
    found = figures[name][figure]
    assert found >= FLOORS[name]["at_least"][figure], f"{figure} fell to {found}"


@pytest.mark.parametrize(("name", "figure"), bounds("at_most"))
def test_at_most(figures: dict[str, dict[str, float]], name: str, figure: str) -> None:
    found = figures[name][figure]
    assert found <= FLOORS[name]["at_most"][figure], f"{figure} rose to {found}"


def test_no_floor_was_lowered_in_silence() -> None:
    """Every floor in "lowered" says from where, to where and why; none stands below what was given up there."""
    for entry in FLOORS["lowered"]:
        assert set(entry) == {"set", "figure", "from", "to", "date", "why"} and len(entry["why"]) > 20
        assert entry["figure"] in {**FLOORS[entry["set"]]["at_least"], **FLOORS[entry["set"]]["at_most"]}


def test_the_measuring_itself_is_sound(spun: list[Any], clean: list[Any]) -> None:
    """Gold that is reported back scores one; nothing reported scores nothing."""
    from repair.report import Finding, Suggestion, Verdict

    golds = list(map(gold, spun))
    verdict = Verdict("spun", 1.0, 0.2)

    def told(u: Unit, text: str) -> Finding:
        return Finding(u.start, u.end, text[u.start : u.end], 1, "replace", (Suggestion(u.originals[0], 1, "lexicon"),))

    perfect = {g.id: Report(100, verdict, tuple(told(u, g.text) for u in g.units if not u.optional)) for g in golds}
    best, nothing = score(golds, perfect), score(golds, {})
    ones = ("detection_precision", "detection_recall", "top1", "edit_precision", "edit_recall")
    assert all(best[name] == 1.0 for name in ones)
    assert nothing["detection_recall"] == nothing["edit_recall"] == 0 and nothing["units"] == best["units"] > 400
    assert not any(a["units"] for a in clean)
