"""Worker processes: order, equal outcomes, crashes, and clean ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from conftest import FIXED, SPUN, STUB, Command
from stub import Stub

from repair.errors import InputError, LexiconError, RepairError
from repair.lines import MOST_IDS, Ids
from repair.report import Article, Repair
from repair.workers import AHEAD, Alone, Batches, Outcome, Pool
from training.articles import Gold

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX only")


def articles(*texts: str) -> list[Article]:
    return [Article(text, str(i)) for i, text in enumerate(texts)]


def pool(batches: Batches, jobs: int = 2) -> list[Outcome]:
    return [one for outcomes in Pool(partial(Stub), jobs, lambda spent: None).run(batches) for one in outcomes]


def texts(outcomes: list[Outcome]) -> list[str]:
    return [one.text if isinstance(one, Repair) else one.code for one in outcomes]


def test_outcomes_are_those_of_one_process_in_order() -> None:
    given = articles(*(f"{i} {SPUN if i % 3 else 'bosom'}" for i in range(30)), "CRASH", "", "last")
    alone = [one for got in Alone(partial(Stub), lambda spent: None).run([given]) for one in got]
    assert texts(alone)[30:] == ["internal", "", "last"]
    several = [given[:7], None, [], given[7:8], given[8:]]
    for found in (pool(several), pool([[one] for one in given], jobs=3)):
        assert [str(one) if isinstance(one, InputError) else one for one in found] == [
            str(one) if isinstance(one, InputError) else one for one in alone
        ]


@posix
def test_a_killed_worker_costs_nothing_and_a_deadly_article_only_itself(tmp_path: Path) -> None:
    mark = tmp_path / "died"
    given = [articles("a", f"DIE ONCE {mark}", SPUN), articles("b", "DIE", SPUN), articles("c")]
    assert texts(pool(given)) == ["a", f"DIE ONCE {mark}", FIXED, "b", "crash", FIXED, "c"]


def refuse() -> Stub:
    raise LexiconError("row 3 is broken")


def die() -> Stub:
    os._exit(7)


def test_workers_that_can_not_start_say_so() -> None:
    for make, said in ((refuse, "row 3 is broken"), (die, "could not start .exit code 7.")):
        with pytest.raises(RepairError, match=said):
            list(Pool(make, 2, lambda spent: None).run([articles("a")]))


def stumble(mark: Path) -> Stub:
    """Dies while it loads, once."""
    if not mark.exists():
        mark.touch()
        os._exit(7)
    return Stub()


def test_a_worker_that_dies_while_it_loads_is_replaced(tmp_path: Path) -> None:
    work = Pool(partial(stumble, tmp_path / "died"), 2, lambda spent: None)
    given = [articles("a"), articles(SPUN), articles("c")]
    assert texts([one for outcomes in work.run(given) for one in outcomes]) == ["a", FIXED, "c"]
    assert (tmp_path / "died").exists()


def test_what_is_ready_first_waits_for_its_turn() -> None:
    begin = time.monotonic()
    assert texts(pool([articles("SLOW"), *(articles(str(i)) for i in range(30))])) == ["SLOW", *map(str, range(30))]
    assert time.monotonic() - begin >= 1


def test_no_more_is_read_ahead_than_is_held() -> None:
    drawn = 0

    def endless() -> Iterator[list[Article]]:
        nonlocal drawn
        while True:
            drawn += 1
            yield articles("a")

    work = Pool(partial(Stub), 2, lambda spent: None).run(endless())
    for done in range(1, 60):
        next(work)
        assert drawn <= done + 2 * AHEAD
    work.close()


def test_ids_are_remembered_in_bounded_memory() -> None:
    ids = Ids()
    assert all(ids.new(str(i)) for i in range(3 * MOST_IDS)) and not ids.new(str(3 * MOST_IDS - 1))
    assert len(ids._now) + len(ids._before) <= 2 * MOST_IDS


def test_the_same_bytes_whatever_the_jobs_and_batches(command: Command, tmp_path: Path) -> None:
    lines = [json.dumps({"id": i, "text": f"{SPUN} {i} bosom"}) if i % 9 else "broken" for i in range(200)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    found = {
        command("fix", "-qq", "a.jsonl", "--report-field", "full", *options).stdout
        for options in (["-j", "1"], ["-j", "2"], ["--batch", "3"], ["-j", "2", "--batch", "50"])
    }
    assert len(found) == 1 and found.pop().count(b"\n") == 199


def test_the_same_bytes_of_articles_that_are_rewritten(command: Command, tmp_path: Path, spun: list[Gold]) -> None:
    some = sorted(spun, key=lambda gold: len(gold["text"]))[:4]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"id": g["id"], "text": g["text"]}) + "\n" for g in some))
    alone, several = (
        command("fix", "-qq", "a.jsonl", "--report-field", "full", *options, real=True).stdout
        for options in (["-j", "1"], ["-j", "2", "--batch", "1"])
    )
    assert alone == several and alone.count(b"\n") == len(some)
    assert alone.count(b'"action": "replace"') > len(some)


@posix
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_pipe_is_followed_and_may_close(environment: dict[str, str], tmp_path: Path, jobs: str) -> None:
    process = subprocess.Popen(
        [sys.executable, STUB, "fix", "-q", "-j", jobs, "-", "--input", "jsonl"],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin and process.stdout and process.stderr
    for i in range(3):
        process.stdin.write(json.dumps({"id": i, "text": SPUN}).encode() + b"\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline()) == {"id": i, "text": FIXED}, "before the input ends"
    process.stdout.close()
    process.stdin.write(json.dumps({"id": "more", "text": SPUN}).encode() + b"\n")
    process.stdin.flush()
    assert process.stderr.read() == b"" and process.wait(60) == 141
