"""Bad input gets a clear error that names it and the cure, and loses nothing; the run goes on."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import STUB, Command

from repair.display import plain
from repair.markdown import protected
from repair.read import Item, Source, find, read

SPUN = "Today environment media spoke.\n"
FIXED = "Today state media spoke.\n"
posix = pytest.mark.skipif(os.name != "posix", reason="POSIX only")


def one(path: Path) -> Item:
    (source,) = find([str(path)])
    assert isinstance(source, Source), source
    return next(iter(read(source)))


def code(path: Path) -> str:
    error = one(path).error
    assert error and str(path) in str(error)
    return error.code


@pytest.mark.parametrize("content", [b"", b" \n\t\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf" + SPUN.encode()])
def test_empty_blank_and_byte_order_mark(command: Command, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    result = command("fix", "a.txt")
    assert (result.returncode, result.stdout) == (0, content.replace(b"environment", b"state"))


def test_crlf_and_nul_bytes_stay(command: Command, tmp_path: Path) -> None:
    content = b"One.\r\nenvironment media\x00 and more words here so that one NUL is a stray one among text\r\n" * 3
    (tmp_path / "a.txt").write_bytes(content)
    assert command("fix", "-w", "a.txt").returncode == 0
    assert (tmp_path / "a.txt").read_bytes() == content.replace(b"environment media", b"state media")


@pytest.mark.parametrize(
    "content", [b"%PDF-1.7 text", b"PK\x03\x04", b"\x1f\x8b\x08", bytes(range(256)) * 20, b"\x00" * 999, b"\x89PNG\r\n"]
)
def test_binary_files_are_refused(command: Command, tmp_path: Path, content: bytes) -> None:
    for name in ("a.txt", "a.jsonl"):
        (tmp_path / name).write_bytes(content)
        assert code(tmp_path / name) == "binary"
    result = command("fix", "-w", "a.txt", "a.jsonl")
    assert result.returncode == 3 and (tmp_path / "a.txt").read_bytes() == content


def test_bytes_that_break_their_mark(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfabc\xff")
    assert code(tmp_path / "a.txt") == "encoding"
    (tmp_path / "b.jsonl").write_bytes(b"\xff\xfe{\x00}\x00")
    assert code(tmp_path / "b.jsonl") == "encoding"


def test_jsonl_lines_that_are_wrong(command: Command, tmp_path: Path) -> None:
    lines = [
        b'{"id": "good", "text": "environment media"}',
        b'{"id": "good", "text": "again"}',
        b'{"id": "none"}',
        b'{"id": "broken", "text": "x"',
        b'{"id": "lone", "text": "a\\ud800b"}',
        b'{"id": "\\udfff", "text": "b"}',
        b'["list"]',
        b'{"text": 5}',
        b'{"id": [], "text": "x"}',
        b'{"text": "\xff"}',
        b"[" * 100_000,
        b'{"text": "x", "n": ' + b"9" * 5000 + b"}",
        b'{"id": "last", "text": "environment media"}',
    ]
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    result = command("check", "a.jsonl", "--format", "jsonl")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.returncode == 3
    assert [row["error"]["code"] if "error" in row else row["id"] for row in rows] == [
        "good",
        "duplicate-id",
        "missing-field",
        "json",
        "surrogate",
        "surrogate",
        "json",
        "wrong-type",
        "wrong-type",
        "encoding",
        "json",
        "json",
        "last",
    ]
    assert rows[4]["id"] == "a.jsonl:5" and rows[4]["error"]["message"].startswith("a.jsonl:5: ")
    fixed = command("fix", "a.jsonl")
    assert fixed.stdout == path.read_bytes().replace(b"environment media", b"state media"), "bad lines go through"


def test_a_long_line_takes_bounded_time(tmp_path: Path, command: Command) -> None:
    begin = time.perf_counter()
    (tmp_path / "a.txt").write_bytes(b"word and word " * (50 * 1024 * 1024 // 14) + SPUN.encode())
    item = one(tmp_path / "a.txt")
    assert item.article and len(item.article.text) > 50_000_000
    result = command("fix", "--diff", "a.txt")
    assert result.returncode == 1 and b"state media" in result.stdout[-60:]
    assert time.perf_counter() - begin < 30


@pytest.mark.parametrize("piece", ["`", "``` ", "[x](", "](a(", "<a ", "<!--", "<a:", "[", "~~~\n", "\n \n", "    x\n"])
def test_hostile_markdown_takes_linear_time(piece: str) -> None:
    begin = time.perf_counter()
    protected(piece * (300_000 // len(piece)))
    assert time.perf_counter() - begin < 5


@pytest.mark.parametrize("tag", ["div", "p", "b", "table"])
def test_nested_tags(tmp_path: Path, tag: str) -> None:
    depth = 10_000
    path = tmp_path / "a.html"
    path.write_text(f"<html><body>{f'<{tag}>' * depth}{SPUN}{f'</{tag}>' * depth}</body></html>")
    begin = time.perf_counter()
    item = one(path)
    assert item.article or (item.error and item.error.code == "html")
    assert time.perf_counter() - begin < 30


@pytest.mark.parametrize("page", ["", " ", "<", "\x00" * 3, "<html></html>", "<!-- only -->", "no markup at all"])
def test_html_without_text(tmp_path: Path, page: str) -> None:
    path = tmp_path / "a.html"
    path.write_text(page)
    item = one(path)
    assert item.article or (item.error and item.error.code in ("html", "binary"))


def test_html_is_not_written_in_place(command: Command, tmp_path: Path) -> None:
    page = f"<html><body><article><p>{SPUN * 20}</p></article></body></html>"
    (tmp_path / "a.html").write_text(page)
    result = command("fix", "-w", "a.html")
    assert result.returncode == 3 and b"use --html in-place" in result.stderr
    assert (tmp_path / "a.html").read_text() == page


def test_what_is_missing_exits_3_and_the_rest_is_done(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("clean")
    (tmp_path / "empty").mkdir()
    result = command("check", "none.txt", "*.doc", "empty", "a.txt", "--format", "jsonl")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.returncode == 3
    assert [row.get("error", {}).get("code") for row in rows] == ["missing", "missing", "missing", None]
    assert command("check", "none.txt", "--exit-zero").returncode == 3


@posix
def test_no_permission(command: Command, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "a.txt").chmod(0)
    (tmp_path / "closed").mkdir(mode=0)
    result = command("check", "a.txt", "closed", "--format", "jsonl")
    assert [json.loads(line)["error"]["code"] for line in result.stdout.splitlines()] == ["permission", "permission"]


def test_no_permission_however_privileged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("x")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert code(tmp_path / "a.txt") == "permission"


@posix
def test_one_closed_folder_does_not_hide_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "z.txt").write_text("x")
    os.mkfifo(tmp_path / "pipe.txt")
    scan = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = [source.name if isinstance(source, Source) else source.error.code for source in find([str(tmp_path)])]
    assert sorted(found) == sorted([str(tmp_path / "z.txt"), "permission"]), "and a pipe is not waited for"


def test_damaged_gzip(tmp_path: Path) -> None:
    whole = gzip.compress(os.urandom(5000))
    for content in (whole[:2000], b"not gzip at all", whole[:100] + b"x" * 100 + whole[200:]):
        (tmp_path / "a.txt.gz").write_bytes(content)
        assert code(tmp_path / "a.txt.gz") == "gzip"


def test_a_decompression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("repair.read.LIMIT", 1_000_000)
    for name in ("a.txt.gz", "a.jsonl.gz"):
        with gzip.open(tmp_path / name, "wb") as file:
            file.write(b" " * 5_000_000)
        assert code(tmp_path / name) == "too-large"


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_a_file_that_changes_while_it_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text('{"text": "one"}\n{"text": "two"}\n')
    (source,) = find([str(path)])
    assert isinstance(source, Source)
    found = []
    for item in read(source):
        if not found:
            with path.open("a") as file:
                file.write('{"text": "three"}\n')
        found.append(item)
    assert found[-1].error and found[-1].error.code == "changed"


@posix
@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_disk_full_while_writing(environment: dict[str, str], tmp_path: Path, name: str) -> None:
    import resource

    content = (SPUN if name == "a.txt" else json.dumps({"text": SPUN}) + "\n") * 20_000
    (tmp_path / name).write_text(content)

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    result = subprocess.run(
        [sys.executable, "-B", STUB, "fix", "-w", "-q", name],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        preexec_fn=limit,
    )
    assert result.returncode == 3 and b"no room" in result.stderr and b"free space" in result.stderr
    assert (tmp_path / name).read_text() == content
    assert [path.name for path in tmp_path.iterdir()] == [name]


@posix
def test_interrupted_half_way(environment: dict[str, str], tmp_path: Path) -> None:
    for name in ("1.txt", "2.txt", "3.txt"):
        (tmp_path / name).write_text(SPUN if name == "1.txt" else f"SLOW {SPUN}")
    (tmp_path / "4.jsonl").write_text(json.dumps({"text": SPUN}) + "\n")
    process = subprocess.Popen(
        [sys.executable, STUB, "fix", "-w", "--batch", "1", "."],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 20
    while (tmp_path / "1.txt").read_text() != FIXED and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130 and b"interrupted" in err and b"Traceback" not in err
    assert (tmp_path / "1.txt").read_text() == FIXED
    assert (tmp_path / "3.txt").read_text() == f"SLOW {SPUN}"
    assert len(list(tmp_path.iterdir())) == 4, "no temporary file is left"


@posix
def test_a_closed_pipe_is_quiet(environment: dict[str, str], tmp_path: Path) -> None:
    rows = "".join(json.dumps({"id": i, "text": SPUN * 20}) + "\n" for i in range(2000))
    (tmp_path / "a.jsonl").write_text(rows)
    for arguments in ("check a.jsonl --format jsonl", "check a.jsonl", "fix a.jsonl", "fix --diff a.jsonl"):
        process = subprocess.Popen(
            [sys.executable, STUB, *arguments.split()],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout and process.stderr
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b"", arguments
        assert process.wait(20) == 141


def test_scraped_text_can_not_steer_the_terminal(command: Command, tmp_path: Path) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\u202e\x9b31m environment media \x1b[31m\n"
    (tmp_path / "a.txt").write_text(evil)
    (tmp_path / "b\x1b[31m.txt").write_text(evil)
    for arguments in (["check", "-v", "."], ["check", "--format", "github", "."], ["check", "--format", "jsonl", "."]):
        result = command(*arguments)
        out = (result.stdout + result.stderr).decode()
        assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(out), arguments
    assert plain("a\tb\n\x1b", keep="\n") == r"a\tb" + "\n" + r"\x1b"


def test_one_bad_file_among_good_ones(command: Command, tmp_path: Path) -> None:
    for name in ("a.txt", "c.txt"):
        (tmp_path / name).write_text(SPUN)
    (tmp_path / "b.txt").write_bytes(b"%PDF-1.4")
    result = command("fix", "-w", ".")
    assert result.returncode == 3 and b"b.txt: it is a PDF" in result.stderr
    assert [(tmp_path / name).read_text() for name in ("a.txt", "c.txt")] == [FIXED, FIXED]


def test_one_error_for_one_missing_file(command: Command, tmp_path: Path) -> None:
    for arguments in (["-w"], ["-o", "out"], ["--diff"], []):
        result = command("fix", *arguments, "none.txt", "nothing.txt")
        assert result.returncode == 3 and result.stderr.count(b"error: ") == 2, arguments
    assert list(tmp_path.iterdir()) == []


def test_output_onto_the_input_is_refused(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(SPUN)
    result = command("fix", "-o", ".", "a.txt")
    assert result.returncode == 3 and b"use -w" in result.stderr
    assert (tmp_path / "a.txt").read_text() == SPUN
