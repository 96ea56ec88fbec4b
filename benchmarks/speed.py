"""Figures of speed: benchmarks/speed.py [--files 200] [--bytes 8000000].

Whole processes, one after the other on the same files: `repair check` against codespell, on held-back clean text; what
Aho-Corasick alone would do; `repair --help`; and a clean article of 1,000 words. The best of ``--runs`` counts, as what
else the machine does can only slow a process down.
"""

from __future__ import annotations

import argparse
import compileall
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import repair
from training.corpora import HELD, lines

# Modules are compiled, as pip does when it installs them.
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.getcwd()}
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)
REPAIR = [sys.executable, "-m", "repair.cli"]


def clean_files(folder: Path, files: int, size: int) -> int:
    """``files`` files of clean text in ``folder``, ``size`` bytes together; how many bytes they are."""
    rng = random.Random(1)
    stock = {name: [line for line in lines(name) if line.strip()] for name in HELD}
    written = 0
    for i in range(files):
        text = stock[HELD[i % len(HELD)]]
        at, piece, length = rng.randrange(len(text)), [], 0
        while length < size / files:
            piece.append(text[at % len(text)][:20_000])
            length += len(piece[-1]) + 2
            at += 1
        data = "\n\n".join(piece).encode("utf-8", "replace")
        (folder / f"{i:04}.txt").write_bytes(data)
        written += len(data)
    return written


def seconds(command: list[str], runs: int) -> tuple[float, float]:
    """Wall-clock and processor seconds of a command, the least of some runs."""
    wall, processor = [], []
    for _ in range(runs):
        before, began = os.times(), time.perf_counter()
        done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=False)
        wall.append(time.perf_counter() - began)
        after = os.times()
        processor.append(after.children_user + after.children_system - before.children_user - before.children_system)
        if done.returncode not in (0, 1, 65):  # codespell: 65, words found
            raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr.decode()}")
    return min(wall), min(processor)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--bytes", type=int, default=8_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--spared", action="store_true", help="only files that the screen spares")
    args = parser.parse_args()
    compileall.compile_dir(str(Path(repair.__file__).parent), quiet=1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "clean")
        folder.mkdir()
        total = clean_files(folder, args.files, args.bytes)
        from repair.pipeline import artifacts
        from repair.screen import Screen

        screen = Screen(artifacts() / "screen")
        doubtful = [f for f in folder.iterdir() if screen.doubtful(f.read_text(encoding="utf-8"))]
        print(f"{args.files} clean files, {total / 1e6:.1f} MB, {len(doubtful)} of them doubtful")
        if args.spared:
            for file in doubtful:
                total -= file.stat().st_size
                file.unlink()
        for label, command in (
            ("repair check", [*REPAIR, "check", "--no-config", str(folder)]),
            ("repair check --format jsonl", [*REPAIR, "check", "--no-config", "--format", "jsonl", str(folder)]),
            ("codespell", [shutil.which("codespell") or str(Path(sys.executable).with_name("codespell")), str(folder)]),
        ):
            wall, processor = seconds(command, args.runs)
            share = f"{wall:.2f} s; {total / 1e6 / processor:.1f} MB/s of processor time"
            print(f"{label:32} {total / 1e6 / wall:6.1f} MB/s ({share})")
        print(f"{'Aho-Corasick alone':32} {aho_corasick(folder) / 1e6:6.1f} MB/s")
        article = Path(name, "article.txt")
        article.write_text(" ".join((folder / min(os.listdir(folder))).read_text(encoding="utf-8").split()[:1000]))
        for label, command in (
            ("an empty Python", [sys.executable, "-c", "pass"]),
            ("repair --help", [*REPAIR, "--help"]),
            ("a clean article, 1,000 words", [*REPAIR, "check", "--no-config", str(article)]),
        ):
            wall, processor = seconds(command, args.runs + 2)
            print(f"{label:32} {wall:6.2f} s ({processor:.2f} s of processor time)")


def aho_corasick(folder: Path) -> float:
    """Bytes a second of ahocorasick_rs alone, looking for the lexicons' wordings in lower-cased text."""
    from ahocorasick_rs import AhoCorasick, MatchKind

    from repair import rows

    wordings = {row.observed.lower() for path in rows.shipped() for row in rows.read(path) if len(row.observed) > 5}
    machine = AhoCorasick(sorted(wordings), matchkind=MatchKind.LeftmostLongest)
    texts = [file.read_text(encoding="utf-8") for file in folder.iterdir()]
    began = time.process_time()
    for text in texts:
        machine.find_matches_as_indexes(text.lower())
    return sum(len(t) for t in texts) / (time.process_time() - began)


if __name__ == "__main__":
    main()
