"""The real Repairer, real models: what holds for every text, however good the models are."""

from __future__ import annotations

import subprocess
import sys
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, sharing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repair import Article, Repairer, Report
from repair.candidates import SOURCES
from repair.errors import UsageError
from repair.report import edit_of
from repair.rows import COLUMNS

EXAMPLES = sorted((ROOT / "examples").glob("*.txt"))
SPUN = (ROOT / "examples/ferry-strike.txt").read_text(encoding="utf-8")
ODD = {
    "empty": "",
    "blanks": " \n\t\r\n\u2003\u00a0",
    "NUL": "The environment media\0said. \0",
    "lone surrogates": "The \ud800 environment media \udfff said.",
    "emoji": "👩‍👩‍👧‍👦 The environment media 🇬🇧 mentioned 😀😀 it.",
    "İ": "İSTANBUL İ İ İ: the environment media mentioned İzmir, ﬁne, ßtraße.",
    "combining": "e\u0301" * 300,
    "bidi": "\u202eaidem etats\u202c \u200b\ufeff x",
    "controls": "\x01\x02\x1b[31m environment\x85media\x0b\x0c.",
    "CRLF": "Environment media\r\nspoke.\rAgain\r\n\r\n",
    "one letter": "a",
    "punctuation": "...!!!???" * 60,
    "quotes": "“”‘’\"'" * 80,
    "another language": "Der Hund hat gestern die Zeitung gefressen, und niemand wollte es gewesen sein. " * 4,
    "no blanks": "environmentmedia" * 200,
    "Chinese": "国家媒体周三报道，该国将于下周举行新一轮谈判。" * 20,
}


def findings(report: Report) -> list[tuple[Any, ...]]:
    """What a report says, but for the last digits of its chances: these depend on what is computed together."""
    return [(f.start, f.end, f.action, tuple(s.text for s in f.suggestions)) for f in report.findings]


def check_report(report: Report, article: Article) -> None:
    """What holds for every report."""
    at = 0
    for f in report.findings:
        assert at <= f.start < f.end <= len(article.text)
        assert article.text[f.start : f.end] == f.observed == f.observed.strip()
        assert len(f.observed.split()) <= 10 and "\n" not in f.observed
        assert 0 <= f.confidence <= 1 and all(0 <= s.probability <= 1 for s in f.suggestions)
        texts = [s.text for s in f.suggestions]
        assert len(set(texts)) == len(texts) <= 5 and f.observed not in texts
        assert all(t == t.strip() != "" for t in texts)
        assert all(set(s.source.split("+")) <= {*SOURCES, "context"} for s in f.suggestions)
        assert f.action == "flag" or (f.suggestions and report.verdict.label == "spun")
        assert not any(a < f.end and f.start < z for a, z in article.protected)
        at = f.end
    assert 0 <= report.verdict.probability <= 1 and 0 <= report.verdict.density <= 1 and report.words >= 0


def check_repair(repairer: Repairer, article: Article) -> None:
    """What holds for every repair: exact undo, exact offsets, nothing else touched, nothing left to do."""
    text = article.text
    repair = repairer.fix(article)
    check_report(repair.report, article)
    assert repair.undo() == text
    at = new = 0
    for e in repair.edits:
        assert at <= e.start <= e.end and text[e.start : e.end] == e.before != e.after
        kept = text[at : e.start]
        assert repair.text[new : new + len(kept)] == kept
        new += len(kept)
        assert repair.text[new : new + len(e.after)] == e.after
        assert (repair.offsets.to_new(e.start), repair.offsets.to_new(e.end)) == (new, new + len(e.after))
        assert (repair.offsets.to_old(new), repair.offsets.to_old(new + len(e.after))) == (e.start, e.end)
        new += len(e.after)
        at = e.end
    assert repair.text[new:] == text[at:]
    for start, end in article.protected:
        assert repair.text[repair.offsets.to_new(start) : repair.offsets.to_new(end)] == text[start:end]
    moved = tuple((repair.offsets.to_new(a), repair.offsets.to_new(z)) for a, z in article.protected)
    again = repairer.fix(Article(repair.text, protected=moved))
    assert not again.edits and again.text == repair.text


def test_every_article_keeps_every_promise(repairer: Repairer, spun: list[Any]) -> None:
    for text in [*(a["text"] for a in spun[::6]), *(p.read_text(encoding="utf-8") for p in EXAMPLES)]:
        check_repair(repairer, Article(text))


def test_a_bold_repairer_keeps_them_too(repairer: Repairer, spun: list[Any]) -> None:
    """With thresholds near zero nearly everything is rewritten: no promise may rest on caution."""
    bold = sharing(repairer, screen=False, report_at=0.05, rewrite_at=0.05)
    for text in (SPUN, spun[1]["text"], SPUN.replace("\n", "\r\n"), SPUN.replace("’", "'").upper()):
        check_repair(bold, Article(text))


@pytest.mark.parametrize("name", ODD)
def test_odd_texts(repairer: Repairer, thorough: Repairer, name: str) -> None:
    check_repair(repairer, Article(ODD[name]))
    for text in (ODD[name], SPUN[:300] + ODD[name] + SPUN[300:450]):
        check_repair(thorough, Article(text))


SIGNS = ["a", "an", "İ", "😀", "\0", "`x`", "https://x.org", "\n", "(KCNA)", "“", "”", "’s", "\r\n"]
WORDS = st.sampled_from([*SPUN.split()[:150], *SIGNS])


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS, max_size=80), st.data())
def test_shuffled_text_with_any_protected_zones(thorough: Repairer, words: list[str], data: st.DataObject) -> None:
    text = " ".join(words)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6, unique=True)))
    zones = tuple((a, z) for a, z in zip(cuts[::2], cuts[1::2], strict=False))
    check_repair(thorough, Article(text, protected=zones))


def test_protected_zones_are_left_alone(repairer: Repairer) -> None:
    first = repairer.fix(SPUN)
    assert first.edits, "the example is not repaired at all"
    zones = tuple((e.start, e.end) for e in first.edits[::2])
    check_repair(repairer, Article(SPUN, protected=zones))
    whole = repairer.fix(Article(SPUN, protected=((0, len(SPUN)),)))
    assert whole.text == SPUN and not whole.report.findings


def test_addresses_and_code_are_left_alone(repairer: Repairer) -> None:
    zones = [
        "https://upward-push.example.org/by/means/of",
        "group.of.workers@example.org",
        "`in line with cent`",
        "<b class='remedy'>",
    ]
    text = SPUN.replace("Skerravoe on", f"Skerravoe {' '.join(zones)} on")
    fixed = repairer.fix(text)
    assert fixed.edits and all(zone in fixed.text for zone in zones)


def test_streams_say_what_single_calls_say(repairer: Repairer, spun: list[Any], clean: list[Any]) -> None:
    texts = ["", SPUN, clean[0]["text"], spun[0]["text"], "x", SPUN, spun[9]["text"]]
    single = [repairer.check(t) for t in texts]
    assert list(map(findings, repairer.check_stream(texts))) == list(map(findings, single))
    fixed = list(repairer.fix_stream(Article(t, str(i)) for i, t in enumerate(texts)))
    assert [f.text for f in fixed] == [repairer.fix(t).text for t in texts]
    assert [r.words for r in repairer.check_stream(texts)] == [r.words for r in single]


def test_streams_are_lazy_and_bounded(repairer: Repairer) -> None:
    taken = 0

    def source() -> Any:
        nonlocal taken
        while True:
            taken += 1
            yield "A short clean line."

    stream = repairer.check_stream(source())
    assert taken == 0
    assert next(stream).verdict.label == "clean" and taken <= 64
    for _ in range(200):
        next(stream)
    assert taken <= 300


def test_no_state_between_articles(repairer: Repairer, spun: list[Any]) -> None:
    before = findings(repairer.check(SPUN))
    for article in spun[:4]:
        repairer.check(article["text"])
    assert findings(repairer.check(SPUN)) == before


def test_threads_share_one_repairer(repairer: Repairer, spun: list[Any]) -> None:
    texts = [SPUN[:450], *(a["text"][:450] for a in spun[:3])] * 2
    expected = [findings(repairer.check(t)) for t in texts[:4]] * 2
    fresh = sharing(repairer, without=["ngrams"])  # tables of its own, empty still
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda t: findings(repairer.check(t)), texts)) == expected
        together = list(pool.map(lambda t: findings(fresh.check(t)), texts))
    assert together == [findings(fresh.check(t)) for t in texts]


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_can_be_switched_off(repairer: Repairer, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lexicon = repairer._pipeline.judge.proposer.lexicon
    monkeypatch.setattr("repair.pipeline.Lexicon", lambda *_: lexicon)
    less = sharing(repairer, without=[source], screen=False, report_at=0.05)
    report = less.check(SPUN[:450])
    check_report(report, Article(SPUN[:450]))
    named = {name for f in report.findings for s in f.suggestions for name in s.source.split("+")}
    assert source not in named


def test_with_every_source_off_nothing_is_suggested(repairer: Repairer) -> None:
    none = sharing(repairer, without=SOURCES, screen=False)
    report = none.fix(SPUN).report
    assert not any(f.suggestions for f in report.findings)


def test_what_the_user_ignores_is_never_reported(repairer: Repairer, monkeypatch: pytest.MonkeyPatch) -> None:
    observed = repairer.fix(SPUN).edits[0].before
    other = Repairer(ignore=[observed])
    other._pipeline.__dict__.update({n: getattr(repairer._pipeline, n) for n in ("store", "encoder", "combination")})
    report = other.check(SPUN)
    at = SPUN.index(observed)
    assert not any(f.start < at + len(observed) and at < f.end for f in report.findings)


def test_the_users_own_lexicon_counts(repairer: Repairer, tmp_path: Path) -> None:
    own = tmp_path / "own.tsv"
    row = ("zorbing wheel", "ferry terminal", "noun", "0.99", "", "", "own", "")
    own.write_text("\t".join(COLUMNS) + "\n" + "\t".join(row) + "\n")
    other = Repairer(lexicons=[own])
    other._pipeline.__dict__.update({n: getattr(repairer._pipeline, n) for n in ("store", "encoder", "combination")})
    text = SPUN.replace("on the terminal", "at the zorbing wheels")
    proposed = {c.text for c in other.explain(text, text.index("zorbing"))}
    assert "ferry terminals" in proposed


def test_explain_shows_winners_first_and_losers(repairer: Repairer) -> None:
    report = repairer.check(SPUN)
    finding = next(f for f in report.findings if f.action == "replace")
    shown = repairer.explain(SPUN, finding.end - 1)
    assert shown[0].won and shown[0].text == finding.suggestions[0].text.lower() and "fix" in shown[0].why
    assert len(shown) > 1 and not any(c.won for c in shown[1:])
    assert all(c.why and c.start <= finding.end - 1 < c.end for c in shown)
    assert repairer.explain(SPUN, SPUN.index("\n")) == [] == repairer.explain("", 0) == repairer.explain(SPUN, 10**9)


def test_evidence_is_plain_data(repairer: Repairer) -> None:
    import json

    report = repairer.check(SPUN)
    row = json.loads(json.dumps(report.to_dict("x")))
    assert row["schema"] == "repair/1" and row["findings"] and all(f["evidence"] for f in row["findings"])
    assert all(edit_of(f).after for f in report.findings if f.action == "replace")


def test_caution_orders_what_is_rewritten(repairer: Repairer) -> None:
    low, normal, high = (len(sharing(repairer, caution=c).check(SPUN).findings) for c in ("low", "normal", "high"))
    assert low >= normal >= high
    with pytest.raises(UsageError, match="low, normal or high"):
        Repairer(caution="reckless")  # type: ignore[arg-type]


MEGABYTES = {"a word": "a" * 1_000_000, "numbers": "7 " * 500_000, "Chinese": "国家媒体" * 250_000}


@pytest.mark.parametrize("name", MEGABYTES)
def test_a_megabyte_in_one_line(repairer: Repairer, name: str) -> None:
    text = MEGABYTES[name]
    begin = time.perf_counter()
    repair = repairer.fix(text)
    assert repair.text == text and time.perf_counter() - begin < 30


def test_the_same_words_composed_otherwise(repairer: Repairer) -> None:
    """Offsets are code points of the text as it came, whatever normal form that has."""
    for form in ("NFC", "NFD"):
        check_repair(repairer, Article(unicodedata.normalize(form, SPUN.replace("Reid", "Réid"))))


def test_importing_is_light() -> None:
    heavy = {"torch", "numpy", "sentence_transformers", "lxml"}
    code = f"import sys, repair; repair.Repairer(); print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_plainly_clean_text_needs_no_torch() -> None:
    text = (
        "The bridge will be closed on Sunday while the council repairs the road. Drivers should use the ring road. "
        "Buses will run every ten minutes, and the car park by the station will be free all day."
    )
    call = f"r = Repairer().check({text!r}); print(r.verdict.label, 'torch' in sys.modules)"
    code = f"import sys; from repair import Repairer; {call}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "clean False", done.stdout + done.stderr
