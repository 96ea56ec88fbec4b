"""Batches of articles through a Repairer: in this process, or in several that may crash without harm.

However the work is spread, outcomes come in the order of the batches and are the same: an article's report does not
depend on its neighbours.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, Protocol

from repair.errors import InputError, RepairError
from repair.memory import hand_back
from repair.report import Article, Edit, Repair, Report, apply

if TYPE_CHECKING:
    from repair.repairer import Repairer

AHEAD = 4  # batches a worker may be ahead of the one that is waited for
STILLBORN = 3  # workers in a row that die while they load, after which no more are started
GRACE = 2.0  # seconds that a worker has to stop in

Outcome = Repair | InputError
Make = Callable[[], "Repairer"]
Spent = dict[str, float]
Batches = Iterable[Sequence[Article] | None]


class Work(Protocol):
    """Turns batches into outcomes, one list for each batch, in order. None: nothing more for now."""

    def run(self, batches: Batches) -> Generator[list[Outcome]]: ...


class Alone:
    """The work of this process. ``spend`` gets what the Repairer spent."""

    def __init__(self, make: Make, spend: Callable[[Spent], None]) -> None:
        self._make, self._spend = make, spend

    def run(self, batches: Batches) -> Generator[list[Outcome]]:
        repairer: Repairer | None = None
        for batch in batches:
            if batch:
                repairer = repairer or self._make()
                outcomes = _outcomes(repairer, batch)
                self._spend(repairer.spent())
                yield outcomes
            elif batch is not None:
                yield []


def analysed(repairer: Repairer, batch: Sequence[Article]) -> list[Outcome]:
    """The outcome of each article. One that makes the analysis fail is tried again alone, and then is an error."""
    try:
        return list(repairer.fix_stream(batch))
    except RepairError:
        raise
    except Exception as error:
        if "REPAIR_TRACEBACK" in os.environ:
            raise
        if len(batch) > 1:
            return [outcome for article in batch for outcome in analysed(repairer, [article])]
        message = f"internal error: {type(error).__name__}: {error}; set REPAIR_TRACEBACK=1 for a report to us"
        return [InputError(message, "internal")]


def _outcomes(repairer: Repairer, batch: Sequence[Article]) -> list[Outcome]:
    """``analysed`` in a process that is ours: from its first use on, the garbage collector passes over the models."""
    before = repairer.loaded
    outcomes = analysed(repairer, batch)
    if repairer.loaded and not before:
        gc.collect()
        gc.freeze()
        hand_back()
    return outcomes


@dataclass(slots=True)
class _Task:
    """Articles on their way: those of batch ``number`` from ``first`` on. ``again``: they were in a worker's crash."""

    number: int
    first: int
    articles: Sequence[Article]
    again: bool = False


@dataclass(slots=True)
class _Worker:
    process: Any
    pipe: Connection
    task: _Task | None = None
    ready: bool = False


@dataclass(slots=True)
class _Batch:
    articles: Sequence[Article]
    outcomes: list[Outcome | None]
    missing: int = field(init=False)

    def __post_init__(self) -> None:
        self.missing = len(self.articles)


class Pool:
    """``jobs`` processes, each with a Repairer of its own.

    make: makes the Repairer; must be picklable. A worker that dies is replaced; the articles that it had are tried
    again one by one, and the one that kills its worker again is an error. Raises RepairError where no worker can start.
    """

    def __init__(self, make: Make, jobs: int, spend: Callable[[Spent], None]) -> None:
        self._make, self._jobs, self._spend = make, jobs, spend
        # Never fork: torch and its threads would not survive it.
        self._context: Any = get_context("forkserver" if sys.platform == "linux" else "spawn")
        self._workers: list[_Worker] = []
        self._todo: deque[_Task] = deque()
        self._batches: deque[tuple[int, _Batch]] = deque()  # in order, the one waited for first
        self._by_number: dict[int, _Batch] = {}
        self._stillborn = 0  # workers in a row that died before they were ready

    def run(self, batches: Batches) -> Generator[list[Outcome]]:
        try:
            for number, batch in enumerate(batches):
                if batch is not None:
                    self._batches.append((number, held := _Batch(batch, [None] * len(batch))))
                    self._by_number[number] = held
                    if batch:
                        self._todo.append(_Task(number, 0, batch))
                while True:
                    full = len(self._batches) >= self._jobs * AHEAD
                    self._turn(block=full)
                    yield from self._finished()
                    if not full:
                        break
            while self._batches:
                self._turn(block=True)
                yield from self._finished()
        finally:
            self.close()

    def close(self) -> None:
        """Stops the workers, whatever they do."""
        for worker in self._workers:
            worker.pipe.close()
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join(GRACE)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._workers.clear()

    def _finished(self) -> Iterator[list[Outcome]]:
        while self._batches and not self._batches[0][1].missing:
            number, batch = self._batches.popleft()
            del self._by_number[number]
            yield [outcome for outcome in batch.outcomes if outcome is not None]

    def _turn(self, *, block: bool) -> None:
        """Hand out what can be handed out, and take in what is there; ``block``: wait until something is."""
        while len(self._workers) < min(self._jobs, len(self._todo) + self._busy):
            self._start()
        self._hand_out()
        if not self._workers:
            return
        for pipe in wait([worker.pipe for worker in self._workers], None if block else 0):
            worker = next(worker for worker in self._workers if worker.pipe is pipe)
            try:
                self._take(worker, worker.pipe.recv())
            except (EOFError, OSError):
                self._bury(worker)
        self._hand_out()

    @property
    def _busy(self) -> int:
        return sum(worker.task is not None for worker in self._workers)

    def _start(self) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs, self._make), daemon=True, name="repair-worker")
        process.start()
        theirs.close()
        self._workers.append(_Worker(process, ours))

    def _hand_out(self) -> None:
        for worker in list(self._workers):
            if not self._todo:
                return
            if worker.ready and worker.task is None:
                worker.task = self._todo.popleft()
                try:
                    worker.pipe.send(worker.task.articles)
                except OSError:
                    self._bury(worker)

    def _take(self, worker: _Worker, answer: Any) -> None:
        if answer is None:  # its first word
            worker.ready, self._stillborn = True, 0
            return
        if isinstance(answer, RepairError):
            raise answer
        outcomes, spent = answer
        self._spend(spent)
        task, worker.task = worker.task, None
        assert task is not None
        self._put(task, [_rebuilt(a, outcome) for a, outcome in zip(task.articles, outcomes, strict=True)])

    def _put(self, task: _Task, outcomes: Sequence[Outcome]) -> None:
        batch = self._by_number[task.number]
        batch.outcomes[task.first : task.first + len(outcomes)] = outcomes
        batch.missing -= len(outcomes)

    def _bury(self, worker: _Worker) -> None:
        """A worker is dead: what it had is done again one by one, or given up."""
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.join(GRACE)
        code = worker.process.exitcode
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        if not worker.ready:
            self._stillborn += 1
            if self._stillborn >= STILLBORN:
                raise RepairError(f"a worker process could not start ({how}); free memory, or run without -j")
        if (task := worker.task) is None:
            return
        if task.again:
            message = f"a worker process died of it twice ({how}); is it too large for the memory? leave it out"
            self._put(task, [InputError(message, "crash")])
        else:
            singles = [
                _Task(task.number, task.first + i, [article], again=True) for i, article in enumerate(task.articles)
            ]
            self._todo.extendleft(reversed(singles))


_Sent = tuple[Report, tuple[Edit, ...]] | InputError


def _rebuilt(article: Article, sent: _Sent) -> Outcome:
    if isinstance(sent, InputError):
        return sent
    report, edits = sent
    return Repair(apply(article.text, edits), edits, report)


def _serve(pipe: Connection, make: Make) -> None:
    """What a worker does, until the other side of its pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    with contextlib.suppress(EOFError, OSError):
        try:
            repairer = make()
            pipe.send(None)
            while True:
                outcomes = _outcomes(repairer, pipe.recv())
                sent: list[_Sent] = [o if isinstance(o, InputError) else (o.report, o.edits) for o in outcomes]
                pipe.send((sent, repairer.spent()))
        except RepairError as error:
            pipe.send(error)
