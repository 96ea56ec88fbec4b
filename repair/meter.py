"""What a run's work came to: seconds by stage and counts, gathered where the work is done."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class Meter:
    """Adds up seconds and counts under names. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sums: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Adds the wall-clock seconds of the block to ``name``."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - begin)

    def add(self, name: str, amount: float) -> None:
        with self._lock:
            self._sums[name] = self._sums.get(name, 0.0) + amount

    def take(self) -> dict[str, float]:
        """What was added since the last call."""
        with self._lock:
            taken, self._sums = self._sums, {}
        return taken
