"""Figures of speed: benchmarks/speed.py [--parts clean,spun,start] [--limit 600] [--write docs/performance.md].

clean: held-back clean text as files. `repair check` and codespell as whole processes on those that the screen spares;
what the screen alone and Aho-Corasick alone (the limit for a first look) would do with the same texts in this process.
spun: our own spun articles, everything on, against the encoder alone on the same sentences, both with all loaded and
--threads cores: the encoder with so many threads, and in so many processes; the analysis likewise. The share is that of
the best of each.
start: `repair --help` and one clean article.

The best of ``--runs`` counts, as what else the machine does can only slow a process down. No run begins after
``--limit`` seconds, and one that is under way then is stopped: its row says so.
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import repair
from benchmarks.page import put
from repair.report import Article, Repair, Report, Verdict
from repair.segment import Text
from repair.workers import Pool
from training.articles import own
from training.corpora import HELD, lines

PARTS = ("clean", "spun", "start")
READ = 20_000  # lines of a corpus that files are cut from
# Modules are compiled, as pip does when it installs them.
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.getcwd()}
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)
REPAIR = [sys.executable, "-m", "repair.cli"]
CODESPELL = shutil.which("codespell") or shutil.which("codespell", path=str(Path(sys.executable).parent))


class Late(Exception):
    """The time is up."""


@dataclass(slots=True)
class Clock:
    """Runs things until the limit (seconds)."""

    limit: float
    runs: int
    began: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        return max(0.0, self.limit - (time.monotonic() - self.began))

    def command(self, command: list[str], more: int = 0) -> tuple[float, float]:
        """Wall-clock and processor seconds of a command, the least of some runs. Raises Late."""
        wall, processor = [], []
        for _ in range(self.runs + more):
            if not self.left():
                break
            before, began = os.times(), time.perf_counter()
            try:
                done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, timeout=self.left())
            except subprocess.TimeoutExpired:
                break
            wall.append(time.perf_counter() - began)
            after = os.times()
            spent = after.children_user + after.children_system - before.children_user - before.children_system
            processor.append(spent)
            if done.returncode not in (0, 1, 65):  # codespell: 65, words found
                raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr.decode()}")
        if not wall:
            raise Late
        return min(wall), min(processor)

    def here(self, work: Callable[[], object]) -> tuple[float, float]:
        """Wall-clock and processor seconds of some work in this process. Raises Late."""
        wall, processor = [], []
        for _ in range(self.runs):
            if not self.left():
                break
            begin, began = time.process_time(), time.perf_counter()
            work()
            wall.append(time.perf_counter() - began)
            processor.append(time.process_time() - begin)
        if not wall:
            raise Late
        return min(wall), min(processor)


def clean_files(folder: Path, files: int, size: int) -> None:
    """``files`` files of clean text in ``folder``, about ``size`` bytes together, of all held-back kinds in turn."""
    rng = random.Random(1)
    stock = {name: [line for line in islice(lines(name), READ) if line.strip()] for name in HELD}
    for i in range(files):
        text = stock[HELD[i % len(HELD)]]
        at, piece, length = rng.randrange(len(text)), [], 0
        while length < size / files:
            piece.append(text[at % len(text)][:20_000])
            length += len(piece[-1]) + 2
            at += 1
        (folder / f"{i:04}-{HELD[i % len(HELD)]}.txt").write_bytes("\n\n".join(piece).encode("utf-8", "replace"))


def clean(clock: Clock, files: int, size: int) -> Iterator[str]:
    """Rows of the first part."""
    if not CODESPELL:
        raise SystemExit("codespell is not installed here; install it (pip install codespell) to compare with it")
    from repair.pipeline import artifacts
    from repair.screen import Screen

    screen = Screen(artifacts() / "screen")
    with tempfile.TemporaryDirectory() as name:
        clean_files(Path(name), files, size)
        every = {f: f.read_text(encoding="utf-8") for f in sorted(Path(name).iterdir())}
        doubtful = [f for f, text in every.items() if screen.doubtful(text)]
        total = sum(f.stat().st_size for f in every)
        for f in doubtful:
            f.unlink()
        texts = [text for f, text in every.items() if f not in doubtful]
        spared = sum(f.stat().st_size for f in Path(name).iterdir())
        yield f"{files} clean files of six held-back kinds, {total / 1e6:.1f} MB; the screen spares"
        yield f"{files - len(doubtful)} of them, {spared / total:.3f} of the bytes. MB/s of those, with one worker:\n"
        yield "| clean files | MB/s by the clock | MB/s of processor time |\n|---|---|---|"
        commands = {
            "`repair check`": [*REPAIR, "check", "--no-config", name],
            "`repair check --format jsonl`": [*REPAIR, "check", "--no-config", "--format", "jsonl", name],
            "codespell": [CODESPELL or "codespell", name],
        }
        for label, command in commands.items():
            yield _rate(label, spared, lambda command=command: clock.command(command))
        yield _rate(
            "the screen alone, texts in memory", spared, lambda: clock.here(lambda: _each(screen.doubtful, texts))
        )
        find = _aho_corasick()
        yield _rate("ahocorasick_rs alone, texts in memory", spared, lambda: clock.here(lambda: _each(find, texts)))
        mixed = list(every.values())
        yield _rate(
            "the screen alone, doubtful files too", total, lambda: clock.here(lambda: _each(screen.doubtful, mixed))
        )


def _each(work: Callable[[str], object], texts: list[str]) -> None:
    for text in texts:
        work(text)


def _rate(label: str, size: int, measure: Callable[[], tuple[float, float]]) -> str:
    try:
        wall, processor = measure()
    except Late:
        return f"| {label} | not within the limit | |"
    return f"| {label} | {size / 1e6 / wall:.1f} | {size / 1e6 / processor:.1f} |"


def _aho_corasick() -> Callable[[str], object]:
    """ahocorasick_rs looking for the lexicons' wordings in lower-cased text."""
    from ahocorasick_rs import AhoCorasick, MatchKind

    from repair import rows

    wordings = {row.observed.lower() for path in rows.shipped() for row in rows.read(path) if len(row.observed) > 5}
    machine = AhoCorasick(sorted(wordings), matchkind=MatchKind.LeftmostLongest)
    return lambda text: machine.find_matches_as_indexes(text.lower())


def spun(clock: Clock, articles: int, threads: int) -> Iterator[str]:
    """Rows of the second part."""
    import torch

    from repair import Repairer
    from repair.encoder import Encoder
    from repair.pipeline import artifacts

    torch.set_num_threads(threads)
    found = list(own("spun"))
    random.Random(1).shuffle(found)
    # What wordings suggest is worked out once and kept, so other articles go before.
    warm, texts = ([g["text"] for g in found[at : at + articles]] for at in (articles, 0))
    words, sentences = (sum(f(Text(t)) for t in texts) for f in (lambda t: sum(t.is_word), lambda t: len(t.sentences)))
    yield f"\n{len(texts)} spun articles, {words:,} words in {sentences} sentences; {threads} cores, all loaded.\n"
    yield "| spun articles | words/s | sentences/s |\n|---|---|---|"
    rates: dict[str, list[float]] = {"alone": [], "everything": []}
    cut = [Text(t) for t in texts]
    encoder, repairer = Encoder(artifacts() / "encoder"), Repairer(screen=False)
    encoder.read(cut[:2])  # loads what is loaded late
    list(repairer.check_stream(warm if clock.left() else []))
    for kind, label, work in (
        ("alone", f"the encoder alone, {threads} threads", lambda: [encoder.read([t]) for t in cut]),
        ("alone", f"the encoder alone, {threads} processes", lambda: _spread(Bare(), warm, texts, threads)),
        ("everything", f"`check`, {threads} threads", lambda: list(repairer.check_stream(texts))),
        (
            "everything",
            f"`check`, {threads} workers",
            lambda: _spread(partial(Repairer, screen=False), warm, texts, threads),
        ),
    ):
        if not clock.left():
            yield f"| {label} | not within the limit | |"
            continue
        began = time.perf_counter()
        took = work()
        seconds = took if isinstance(took, float) else time.perf_counter() - began
        rates[kind].append(words / seconds)
        yield f"| {label} | {words / seconds:.0f} | {sentences / seconds:.1f} |"
    if all(rates.values()):
        share = max(rates["everything"]) / max(rates["alone"])
        yield f"\n`check` runs at {share:.2f} of the bare encoder's rate. It reads again what it has rewritten."


class Bare:
    """Makes what stands for a Repairer in a worker: the encoder alone. Picklable."""

    def __call__(self) -> Any:
        from repair.encoder import Encoder
        from repair.pipeline import artifacts

        return _BareReader(Encoder(artifacts() / "encoder"))


@dataclass(frozen=True, slots=True)
class _BareReader:
    encoder: Any
    loaded = False

    def fix_stream(self, articles: Iterable[Article]) -> Iterator[Repair]:
        for article in articles:
            self.encoder.read([Text(article.text)])
            yield Repair(article.text, (), Report(0, Verdict("clean", 0.0, 0.0)))

    def spent(self) -> dict[str, float]:
        return {}


def _spread(make: Callable[[], Any], warm: list[str], texts: list[str], jobs: int) -> float:
    """Seconds for ``texts`` in worker processes that have done ``warm`` before."""
    done, begun = 0, 0.0

    def batches() -> Iterator[list[Article] | None]:
        nonlocal begun
        yield from ([Article(text)] for text in warm)
        while done < len(warm):  # or some would be begun before the clock is
            time.sleep(0.01)
            yield None
        begun = time.perf_counter()
        yield from ([Article(text)] for text in texts)

    for _ in Pool(make, jobs, lambda spent: None).run(batches()):
        done += 1
    return time.perf_counter() - begun


def start(clock: Clock) -> Iterator[str]:
    """Rows of the third part."""
    yield "\n| start | seconds by the clock | of processor time |\n|---|---|---|"
    with tempfile.TemporaryDirectory() as name:
        clean_files(Path(name), 1, 12_000)
        (file,) = Path(name).iterdir()
        file.write_text(" ".join(file.read_text(encoding="utf-8").split()[:1000]), encoding="utf-8")
        for label, command in (
            ("an empty Python", [sys.executable, "-c", "pass"]),
            ("`repair --help`", [*REPAIR, "--help"]),
            ("a clean article of 1,000 words", [*REPAIR, "check", "--no-config", str(file)]),
        ):
            try:
                wall, processor = clock.command(command, more=2)
                yield f"| {label} | {wall:.2f} | {processor:.2f} |"
            except Late:
                yield f"| {label} | not within the limit | |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--bytes", type=int, default=8_000_000)
    parser.add_argument("--articles", type=int, default=24, help="spun ones")
    parser.add_argument("--threads", type=int, default=2, help="of torch, for the spun ones")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--limit", type=float, default=600.0, help="seconds")
    parser.add_argument("--write", type=Path, help="a page for the figures, such as docs/performance.md")
    args = parser.parse_args()
    if unknown := set(args.parts.split(",")) - set(PARTS):
        parser.error(f"unknown part {min(unknown)!r}; the parts are {', '.join(PARTS)}")
    compileall.compile_dir(str(Path(repair.__file__).parent), quiet=1)
    clock = Clock(args.limit, args.runs)
    load = f"load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    parts = {
        "clean": lambda: clean(clock, args.files, args.bytes),
        "spun": lambda: spun(clock, args.articles, args.threads),
        "start": lambda: start(clock),
    }
    told = [f"{_processor()}, {os.cpu_count()} cores, {load} at the start. Best of {args.runs} runs.\n"]
    print(told[0], flush=True)
    for name in args.parts.split(","):
        for line in parts[name]():
            print(line, flush=True)
            told.append(line)
    if args.write:
        put(args.write, "speed", "Files, spun articles, start", told)


def _processor() -> str:
    """The processor's name, as far as the system tells it."""
    info = Path("/proc/cpuinfo")
    names = (
        [x.partition(":")[2].strip() for x in info.read_text().splitlines() if x.startswith("model name")]
        if info.exists()
        else []
    )
    return names[0] if names else platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
