"""What a stream costs by its size and by its share of spun articles: benchmarks/curves.py [--limit SECONDS].

Each point is a whole run of `repair fix --input jsonl` over a mixture (benchmarks/mixture.py). --sizes: with 2 % spun
articles; --shares: of --bytes. Points go into --results as they come; those of the same artifacts are not measured
again. No point is begun that would not end within --limit, as far as the one before it tells. --stream takes the points
that a benchmarks/stream.py has measured. Then two svg files and, with --write, a part of a page are made.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.mixture import Mixture, build
from benchmarks.page import put
from benchmarks.plots import chart
from benchmarks.stream import run, say
from repair.provenance import provenance

SPUN = 0.02
Results = dict[str, Any]


def missing(
    results: Results, sizes: list[float], shares: list[float], jobs: list[int]
) -> Iterator[tuple[str, float, int]]:
    """The points still to be measured: ("size" or "share", its value, workers); the cheap ones first."""
    there = {(p["kind"], p["at"], p["jobs"]) for p in results["points"]}
    wanted = [("share", share, j) for share in sorted(shares) for j in jobs]
    wanted += [("size", size, j) for size in sorted(sizes) for j in jobs]
    yield from (point for point in wanted if point not in there)


def expected(results: Results, kind: str, at: float, jobs: int) -> float:
    """Seconds that a point will take, by the one before it; a little less than those where there is none."""
    before = [p for p in results["points"] if p["kind"] == kind and p["jobs"] == jobs and p["at"] < at]
    if not before:
        return 10.0
    last = max(before, key=lambda p: p["at"])
    return float(last["seconds"] * (at / last["at"] if kind == "size" else 1.0))


def from_stream(path: Path) -> Iterator[dict[str, Any]]:
    """Points of a run of benchmarks/stream.py."""
    told = json.loads(path.read_text())
    if told["input"]["mixture"]["spun"] != SPUN:
        raise SystemExit(f"{path}: not with {SPUN:.0%} spun articles")
    for one in told["runs"].values():
        if one["complete"] and one["batch"] == 16:
            yield point("size", told["input"]["mixture"]["size"] / 1e6, one)


def point(kind: str, at: float, one: dict[str, Any]) -> dict[str, Any]:
    kept = ("jobs", "seconds", "processor_seconds", "peak_mb")
    return {"kind": kind, "at": at, "words": one["stats"]["words"], **{name: one[name] for name in kept}}


def pictures(results: Results, folder: Path) -> dict[str, str]:
    """Writes the charts; names and what they show."""
    shown = {}
    folder.mkdir(parents=True, exist_ok=True)
    for kind, name, title, across, up in (
        ("size", "cost-by-size.svg", f"A stream with {SPUN:.0%} spun articles", "MB of jsonl", "seconds"),
        (
            "share",
            "cost-by-share.svg",
            "A stream by its spun articles",
            "% of the articles spun",
            "seconds per 1,000 words",
        ),
    ):
        lines: dict[str, list[tuple[float, float]]] = {}
        for p in results["points"]:
            if p["kind"] == kind:
                value = p["seconds"] if kind == "size" else p["seconds"] / p["words"] * 1000
                at = p["at"] if kind == "size" else 100 * p["at"]
                lines.setdefault(f"{p['jobs']} worker{'s' * (p['jobs'] > 1)}", []).append((at, value))
        if lines:
            (folder / name).write_text(chart(title, across, up, lines, logarithmic=kind == "size"), encoding="utf-8")
            shown[name] = f"{title}: {up} by {across}"
    return shown


def table(results: Results) -> Iterator[str]:
    yield "| stream | workers | seconds | processor s | words/s | peak MB |\n|---|---|---|---|---|---|"
    for p in sorted(results["points"], key=lambda p: (p["kind"], p["at"], p["jobs"])):
        name = (
            f"{p['at']:g} MB, {SPUN:.0%} spun"
            if p["kind"] == "size"
            else f"{results['bytes'] / 1e6:g} MB, {p['at']:.0%} spun"
        )
        yield (
            f"| {name} | {p['jobs']} | {p['seconds']:.1f} | {p['processor_seconds']:.1f} "
            f"| {p['words'] / p['seconds']:,.0f} | {p['peak_mb']['rss']:.0f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    numbers = "1,3,10,30,100,300,1000", "0,0.02,0.05,0.1,0.25,0.5,0.75,1"
    parser.add_argument("--sizes", default=numbers[0], help="MB, by comma")
    parser.add_argument("--shares", default=numbers[1], help="of spun articles, 0 to 1, by comma")
    parser.add_argument("--bytes", type=int, default=1_000_000, help="of a stream for --shares")
    parser.add_argument("--jobs", default="1,2", help="workers, by comma")
    parser.add_argument("--limit", type=float, default=3600.0, help="seconds")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/mt-repair-stream"), help="takes twice the size")
    parser.add_argument("--results", type=Path, default=Path("docs/pictures/cost.json"))
    parser.add_argument("--stream", type=Path, help="results of benchmarks/stream.py, for what is long")
    parser.add_argument("--write", type=Path, help="a page for the figures, such as docs/performance.md")
    args = parser.parse_args()
    sizes, shares = ([float(x) for x in text.split(",") if x] for text in (args.sizes, args.shares))
    end = time.monotonic() + args.limit
    of = provenance({})["run"]
    results: Results = {"points": []}
    with suppress(OSError, ValueError):
        results = json.loads(args.results.read_text())
    if results.get("run") != of or results.get("bytes") != args.bytes:
        results = {"points": []}
    results |= {"run": of, "bytes": args.bytes, "cores": os.cpu_count()}
    if args.stream:
        known = {(p["kind"], p["at"], p["jobs"]) for p in results["points"]}
        results["points"] += [p for p in from_stream(args.stream) if (p["kind"], p["at"], p["jobs"]) not in known]
    args.folder.mkdir(parents=True, exist_ok=True)
    args.results.parent.mkdir(parents=True, exist_ok=True)
    left_out = []
    for kind, at, jobs in missing(results, sizes, shares, [int(j) for j in args.jobs.split(",")]):
        left = end - time.monotonic()
        if expected(results, kind, at, jobs) > left:
            left_out.append(f"{kind} {at:g} with {jobs}")
            continue
        mixture = Mixture(int(at * 1e6), SPUN, broken=0) if kind == "size" else Mixture(args.bytes, at, broken=0)
        source, _ = build(mixture, args.folder, say)
        into = args.folder / "curves"
        into.mkdir(exist_ok=True)
        say(f"{kind} {at:g}, {jobs} workers")
        one = run(source, jobs, 16, into, left)
        (into / "out.jsonl").unlink(missing_ok=True)
        if not one["complete"] or one["exit_code"] not in (0, 1):
            left_out.append(f"{kind} {at:g} with {jobs} (stopped, exit code {one['exit_code']})")
            continue
        results["points"].append(point(kind, at, one))
        args.results.write_text(json.dumps(results, indent=1) + "\n")
    args.results.write_text(json.dumps(results, indent=1) + "\n")
    shown = pictures(results, args.results.parent)
    lines = [f"{results['cores']} cores; whole processes, start and loading included.\n"]
    lines += [
        f"![{told}]({os.path.relpath(args.results.parent / name, (args.write or args.results).parent)})\n"
        for name, told in shown.items()
    ]
    lines += [*table(results), *(["\nNot within the limit: " + ", ".join(left_out) + "."] if left_out else [])]
    print("\n".join(lines))
    if args.write:
        put(args.write, "curves", "By size and by share of spun articles", lines)


if __name__ == "__main__":
    main()
