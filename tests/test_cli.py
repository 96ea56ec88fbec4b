"""The command as a user meets it: output, exit codes, and what is written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import STUB, Command
from typer.testing import CliRunner

from repair.cli import app

SPUN = "Today environment media spoke.\n"
FIXED = "Today state media spoke.\n"


@pytest.fixture
def article(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_text(SPUN, encoding="utf-8")
    return path


def test_help_is_fast_and_imports_nothing_heavy(command: Command) -> None:
    code = (
        "import sys, repair.cli; sys.argv = ['repair', '--help']\n"
        "try: repair.cli.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'torch', 'trafilatura', 'charset_normalizer', 'rapidfuzz', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).stderr.strip() == b"[]"
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        assert command("--help", real=True).returncode == 0
        times.append(time.perf_counter() - begin)
    assert min(times) < 0.6  # 0.25 s on an idle machine; tests share theirs


@pytest.mark.parametrize("name", ["check", "fix", "review", "explain", "evaluate", "lexicon"])
def test_every_command_has_help(command: Command, name: str) -> None:
    result = command(name, "--help")
    assert result.returncode == 0 and b"Usage" in result.stdout


def test_version(command: Command) -> None:
    assert command("--version").stdout.startswith(b"mt-repair ")


def test_the_real_command_on_plain_words(command: Command, tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("The cat sat on the mat.\n")
    result = command("check", "b.txt", "--format", "jsonl", real=True)
    row = json.loads(result.stdout)
    assert result.returncode == 0
    assert (row["schema"], row["id"], row["findings"]) == ("repair/1", "b.txt", [])
    assert command("fix", "b.txt", real=True).stdout == b"The cat sat on the mat.\n"


def test_check_text(command: Command, article: Path) -> None:
    result = command("check", "a.txt")
    assert result.returncode == 1
    out = result.stdout.decode()
    assert out.startswith("a.txt: spun (0.90")
    assert "1:7  environment media → state media" in out and "0.97 replace" in out
    assert "\x1b" not in out
    assert result.stderr.decode().startswith("1 article, 4 words: 1 finding, 1 would be replaced")
    assert article.read_text() == SPUN


def test_check_says_nothing_of_clean_articles(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("clean\n")
    result = command("check", "a.txt")
    assert (result.returncode, result.stdout) == (0, b"")
    assert b"a.txt: clean" in command("check", "a.txt", "-v").stdout


def test_verbose_shows_surroundings_and_evidence(command: Command, article: Path) -> None:
    out = command("check", "a.txt", "-v").stdout.decode()
    assert "Today [environment media] spoke" in out and "counts: 1376, 0" in out


def test_quiet_and_exit_zero(command: Command, article: Path) -> None:
    result = command("check", "a.txt", "-q", "--exit-zero")
    assert (result.returncode, result.stderr) == (0, b"")
    assert command("check", "nothing", "-q").stderr != b""
    silent = command("check", "nothing", "-qq")
    assert (silent.returncode, silent.stderr) == (3, b"")


def test_check_jsonl_is_the_contract(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": 7, "text": "bosom growth"}\n\n{"id": "x"}\n{"id": "y", "text": ""}\n')
    result = command("check", "a.jsonl", "--format", "jsonl")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.returncode == 3
    assert [row["id"] for row in rows] == ["7", "a.jsonl:3", "y"]
    assert rows[0]["findings"] == [
        {
            "start": 0,
            "end": 5,
            "observed": "bosom",
            "confidence": 0.97,
            "action": "flag",
            "suggestions": [{"text": "breast", "probability": 0.9, "source": "lexicon"}],
            "evidence": {"counts": [1376, 0]},
        }
    ]
    assert rows[1]["error"]["code"] == "missing-field"
    assert "--text-field" in rows[1]["error"]["message"]


def test_check_github(command: Command, article: Path) -> None:
    out = command("check", "a.txt", "--format", "github").stdout.decode()
    assert out.startswith("::warning file=a.txt,line=1,endLine=1,col=7,endColumn=24,title=repair::environment media")


def test_colour(command: Command, article: Path) -> None:
    assert b"\x1b[" in command("check", "a.txt", "--color", "always").stdout
    assert b"\x1b[" not in command("check", "a.txt", "--color", "auto").stdout


def test_fix_prints_the_text_alone(command: Command, article: Path) -> None:
    result = command("fix", "a.txt")
    assert (result.returncode, result.stdout) == (0, FIXED.encode())
    assert article.read_text() == SPUN


def test_fix_reads_stdin(command: Command) -> None:
    assert command("fix", "-", input=SPUN.encode()).stdout == FIXED.encode()
    line = json.dumps({"text": SPUN}).encode()
    assert json.loads(command("fix", "-", "--input", "jsonl", input=line).stdout) == {"text": FIXED}


def test_fix_exits_1_while_findings_remain(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("bosom")
    result = command("fix", "a.txt")
    assert (result.returncode, result.stdout) == (1, b"bosom")


def test_fix_in_place_with_backup(command: Command, article: Path) -> None:
    article.chmod(0o640)
    result = command("fix", "-w", "--backup", ".bak", "a.txt")
    assert result.returncode == 0 and result.stdout == b""
    assert article.read_text() == FIXED and (article.stat().st_mode & 0o777) == 0o640
    assert article.with_name("a.txt.bak").read_text() == SPUN
    assert "1:7  environment media → state media" in result.stderr.decode()
    stamp = article.stat().st_mtime_ns
    assert command("fix", "-w", "--backup", ".bak", "a.txt").returncode == 0
    assert article.stat().st_mtime_ns == stamp, "a file without changes is not written"


def test_fix_jsonl_in_place_touches_nothing_else(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [
        b'{"id":1,  "text": "environment media", "keep": [1.50, "\\u00e9"]}\r\n',
        b"\n",
        b"broken\n",
        b'{"text": "clean", "big": 12345678901234567890}',
    ]
    path.write_bytes(b"".join(lines))
    assert command("fix", "-w", "a.jsonl").returncode == 3
    assert path.read_bytes() == b"".join(lines).replace(b"environment media", b"state media")


def test_fix_into_a_folder(command: Command, tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "a.md").write_text("`environment media` environment media\n")
    (tmp_path / "in" / "page.html").write_text(f"<html><body><article><p>{SPUN * 20}</p></article></body></html>")
    assert command("fix", "-o", "out", "in").returncode == 0
    assert (tmp_path / "out" / "deep" / "a.md").read_text() == "`environment media` state media\n"
    assert (tmp_path / "out" / "page.html.txt").read_text().startswith("Today state media")


def test_diff_applies_with_patch(command: Command, tmp_path: Path) -> None:
    lines = [f"line {i}\n" for i in range(40)]
    for i in (0, 3, 20, 39):
        lines[i] = f"{i} environment media\r\n"
    old = "".join(lines).rstrip("\n").encode()
    (tmp_path / "a.txt").write_bytes(old)
    result = command("fix", "--diff", "a.txt")
    assert result.returncode == 1
    patched = subprocess.run(
        ["git", "apply", "-p0", "--whitespace=nowarn", "-"], input=result.stdout, cwd=tmp_path, capture_output=True
    )
    assert patched.returncode == 0, patched.stderr
    assert (tmp_path / "a.txt").read_bytes() == old.replace(b"environment media", b"state media")


def test_diff_of_jsonl(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "ok"}\n{"text": "environment media"}\n')
    out = command("fix", "--diff", "a.jsonl").stdout.decode().splitlines()
    assert out[2:] == ["@@ -2 +2 @@", '-{"text": "environment media"}', '+{"text": "state media"}']


@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("check", "a.txt", "--format", "xml"),
        ("check", "a.txt", "--without", "lexicn"),
        ("check", "a.txt", "--caution", "extreme"),
        ("check", "a.txt", "--min-rewrite", "3"),
        ("check", "a.txt", "--config", "none.toml"),
        ("check", "a.txt", "--lexicon", "none.tsv"),
        ("fix", "a.txt", "-w", "--diff"),
        ("fix", "a.txt", "--backup", ".bak"),
        ("fix", "a.txt", "-w", "--backup", "/../x"),
        ("fix", "-", "-w"),
        ("explain", "a.txt", "--at", "three"),
        ("explain", "a.txt", "--at", "9:1"),
        ("explain", "a.txt", "--at", "1:1", "--id", "nobody"),
        ("evaluate", "a.txt", "--show", "everything"),
        ("nonsense",),
    ],
)
def test_wrong_usage_exits_2_and_says_why(
    monkeypatch: pytest.MonkeyPatch, article: Path, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(article.parent)
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2 and result.output and "Traceback" not in result.output
    assert article.read_text() == SPUN


def test_explain_shows_the_losers(command: Command, article: Path) -> None:
    result = command("explain", "a.txt", "--at", "1:9")
    out = result.stdout.decode()
    assert result.returncode == 0
    assert "Today [environment media] spoke" in out and "✓ state media" in out and "ratio: 9" in out
    assert r"· \x1b[31mloser" in out and "rarer" in out
    rows = [
        json.loads(row) for row in command("explain", "a.txt", "--at", "1:9", "--format", "jsonl").stdout.splitlines()
    ]
    assert [row["won"] for row in rows] == [True, False]
    assert command("explain", "a.txt", "--at", "1:1").stderr.startswith(b"nothing was considered")


def test_a_bug_costs_one_article(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("CRASH")
    (tmp_path / "b.txt").write_text(SPUN)
    result = command("fix", "a.txt", "b.txt")
    assert (result.returncode, result.stdout) == (3, FIXED.encode())
    assert result.stderr.startswith(b"error: a.txt: internal error: RuntimeError: a bug")


def test_settings_and_own_lexicon_reach_the_repairer(command: Command, article: Path, tmp_path: Path) -> None:
    (tmp_path / "repair.toml").write_text('ignore = ["environment media"]\n')
    assert command("check", "a.txt").returncode == 0
    assert command("check", "a.txt", "--no-config").returncode == 1
    (tmp_path / "repair.toml").write_text('ignroe = ["x"]\n')
    result = command("check", "a.txt")
    assert result.returncode == 2 and b"did you mean 'ignore'" in result.stderr


def test_ignored_files(command: Command, article: Path, tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("clean")
    assert command("check", ".", "--ignore-files", "a.*").returncode == 0
    assert command("check", ".").returncode == 1


def test_lexicon_commands(command: Command, tmp_path: Path) -> None:
    assert command("lexicon", "add", "environment media", "state media", "--context", "+kim").returncode == 0
    assert command("lexicon", "ignore", "red tape").returncode == 0
    again = command("lexicon", "ignore", "red tape")
    assert again.returncode == 2 and b"there already" in again.stderr
    assert command("lexicon", "add", "state media", "environment media").returncode == 2
    assert command("lexicon", "add", "x", "x").returncode == 2
    (tmp_path / "export.csv").write_text('tortured_phrase,expected_phrase,num_papers\n"""a b"" AND ""c""",d,"1,200"\n')
    assert command("lexicon", "import", "export.csv", "--file", "new.tsv").returncode == 0
    assert "a b\td\tnoun\t0.9\t+c\t1200 papers" in (tmp_path / "new.tsv").read_text()
    assert command("lexicon", "check", "new.tsv").returncode == 0
    with (tmp_path / "new.tsv").open("a") as file:
        file.write("a\tb\n")
    bad = command("lexicon", "check", "new.tsv")
    assert bad.returncode == 1 and b"new.tsv:3: 2 columns instead of 8" in bad.stdout


@pytest.mark.skipif(os.name != "posix", reason="POSIX only")
def test_on_a_terminal(environment: dict[str, str], tmp_path: Path) -> None:
    """Colour and a progress bar of our own, but nothing that the article brings along."""

    def screen(*arguments: str, **more: str) -> str:
        ours, theirs = os.openpty()
        process = subprocess.Popen(
            [sys.executable, STUB, *arguments],
            cwd=tmp_path,
            env=environment | {"TERM": "xterm"} | more,
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        out = b""
        try:
            while piece := os.read(ours, 10_000):
                out += piece
        except OSError:  # how Linux says that the other side is closed
            pass
        os.close(ours)
        process.wait(20)
        return out.decode()

    for i in range(6):
        (tmp_path / f"{i}.txt").write_text("Today environment media \x1b]0;owned\x07 spoke.\n")
    for arguments in (["check", "."], ["check", "-v", "."], ["fix", "--diff", "."], ["fix", "."]):
        out = screen(*arguments)
        assert "\x1b]0" not in out and "\x07" not in out, arguments
        assert ("6/6 5.txt" in out and "\x1b[31m" in out) or arguments == ["fix", "."]
    assert "\x1b[3" not in screen("check", ".", NO_COLOR="1")
    assert "6/6" not in screen("check", "-q", ".")


def test_completion(command: Command, environment: dict[str, str]) -> None:
    asked = {"_REPAIR_COMPLETE": "complete_bash", "COMP_WORDS": "repair ch", "COMP_CWORD": "1"}
    code = "from repair.cli import app; app(prog_name='repair')"
    result = subprocess.run([sys.executable, "-c", code], env=environment | asked, capture_output=True)
    assert result.stdout.split() == [b"check"]
