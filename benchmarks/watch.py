"""A process watched while it runs: memory and processor time of it and all its children, from /proc."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

EVERY = 1.0  # seconds
TICKS = os.sysconf("SC_CLK_TCK")
MOST_SAMPLES = 720  # kept; of two neighbours the larger


@dataclass(slots=True)
class Watch:
    """Samples of a process tree, in MB. rss: resident, summed, so that shared pages count for each process; pss:

    where what is shared counts once. first: rss of the process itself.
    """

    pid: int
    every: float = EVERY
    samples: list[tuple[float, float, float, float]] = field(default_factory=list)  # seconds, rss, pss, first
    peak: dict[str, float] = field(default_factory=lambda: {"rss": 0.0, "pss": 0.0, "first": 0.0})
    processes: int = 0  # at most at once
    spent: dict[int, float] = field(default_factory=dict)  # processor seconds of each, as last seen
    _step: int = 1
    _held: list[tuple[float, float, float, float]] = field(default_factory=list)
    _begun: float = field(default_factory=time.monotonic)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        if self._thread:
            self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(self.every):
            self._sample()

    def _sample(self) -> None:
        pids = list(tree(self.pid))
        self.spent |= {pid: seconds for pid in pids if (seconds := _spent(pid)) is not None}
        sizes = [size for pid in pids if (size := _memory(pid))]
        if not sizes:
            return
        rss, pss, first = sum(r for r, _ in sizes), sum(p for _, p in sizes), sizes[0][0]
        self.processes = max(self.processes, len(sizes))
        for name, value in (("rss", rss), ("pss", pss), ("first", first)):
            self.peak[name] = max(self.peak[name], value)
        self._held.append((time.monotonic() - self._begun, rss, pss, first))
        if len(self._held) >= self._step:
            self.samples.append(_most(self._held))
            self._held = []
        if len(self.samples) >= 2 * MOST_SAMPLES:
            self.samples = [_most(self.samples[i : i + 2]) for i in range(0, len(self.samples), 2)]
            self._step *= 2

    def growth(self) -> dict[str, float]:
        """How flat memory is: its greatest value in each quarter of the run, and MB an hour over the last three."""
        if len(self.samples) < 8:
            return {}
        end = self.samples[-1][0]
        quarters: list[float] = []
        for i in range(4):
            inside = [rss for at, rss, _, _ in self.samples if end * i / 4 <= at <= end * (i + 1) / 4]
            quarters.append(max(inside, default=0.0))
        late = [(at, rss) for at, rss, _, _ in self.samples if at >= end / 4]
        middle_at, middle = (sum(x[k] for x in late) / len(late) for k in (0, 1))
        spread = sum((at - middle_at) ** 2 for at, _ in late)
        slope = sum((at - middle_at) * (rss - middle) for at, rss in late) / spread if spread else 0.0
        return {f"quarter {i + 1}": round(q, 1) for i, q in enumerate(quarters)} | {"an hour": round(slope * 3600, 2)}


def _most(samples: Sequence[tuple[float, float, float, float]]) -> tuple[float, float, float, float]:
    return samples[-1][0], *(round(max(s[k] for s in samples), 1) for k in (1, 2, 3))  # type: ignore[return-value]


def tree(pid: int) -> Iterator[int]:
    """A process and all that descend from it, the parent first."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError, IndexError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    todo = [pid]
    while todo:
        yield (one := todo.pop(0))
        todo += children.get(one, ())


def _memory(pid: int) -> tuple[float, float] | None:
    """Resident and proportional size in MB; None for a process that is gone or over."""
    found = {}
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in ("Rss", "Pss"):
                found[name] = int(rest.split()[0]) / 1024
    return (found["Rss"], found["Pss"]) if len(found) == 2 else None


def _spent(pid: int) -> float | None:
    """Processor seconds of a process so far; those of workers reach nobody when they end, so they are read before."""
    with suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    return None


def ended(process: subprocess.Popen[bytes], patience: float) -> bool:
    """Whether a process ends within some seconds."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(patience)
    return process.poll() is not None
