"""What goes wrong around a run: killed processes, full disks, half files, huge records. Nothing is lost or doubled."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import FIXED, SPUN, STUB, Command, run

from benchmarks.watch import tree

pytestmark = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="looks at processes in /proc")
PATIENCE = 120.0  # seconds; machines that run tests are busy


def line(**row: object) -> bytes:
    return json.dumps(row).encode() + b"\n"


def until(condition: object) -> None:
    """Waits for ``condition``, which is called."""
    deadline = time.monotonic() + PATIENCE
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs; one that is over but not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def workers(pid: int) -> list[int]:
    """The worker processes: the fork server's children."""
    below = set(tree(pid)) - {pid}
    parents = {one: Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[1] for one in below if alive(one)}
    return sorted(one for one, parent in parents.items() if int(parent) != pid)


@contextmanager
def running(folder: Path, environment: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """The stubbed command, in a session of its own, killed with all that it started where a test fails."""
    process = subprocess.Popen(
        [sys.executable, STUB, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=(folder / "stdout").open("wb"),
        stderr=(folder / "stderr").open("wb"),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        for pid in list(tree(process.pid)):
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def test_a_worker_killed_from_outside_costs_nothing(environment: dict[str, str], tmp_path: Path) -> None:
    texts = [f"SLOW {SPUN} {i}" for i in range(10)]
    (tmp_path / "a.jsonl").write_bytes(b"".join(line(id=i, text=text) for i, text in enumerate(texts)))
    with running(tmp_path, environment, "fix", "-j", "2", "--batch", "2", "a.jsonl") as process:
        until((tmp_path / "stdout").read_bytes)
        victims = workers(process.pid)
        assert len(victims) == 2 and process.poll() is None
        os.kill(victims[0], signal.SIGKILL)
        until(lambda: not alive(victims[0]))
        assert process.wait(PATIENCE) == 0, (tmp_path / "stderr").read_text()
        assert victims[0] not in workers(process.pid)
    rows = [json.loads(row) for row in (tmp_path / "stdout").read_bytes().splitlines()]
    assert rows == [{"id": i, "text": text.replace(SPUN, FIXED)} for i, text in enumerate(texts)]
    assert "10 replaced" in (tmp_path / "stderr").read_text()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_no_process_and_no_temporary_file_is_left(
    environment: dict[str, str], tmp_path: Path, sent: signal.Signals, jobs: str
) -> None:
    (tmp_path / "in").mkdir()
    for i in range(40):
        (tmp_path / f"in/{i:02}.txt").write_text(SPUN if i < 2 else f"SLOW {SPUN}")
    with running(tmp_path, environment, "fix", "-j", jobs, "--batch", "1", "-o", "out", "in") as process:
        until((tmp_path / "out/01.txt").exists)
        every = list(tree(process.pid))
        assert len(every) >= (1 if jobs == "1" else 4)
        # Ctrl-C reaches the whole group.
        (os.killpg if sent == signal.SIGINT else os.kill)(process.pid, sent)
        assert process.wait(PATIENCE) == 128 + sent
        until(lambda: not any(map(alive, every)))
    said = (tmp_path / "stderr").read_text()
    assert said.count("is kept, the rest is as it was") == 1 and "Traceback" not in said
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert ".repair-journal.jsonl" in names and not [name for name in names if name.endswith(".tmp")]
    assert (tmp_path / "out/01.txt").read_text() == FIXED and len(names) < 40


def test_after_kill_9_the_workers_go_and_the_run_goes_on(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for i in range(12):
        (tmp_path / f"in/{i:02}.jsonl").write_bytes(line(id=1, text=SPUN) + line(id=2, text=f"SLOW {SPUN}") * (i > 3))
    arguments = ["fix", "-j", "2", "--batch", "1", "-o", "out", "in"]
    with running(tmp_path, environment, *arguments) as process:
        until((tmp_path / "out/05.jsonl").exists)
        every = list(tree(process.pid))
        process.kill()
        process.wait()
        until(lambda: not any(map(alive, every)))
    done = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("[0-9]*.jsonl")}
    assert 4 < len(done) < 12
    with running(tmp_path, environment, *arguments, "--resume") as process:
        assert process.wait(PATIENCE) == 0, (tmp_path / "stderr").read_text()
    assert f"{len(done)} done before" in (tmp_path / "stderr").read_text()
    assert all(path.stat().st_mtime_ns == when for path, when in done.items()), "nothing is done twice"
    for i in range(12):
        old = (tmp_path / f"in/{i:02}.jsonl").read_bytes()
        assert (tmp_path / f"out/{i:02}.jsonl").read_bytes() == old.replace(b"environment media", b"state media")
    assert len(list((tmp_path / "out").glob("*.jsonl"))) == 12


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_article_that_kills_and_one_that_fails_are_two_errors(command: Command, tmp_path: Path, jobs: str) -> None:
    good = [line(id=i, text=f"{SPUN} {i}", n=1.50) for i in range(30)]
    bad = {4: line(id="bug", text="CRASH")} | ({17: line(id="deadly", text="DIE")} if jobs == "2" else {})
    rows = list(good)
    for at, row in bad.items():
        rows.insert(at, row)
    result = command("fix", "-", "--input", "jsonl", "-j", jobs, "--errors", "bad.jsonl", input=b"".join(rows))
    assert result.returncode == 3 and b"Traceback" not in result.stderr
    assert result.stdout == b"".join(good).replace(b"environment media", b"state media")
    told = [json.loads(row) for row in (tmp_path / "bad.jsonl").read_bytes().splitlines()]
    assert [(row["line"], row["code"], row["raw"].encode() + b"\n") for row in told] == [
        (at + 1, {4: "internal", 17: "crash"}[at], row) for at, row in bad.items()
    ]


FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")


@FULL
@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize(("arguments", "rows"), [("fix", 2), ("fix", 20_000), ("check --format jsonl", 2)])
def test_a_full_disk_behind_stdout(
    environment: dict[str, str], tmp_path: Path, jobs: str, arguments: str, rows: int
) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"".join(line(id=i, text=SPUN) for i in range(rows)))
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, STUB, *arguments.split(), "-q", "-j", jobs, "a.jsonl"],
            cwd=tmp_path,
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
        )
    assert done.returncode == 3
    assert done.stderr.count(b"\n") == 1 and b"no room for the output" in done.stderr and b"free space" in done.stderr


@FULL
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_full_disk_behind_the_list_of_errors(command: Command, jobs: str) -> None:
    rows = line(text=SPUN) + b"bad\n" + line(text=SPUN) * 100
    result = command("fix", "-", "--input", "jsonl", "-j", jobs, "--errors", "/dev/full", input=rows)
    assert result.returncode == 3 and b"/dev/full: it can't be written" in result.stderr
    assert b"free space" in result.stderr and b"Traceback" not in result.stderr
    assert Path("/dev/full").is_char_device()


def limited(bytes_: int) -> None:
    """In a child: no file may be longer, as if the disk were full then."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.parquet"])
@pytest.mark.parametrize("arguments", [["-w"], ["-o", "out"]])
def test_a_full_disk_leaves_files_as_they_were(
    environment: dict[str, str], tmp_path: Path, name: str, arguments: list[str]
) -> None:
    texts = [f"{SPUN} {os.urandom(200).hex()}" for _ in range(3_000)]
    raw = b"".join(line(text=text) for text in texts)
    if name == "a.parquet":
        pytest.importorskip("pyarrow")
        import pyarrow.parquet as pq
        from pyarrow import table

        pq.write_table(table({"text": texts}), tmp_path / name)
    else:
        (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    (tmp_path / "b.txt").write_text(SPUN)
    before = (tmp_path / name).read_bytes()
    done = subprocess.run(
        [sys.executable, "-B", STUB, "fix", "-q", *arguments, name, "b.txt"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        preexec_fn=lambda: limited(100_000),
    )
    assert done.returncode == 3 and b"no room" in done.stderr and b"free space" in done.stderr
    assert b"Traceback" not in done.stderr and (tmp_path / name).read_bytes() == before
    folder = tmp_path / ("out" if arguments[0] == "-o" else "")
    assert (folder / "b.txt").read_text() == FIXED, "what has room is done"
    left = {path.name for path in folder.iterdir()} - {"out"}
    assert left == ({"b.txt", ".repair-journal.jsonl"} if arguments[0] == "-o" else {name, "b.txt"})


def test_figures_may_go_to_a_device_or_a_pipe(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("clean")
    os.mkfifo(tmp_path / "pipe")
    command = [sys.executable, STUB, "check", "-q", "--stats", "pipe", "a.txt"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment):
        assert json.loads((tmp_path / "pipe").read_bytes())["articles"] == 1
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.usefixtures("stubbed")
@pytest.mark.parametrize("name", ["a.txt.gz", "a.jsonl.gz"])
def test_half_a_gzip_is_told_and_left_as_it_was(name: str) -> None:
    rows = [line(id=i, text=f"{SPUN} {os.urandom(8).hex()}") for i in range(3_000)]
    whole = gzip.compress(b"".join(rows))
    for cut in (12, len(whole) // 2, len(whole) - 4):
        Path(name).write_bytes(whole[:cut])
        result = run("fix", "-w", name)
        assert result.exit_code == 3 and "gzip data is damaged" in result.stderr
        assert Path(name).read_bytes() == whole[:cut] and os.listdir() == [name]
        printed = run("fix", "-q", name)
        lines = printed.stdout_bytes.splitlines(keepends=True)
        assert printed.exit_code == 3
        if name == "a.jsonl.gz":  # what could be read is printed, whole, in order and once
            assert lines == [row.replace(b"environment", b"state") for row in rows[: len(lines)]]
            assert cut == 12 or len(lines) > 1_000
        else:
            assert not lines, "half an article is none"


@pytest.mark.usefixtures("stubbed")
@pytest.mark.parametrize(("compression", "sums"), [("zstd", True), ("none", True), ("gzip", False)])
def test_a_parquet_damaged_in_its_last_rows(compression: str, sums: bool) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    texts = [f"{SPUN} {os.urandom(20).hex()}" for _ in range(20_000)]
    path = Path("a.parquet")
    how = {"compression": compression, "write_page_checksum": sums, "use_dictionary": False}
    pq.write_table(pa.table({"text": texts}), path, row_group_size=5_000, **how)
    column = pq.ParquetFile(path).metadata.row_group(3).column(0)
    raw = bytearray(path.read_bytes())
    middle = column.data_page_offset + column.total_compressed_size // 2
    raw[middle : middle + 2_000] = bytes(2_000)
    path.write_bytes(raw)
    for arguments in (["-o", "out"], ["-w"]):
        result = run("fix", "-q", *arguments, "a.parquet")
        assert result.exit_code == 3 and "damaged" in result.stderr and "write or fetch it again" in result.stderr
    assert path.read_bytes() == bytes(raw) and os.listdir() == ["a.parquet"]


def spent() -> float:
    """Processor seconds of the processes that have been waited for."""
    times = os.times()
    return times.children_user + times.children_system


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_record_of_50_mb_among_others(command: Command, tmp_path: Path, jobs: str) -> None:
    huge = line(id="huge", text="word and word " * (50_000_000 // 14) + SPUN, n=1)
    small = [line(id=i, text=f"{SPUN} {i}") for i in range(40)]
    raw = b"".join([*small[:20], huge, *small[20:]])
    assert len(huge) > 50_000_000
    begin = spent()
    result = command("fix", "-q", "-", "--input", "jsonl", "-j", jobs, input=raw, timeout=300)
    assert result.returncode == 0 and result.stdout == raw.replace(b"environment media", b"state media")
    assert spent() - begin < 30


def peak(environment: dict[str, str], folder: Path, jobs: str, lines: int) -> float:
    """MB that the greatest of the processes held, on a stream of so many lines of 1 kB."""
    code = f'for i in range({lines}): print(\'{{"id": %d, "text": "%s %d"}}\' % (i, \'{SPUN} \' * 30, i))'
    source = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    arguments = ["fix", "-q", "-", "--input", "jsonl", "-j", jobs, "--report-field", "full"]
    measure = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", measure, sys.executable, STUB, *arguments],
        stdin=source.stdout,
        cwd=folder,
        env=environment,
        capture_output=True,
    )
    assert source.wait() == 0 and done.returncode == 0, done.stderr
    return float(done.stdout)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_long_stream_takes_no_more_memory_than_a_short_one(
    environment: dict[str, str], tmp_path: Path, jobs: str
) -> None:
    assert peak(environment, tmp_path, jobs, 20_000) < peak(environment, tmp_path, jobs, 1_000) + 12
