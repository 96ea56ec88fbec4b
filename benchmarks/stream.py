"""A long jsonl through `repair fix`: benchmarks/stream.py [--size 1GB] [--runs 1:16,2:16,1:64,2:64] [--limit SECONDS].

The file (benchmarks/mixture.py: clean articles, 2 % spun ones, 50 lines of ten kinds that can't be read) goes through a
pipe into a whole process, for each of --runs (workers:batch). Then every line of the output is held against the input:
order, loss, doubles, keys and bytes that had to stay. Of each run: time, rate, memory sampled every second with that of
all children, errors told, sha256 of what came out.

Results go into a JSON file as they come, the table to stdout, progress to stderr. What is there of the same input,
artifacts and options is not run again (--again does). A run that --limit stops, or that is interrupted, is done anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import Any

from benchmarks.mixture import Mixture, build
from benchmarks.watch import Watch, ended
from repair.provenance import provenance

UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9}
OPTIONS = ["--input", "jsonl", "--report-field", "counts", "-q", "-q", "--log-format", "json", "--no-config"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "REPAIR_LEXICON": os.devnull}
SAID = 30.0  # seconds between two lines of progress
FAULTS_SHOWN = 20
NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG]B)", re.IGNORECASE)


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def size_of(text: str) -> int:
    """Bytes of "10MB"."""
    if not (match := NUMBER.fullmatch(text.strip())):
        raise argparse.ArgumentTypeError(f"{text!r}: write a size such as 10MB or 1GB")
    return int(float(match[1]) * UNITS[match[2].upper()])


def runs_of(text: str) -> list[tuple[int, int]]:
    """Workers and batch size of each run of "1:16,2:64"."""
    try:
        return [(int(jobs), int(batch)) for jobs, batch in (one.split(":") for one in text.split(","))]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: write workers:batch, such as 1:16,2:16") from None


def run(source: Path, jobs: int, batch: int, into: Path, limit: float) -> dict[str, Any]:
    """One run of the command; its output and errors lie in ``into`` then."""
    out, bad, stats = into / "out.jsonl", into / "bad.jsonl", into / "stats.json"
    for path in (out, bad, stats):
        path.unlink(missing_ok=True)
    command = [sys.executable, "-m", "repair.cli", "fix", "-", *OPTIONS, "-j", str(jobs), "--batch", str(batch)]
    command += ["--errors", str(bad), "--stats", str(stats)]
    total = source.stat().st_size
    begun = time.monotonic()
    with out.open("wb") as file, (into / "stderr").open("wb") as told:
        cat = subprocess.Popen(["cat", str(source)], stdout=subprocess.PIPE)
        process = subprocess.Popen(command, stdin=cat.stdout, stdout=file, stderr=told, env=ENVIRONMENT)
        assert cat.stdout
        cat.stdout.close()  # so that cat hears of it when the command ends
        watch = Watch(process.pid)
        watch.start()
        late = False
        try:
            while not ended(process, SAID):
                took, done = time.monotonic() - begun, out.stat().st_size
                left = f", about {(total / done - 1) * took / 60:,.0f} min left" if done else ""
                memory = watch.samples[-1][1] if watch.samples else 0
                so_far = f"{done / 1e6:,.1f} of {total / 1e6:,.0f} MB, {memory:,.0f} MB held"
                say(f"-j {jobs} --batch {batch}: {so_far}{left}")
                if took > limit and not late:
                    late = True
                    process.send_signal(signal.SIGTERM)
        finally:
            watch.stop()
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait()
            cat.terminate()
            cat.wait()
    took = time.monotonic() - begun
    result: dict[str, Any] = {
        "jobs": jobs,
        "batch": batch,
        "complete": not late,
        "exit_code": process.returncode,
        "seconds": round(took, 2),
        "processor_seconds": round(sum(watch.spent.values()), 2),
        "mb_per_second": round(total / 1e6 / took, 4),
        "peak_mb": {name: round(value, 1) for name, value in watch.peak.items()},
        "growth_mb": watch.growth(),
        "processes": watch.processes,
        "samples": watch.samples,
    }
    with suppress(OSError, ValueError):
        result["stats"] = {k: v for k, v in json.loads(stats.read_text()).items() if k not in ("artifacts", "lexicons")}
    return result


def checked(source: Path, told: dict[str, Any], into: Path) -> dict[str, Any]:
    """What the output of a complete run says, line by line, of order, loss and bytes that had to stay."""
    expected: dict[str, str] = told["broken"]
    faults: list[str] = []
    count: Counter[str] = Counter()
    with source.open("rb") as old, (into / "out.jsonl").open("rb") as new:
        good = ((n, line) for n, line in enumerate(old, 1) if str(n) not in expected)
        for one, after in zip_longest(good, new):
            number, before = one or (0, b"")
            kind = _line(before, after or b"")
            count[kind] += 1
            if kind.startswith("fault"):
                faults += [f"line {number}: {kind}"] if len(faults) < FAULTS_SHOWN else []
    errors = [json.loads(line) for line in (into / "bad.jsonl").open("rb")]
    if {str(row["line"]): row["code"] for row in errors} != expected or len(errors) != len(expected):
        faults.append(f"{len(errors)} errors told, {len(expected)} lines are broken, or others, or for other reasons")
    if _raw(source, {row["line"] for row in errors}) != [_given(row) for row in errors]:
        faults.append("the lines that the errors give are not those of the input")
    return {
        "lines_in": told["lines"],
        "lines_out": sum(n for kind, n in count.items() if kind != "fault: missing"),
        "errors": len(errors),
        "rewritten": count["rewritten"],
        "left as they were": count["kept"] + count["blank"],
        "faults": faults,
        "sha256": {name: _sha256(into / f"{name}.jsonl") for name in ("out", "bad")},
    }


def _line(before: bytes, after: bytes) -> str:
    """What became of a line: "kept", "rewritten", "blank", or what is wrong with it."""
    if not after:
        return "fault: missing"
    if not before:
        return "fault: more than there was"
    if not before.strip():
        return "blank" if before == after else "fault: a blank line changed"
    old = json.loads(before)
    try:
        new = json.loads(after)
    except ValueError:
        return "fault: no JSON"
    if not isinstance(new, dict) or old["id"] != new.get("id") or not isinstance(new.get("text"), str):
        return "fault: another record"
    added = new.pop("repair", None)
    if not isinstance(added, dict) or "verdict" not in added:
        return "fault: no report"
    # Every byte but those of the text's value and of the report at the end has to stay.
    if new["text"] == old["text"]:
        head, tail = before.rstrip(b"\r\n"), b""
    else:
        written = next((w for a in (True, False) if (w := _json(old["text"], a)) in before), None)
        rewritten = next((w for a in (True, False) if (w := _json(new["text"], a)) in after), None)
        if written is None or rewritten is None:
            return "fault: the text is not where it was"
        head, _, tail = before.rstrip(b"\r\n").partition(written)
        head += rewritten
    body = (head + tail)[:-1]
    end = before[len(before.rstrip(b"\r\n")) :]
    if not (after.startswith(body + b', "repair": {') and after.endswith(b"}}" + end)):
        return "fault: bytes that had to stay have changed"
    if len(after) != len(body) + len(b', "repair": ') + len(_json(added, True)) + 1 + len(end):
        return "fault: more was added than the report"
    return "kept" if new["text"] == old["text"] else "rewritten"


def _json(value: Any, ascii_only: bool) -> bytes:
    return json.dumps(value, ensure_ascii=ascii_only).encode()


def _raw(source: Path, numbers: set[int]) -> list[bytes]:
    with source.open("rb") as file:
        return [line.rstrip(b"\r\n") for n, line in enumerate(file, 1) if n in numbers]


def _given(row: dict[str, Any]) -> bytes:
    from base64 import b64decode

    return row["raw"].encode() if "raw" in row else b64decode(row["raw_base64"]).rstrip(b"\r\n")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def table(results: dict[str, Any]) -> Iterator[str]:
    """The results as a page has them."""
    told = results["input"]
    yield (
        f"{told['bytes'] / 1e6:,.1f} MB of jsonl in {told['lines']:,} lines: {told['articles']:,} articles, "
        f"{told['spun']:,} of them spun; {len(told['broken'])} lines can't be read. {results['machine']}\n"
    )
    yield "| workers | batch | minutes | MB/s | processor min | peak MB | shared once | growth MB/h | errors | faults |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    shas = set()
    for one in results["runs"].values():
        if not one["complete"]:
            yield f"| {one['jobs']} | {one['batch']} | stopped after {one['seconds'] / 60:.1f} | | | | | | | |"
            continue
        shas.add(tuple(one["checked"]["sha256"].values()))
        found = one["checked"]
        yield (
            f"| {one['jobs']} | {one['batch']} | {one['seconds'] / 60:.1f} | {one['mb_per_second']:.3f} "
            f"| {one['processor_seconds'] / 60:.1f} | {one['peak_mb']['rss']:.0f} | {one['peak_mb']['pss']:.0f} "
            f"| {one['growth_mb'].get('an hour', '')} | {found['errors']} | {len(found['faults'])} |"
        )
    seconds = {(o["batch"], o["jobs"]): o["seconds"] for o in results["runs"].values() if o["complete"]}
    for batch in sorted({b for b, _ in seconds}):
        if (batch, 1) in seconds and (batch, 2) in seconds:
            times = seconds[batch, 1] / seconds[batch, 2]
            yield f"\nWith --batch {batch} two workers do {times:.2f} times what one does."
    if shas:
        yield f"\nThe same bytes from all of them: {'yes' if len(shas) == 1 else 'NO'}."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=size_of, default="1GB")
    parser.add_argument("--runs", type=runs_of, default="1:16,2:16,1:64,2:64", help="workers:batch of each")
    parser.add_argument("--spun", type=float, default=0.02, help="share of the articles")
    parser.add_argument("--held", type=float, default=0.5, help="share of clean text that nothing was built from")
    parser.add_argument("--broken", type=int, default=50)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/mt-repair-stream"), help="takes thrice the size")
    parser.add_argument("--results", type=Path, help="[FOLDER/results-SIZE.json]")
    parser.add_argument("--limit", type=float, default=float("inf"), help="seconds of one run")
    parser.add_argument("--keep", action="store_true", help="leave each run's output in the folder")
    parser.add_argument("--again", action="store_true", help="run also what is there already")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # no run is left behind
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also in the background of a shell
    source, told = build(Mixture(args.size, args.spun, args.held, args.broken, args.seed), args.folder, say)
    say(f"{source}: {told['bytes'] / 1e6:,.1f} MB, {told['lines']:,} lines")
    of = {"sha256": told["sha256"], "run": provenance({})["run"], "options": OPTIONS}
    path = args.results or args.folder / f"results-{args.size / 1e6:g}MB.json"
    results: dict[str, Any] = {"runs": {}}
    with suppress(OSError, ValueError):
        results = json.loads(path.read_text())
    if results.get("of") != of or args.again:
        results = {"runs": {}}
    results |= {"of": of, "input": told, "machine": f"{os.cpu_count()} cores."}
    for jobs, batch in args.runs:
        name = f"{jobs}:{batch}"
        if results["runs"].get(name, {}).get("complete"):
            say(f"{name} is there already")
            continue
        into = args.folder / f"run-{jobs}-{batch}"
        into.mkdir(exist_ok=True)
        one = run(source, jobs, batch, into, args.limit)
        if one["complete"]:
            say(f"{name}: {one['seconds']:.0f} s; checking every line")
            one["checked"] = checked(source, told, into)
            if one["exit_code"] != 3:
                one["checked"]["faults"].append(f"exit code {one['exit_code']}, not 3")
            if not args.keep:
                (into / "out.jsonl").unlink()
        results["runs"][name] = one
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(results, indent=1))
        temporary.replace(path)
    print("\n".join(table(results)))
    faults = [fault for one in results["runs"].values() for fault in one.get("checked", {}).get("faults", ())]
    print("".join(f"\n- {fault}" for fault in faults), end="\n" if faults else "")
    raise SystemExit(bool(faults) or not all(one["complete"] for one in results["runs"].values()))


if __name__ == "__main__":
    main()
