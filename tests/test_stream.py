"""jsonl as a stream: what is kept, what is added, what is left out, and what becomes of lines that can't be read."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import FIXED, SPUN, run

from repair.errors import UsageError
from repair.filters import Filter
from repair.lines import Line
from repair.report import Report, Verdict

pytestmark = pytest.mark.usefixtures("stubbed")


def rows(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines()]


def line(**row: object) -> bytes:
    return json.dumps(row).encode() + b"\n"


BROKEN = [  # of ten kinds
    b'{"id": "cut", "text": "x"\n',
    b"not json\n",
    b'["a list"]\n',
    b'{"id": "a", "text": "the id was given before"}\n',
    b'{"id": "no text"}\n',
    b'{"id": "wrong", "text": 5}\n',
    b'{"id": [], "text": "x"}\n',
    b'{"text": "\xff\xfe"}\n',
    b'{"id": "lone", "text": "a\\ud800b"}\n',
    b"[" * 5_000 + b"\n",
]
GOOD = [line(id="a", text=SPUN, n=1), line(id="b", text="clean"), line(id="z", text=SPUN)]
MIXED = b"".join([GOOD[0], *BROKEN[:5], GOOD[1], *BROKEN[5:], GOOD[2]])


def test_bad_lines_go_to_a_file_with_number_and_reason() -> None:
    result = run("fix", "-", "--input", "jsonl", "--errors", "bad.jsonl", input=MIXED)
    assert result.exit_code == 3
    assert result.stdout_bytes == b"".join(GOOD).replace(b"environment media", b"state media")
    bad = rows(Path("bad.jsonl").read_bytes())
    assert [row["line"] for row in bad] == [2, 3, 4, 5, 6, 8, 9, 10, 11, 12]
    assert all(row["message"] and row["code"] and row["source"] == "stdin" for row in bad)
    back = [row["raw"].encode() if "raw" in row else base64.b64decode(row["raw_base64"]) for row in bad]
    assert [one.rstrip(b"\n") for one in back] == [one.rstrip(b"\n") for one in BROKEN]


def test_bad_lines_stay_or_become_records() -> None:
    kept = run("fix", "-", "--input", "jsonl", input=MIXED)
    assert kept.stdout_bytes == MIXED.replace(b"environment media", b"state media")
    marked = rows(run("fix", "-", "--input", "jsonl", "--bad-lines", "record", input=MIXED).stdout_bytes)
    assert len(marked) == 13 and sum("error" in row for row in marked) == 10
    assert marked[4]["error"]["code"] == "duplicate-id"


def test_fields_are_added_and_every_other_byte_stays() -> None:
    odd = b'{"n": 1.50, "e": 1e400,"text":"Today\\u0020environment media spoke." , "big":12345678901234567890}\r\n'
    result = run("fix", "-", "--input", "jsonl", "--output-field", "fixed", "--report-field", "counts", input=odd)
    head, _, added = result.stdout_bytes.partition(b', "fixed": ')
    assert odd.startswith(head + b"}") and added.endswith(b"}\r\n")
    row = json.loads(result.stdout_bytes)
    assert row["fixed"] == FIXED and row["text"] == SPUN
    assert row["repair"]["verdict"] == "spun" and row["repair"]["replacements"] == 1
    assert len(row["repair"]["run"]) == 16


def test_the_full_report_is_evidence_enough_to_undo() -> None:
    result = run("fix", "-", "--input", "jsonl", "--report-field", "full", "--report-key", "r", input=GOOD[0])
    row = json.loads(result.stdout_bytes)
    (finding,) = row["r"]["findings"]
    new = finding["suggestions"][0]["text"]
    assert row["r"]["schema"] == "repair/1" and row["n"] == 1
    assert row["text"].replace(new, finding["observed"], 1) == SPUN


def test_a_field_that_is_there_is_not_overwritten() -> None:
    record = line(id="a", text=SPUN, repair="mine")
    result = run("fix", "-", "--input", "jsonl", "--report-field", "counts", input=record)
    assert (result.exit_code, result.stdout_bytes) == (3, record)
    assert "there already" in result.stderr


def test_weeding_without_rewriting() -> None:
    result = run("fix", "-", "--input", "jsonl", "--drop-if", "verdict>=spun", "--no-rewrite", input=b"".join(GOOD))
    assert result.stdout_bytes == GOOD[1]
    assert "2 dropped" in result.stderr
    kept = run("fix", "-", "--input", "jsonl", "--keep-if", "verdict >= spun", "--no-rewrite", input=b"".join(GOOD))
    assert kept.stdout_bytes == GOOD[0] + GOOD[2]


def report(label: Any, density: float, words: int = 10) -> Report:
    return Report(words, Verdict(label, 0.5, density))


@pytest.mark.parametrize(
    ("condition", "drops"),
    [
        ("verdict>=suspicious", True),
        ("verdict > spun", False),
        ("verdict==spun", True),
        ("verdict!=clean", True),
        ("verdict<paraphrased", True),
        ('verdict="paraphrased beyond repair"', False),
        ("density>0.1", True),
        ("density>.25", False),
        ("probability<=0.5", True),
        ("words<10", False),
        ("findings>0", False),
    ],
)
def test_conditions(condition: str, drops: bool) -> None:
    assert Filter.parse([condition], []).drops(report("spun", 0.2)) is drops
    assert Filter.parse([], [condition]).drops(report("spun", 0.2)) is not drops


@pytest.mark.parametrize(
    "text", ["", "spun", "verdict>=bad", "density>x", "density>1e3", "id=='x'", "__import__('os')>1"]
)
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Filter.parse([text], [])


@pytest.mark.parametrize(
    ("raw", "changes", "out"),
    [
        ("{}", {"a": 1}, '{"a": 1}'),
        (' { "a" : "x" } \n', {"a": "y", "b": 2}, ' { "a" : "y", "b": 2 } \n'),
        ('{"a":[1,{"b":"}"}],"b":"x"}', {"b": "y"}, '{"a":[1,{"b":"}"}],"b":"y"}'),
        ('{"b":"1","b":"2"}', {"b": "3"}, '{"b":"1","b":"3"}'),
        ('\ufeff{"é":"x"}', {"é": "ü"}, '\ufeff{"é":"ü"}'),
        ('{"a":"x"}', {"a": "ü"}, '{"a":"\\u00fc"}'),
    ],
)
def test_a_line_is_changed_where_it_must_be(raw: str, changes: dict[str, Any], out: str) -> None:
    form = Line({}, "a")
    assert form.encode(raw.encode(), changes).decode() == out


def test_stats_and_header_say_what_the_results_depend_on() -> None:
    Path("a.jsonl").write_bytes(b"".join(GOOD))
    result = run("check", "a.jsonl", "--format", "jsonl", "--header", "--stats", "s.json", "--ignore", "bosom")
    head, *reports = rows(result.stdout_bytes)
    stats = json.loads(Path("s.json").read_bytes())
    assert [row["id"] for row in reports] == ["a", "b", "z"]
    assert head["run"]["run"] == stats["run"] and stats["options"]["ignore"] == ["bosom"]
    assert stats["version"] and stats["artifacts"]["combination.npz"] and stats["lexicons"][0]["sha256"]
    assert (stats["articles"], stats["verdicts"]) == (3, {"spun": 2, "clean": 1})
    assert stats["findings_by_source"] == {"lexicon": 2} and "read" in stats["seconds"]


def test_a_changed_lexicon_is_noticed() -> None:
    lexicon = Path("own.tsv")
    found = []
    for note in ("one", "two"):
        lexicon.write_text(f"observed\toriginal\tkind\tweight\tcontext\tnote\tsource\n# {note}\n")
        run("fix", "-", "--lexicon", "own.tsv", "--stats", "s.json", input=b"x")
        found.append(json.loads(Path("s.json").read_bytes())["run"])
    assert found[0] != found[1]


def test_logs_for_machines() -> None:
    result = run("fix", "-", "--input", "jsonl", "--log-format", "json", input=MIXED)
    said = rows(result.stderr.encode())
    assert [row["event"] for row in said] == ["unreadable"] * 10 + ["summary"]
    assert said[0]["code"] == "json" and said[0]["line"] == 2
    assert said[-1]["articles"] == 3 and said[-1]["errors"]["json"] >= 3


def test_a_broken_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("in").mkdir()
    for name in "abc":
        Path("in", f"{name}.txt").write_text(SPUN)
    Path("in/b.txt").write_bytes(b"%PDF-")
    assert run("fix", "-o", "out", "in").exit_code == 3
    Path("in/b.txt").write_text(SPUN)
    Path("out/a.txt").write_text("not done twice")
    result = run("fix", "-o", "out", "--resume", "in")
    assert result.exit_code == 0 and "2 done before" in result.stderr
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.txt", "b.txt", "c.txt"], "no journal is left"
    assert Path("out/a.txt").read_text() == "not done twice" and Path("out/b.txt").read_text() == FIXED


def test_a_run_with_other_settings_does_not_go_on() -> None:
    Path("a.txt").write_bytes(b"%PDF-")
    Path("b.txt").write_text("clean")
    run("fix", "-o", "out", "a.txt", "b.txt")
    result = run("fix", "-o", "out", "--resume", "--ignore", "x", "a.txt", "b.txt")
    assert result.exit_code == 2 and "without --resume" in result.stderr


def test_an_empty_shard_is_mirrored_too() -> None:
    Path("in").mkdir()
    Path("in/a.jsonl").write_bytes(b"")
    Path("in/b.jsonl").write_bytes(GOOD[0])
    assert run("fix", "-o", "out", "--drop-if", "verdict>=spun", "in").exit_code in (0, 1)
    assert [path.read_bytes() for path in sorted(Path("out").iterdir())] == [b"", b""]
