"""The review without an interface, its journal, and the plain mode through a pseudo-terminal."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pexpect
import pytest
from conftest import STUB, Command

from repair.config import load, parse
from repair.errors import ConfigError, InputError, UsageError
from repair.ignoring import Unasked, Where
from repair.journal import Journal, Taught
from repair.lexicon_commands import silence
from repair.report import Article, Finding, Report, Suggestion, Verdict
from repair.review import Entry, Filter, Review

SWAPS = {"workforce": ("staff", "team"), "Workforce": ("Staff",), "droop": ("suspend", "sag"), "nighttime": ("night",)}
TEXT = "Workforce left. The workforce agreed to droop it on nighttime; our workforce and their workforce droop.\n"


def report(text: str) -> Report:
    found = (
        Finding(
            *m.span(),
            m[0],
            0.9 if m[0] == "droop" else 0.6,
            "flag",
            tuple(Suggestion(s, 0.5 / n, "lexicon" if n == 1 else "wordnet") for n, s in enumerate(SWAPS[m[0]], 1)),
        )
        for m in re.finditer("|".join(SWAPS), text)
    )
    return Report(len(text.split()), Verdict("spun", 0.99, 0.2), tuple(found))


def opened(folder: Path, *texts: str, **options: object) -> Review:
    entries = [Entry(f"{n}.txt", Article(text), report(text)) for n, text in enumerate(texts)]
    return Review(entries, Journal({e.name: folder / f"{e.name}.review" for e in entries}), **options)  # type: ignore[arg-type]


def again(review: Review, folder: Path, *texts: str) -> Review:
    review.journal.close()
    return opened(folder, *texts)


def test_decisions_make_the_text(tmp_path: Path) -> None:
    review = opened(tmp_path, TEXT)
    review.decide(0, "accept")
    review.decide(1, "accept", nth=1)
    review.decide(2, "own", " put off ")
    review.decide(3, "reject")
    assert review.repair(0).text.startswith("Staff left. The team agreed to put off it on nighttime;")
    assert review.repair(0).undo() == TEXT
    assert review.open_after(-1) == 4
    resumed = again(review, tmp_path, TEXT)
    assert resumed.repair(0).text.startswith("Staff left. The team agreed to put off it on nighttime;")
    assert resumed.counts() == {"accept": 2, "own": 1, "reject": 1, "open": 3}


def test_one_answer_covers_the_same_swap_with_its_case(tmp_path: Path) -> None:
    review = opened(tmp_path, TEXT, TEXT)
    assert len(review.decide(1, "accept", scope="article")) == 4
    assert review.repair(0).text.count("staff") == 3 and review.repair(0).text.startswith("Staff")
    assert review.repair(1).text == TEXT
    assert len(review.decide(2, "own", "halt", scope="batch")) == 4
    assert review.repair(1).text.count("halt") == 2
    # A decided place is not overruled by a wider answer.
    assert review.decide(8, "reject", scope="batch") == [7, 8, 11, 12]
    assert len(review.undo()) == 4 and review.counts()["reject"] == 0
    assert len((tmp_path / "0.txt.review").read_text().splitlines()) == 2


def test_undo_and_redo_have_no_limit_and_outlive_the_session(tmp_path: Path) -> None:
    review = opened(tmp_path, TEXT)
    states = [review.repair(0).text]
    for i in range(len(review)):
        review.decide(i, "accept")
        states.append(review.repair(0).text)
    for before in reversed(states[:-1]):
        review = again(review, tmp_path, TEXT)
        assert review.undo()
        assert review.repair(0).text == before
    assert review.undo() == []
    for after in states[1:]:
        review = again(review, tmp_path, TEXT)
        review.redo()
        assert review.repair(0).text == after
    review.undo()
    review.decide(0, "reject")
    assert review.redo() == []


def test_what_is_skipped_is_asked_in_the_next_review(tmp_path: Path) -> None:
    review = opened(tmp_path, TEXT)
    for i in range(len(review)):
        review.decide(i, "skip")
    assert review.open_after(-1) is None
    assert again(review, tmp_path, TEXT).open_after(-1) == 0


def test_a_line_cut_short_is_passed_over_and_nothing_after_it_is_lost(tmp_path: Path) -> None:
    review = opened(tmp_path, TEXT)
    review.decide(0, "accept")
    review.journal.close()
    path = tmp_path / "0.txt.review"
    path.write_bytes(path.read_bytes() + b'{"at": "2026-01-01T00:00:00+00:00", "do": "dec')
    review = opened(tmp_path, TEXT)
    assert review.journal.broken == [f"{path}:2"]
    review.decide(1, "reject")
    assert again(review, tmp_path, TEXT).counts() == {"accept": 1, "reject": 1, "open": 5}


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "{}",
        '{"at": 1, "do": "decide"}',
        '{"places": 3}',
        "null",
        '{"at": "a", "do": "decide", "places": [{"article": 3}]}',
        '{"at":"a","do":"x"}',
    ],
)
def test_a_foreign_journal_does_no_harm(tmp_path: Path, line: str) -> None:
    (tmp_path / "0.txt.review").write_text(line + "\n")
    review = opened(tmp_path, TEXT)
    assert review.counts() == {"open": 7}
    review.decide(0, "accept")
    assert again(review, tmp_path, TEXT).counts()["accept"] == 1


def test_two_reviews_at_once_are_refused(tmp_path: Path) -> None:
    review = opened(tmp_path, TEXT)
    review.decide(0, "accept")
    with pytest.raises(InputError, match="another review"):
        opened(tmp_path, TEXT)


def test_a_changed_article_keeps_the_decisions_that_are_certain(tmp_path: Path) -> None:
    review = opened(tmp_path, TEXT)
    for i in range(len(review)):
        review.decide(i, "reject" if i % 2 else "accept")
    new = "A heading.\n\n" + TEXT.replace("our workforce", "our people")
    review = again(review, tmp_path, new)
    kept = {review.places[i].finding.start - 12: review.decision(i) for i in range(len(review))}
    assert all(kept.values()) and len(kept) == 6
    assert [str(lost.anchor.start) for lost in review.history.lost] == ["67"]
    assert review.repair(0).undo() == new


def test_twin_places_are_reported_not_guessed(tmp_path: Path) -> None:
    paragraph = "x" * 300 + " the workforce " + "x" * 300 + "\n"
    review = opened(tmp_path, paragraph * 3)
    review.decide(1, "accept")
    review = again(review, tmp_path, paragraph * 2)
    assert review.counts() == {"open": 2} and len(review.history.lost) == 1


def test_after_writing_only_what_is_new_is_asked(tmp_path: Path) -> None:
    review = opened(tmp_path, TEXT)
    review.decide(0, "accept")
    review.decide(2, "reject")
    review.decide(4, "reject")
    review.written(0)
    review = again(review, tmp_path, review.repair(0).text)
    assert review.counts() == {"open": 4, "reject": 2} and not review.history.lost
    assert review.undo() and review.undo() and not review.undo()


def test_decisions_outlive_another_model(tmp_path: Path) -> None:
    review = opened(tmp_path, TEXT)
    review.decide(2, "accept")
    review.journal.close()
    entry = Entry("0.txt", Article(TEXT), Report(9, Verdict("clean", 0.1, 0.0)))
    assert "suspend it" in Review([entry], Journal({"0.txt": tmp_path / "0.txt.review"})).repair(0).text


class Told(Unasked):
    """Keeps what it is told."""

    def __init__(self, where: Where | None) -> None:
        self.where, self.calls = where, list[tuple[str, bool, Where]]()

    def __call__(self, wording: str, on: bool, where: Where) -> None:
        self.calls.append((wording, on, where))


def test_ignoring_covers_the_wording_and_is_undone_where_it_was_written(tmp_path: Path) -> None:
    told = Told(None)
    review = opened(tmp_path, TEXT, TEXT, silence=told)
    with pytest.raises(UsageError, match="everywhere or in this project"):
        review.decide(2, "ignore")
    assert review.counts()["open"] == 14
    told.settle("project")
    assert len(review.decide(2, "ignore")) == 4
    told.settle("user")
    review.undo()
    review.redo()
    assert told.calls == [("droop", True, "project"), ("droop", False, "project"), ("droop", True, "project")]


class Pupil:
    """Keeps the lessons that hold."""

    def __init__(self) -> None:
        self.held: list[Taught] = []

    def __call__(self, taught: Sequence[Taught], taken_back: Sequence[Taught]) -> None:
        for lesson in taken_back:
            self.held.remove(lesson)
        self.held += taught


def test_learning_hears_each_decision_once(tmp_path: Path) -> None:
    pupil = Pupil()
    review = opened(tmp_path, TEXT)
    review.decide(1, "accept", nth=1)
    review.decide(2, "own", "halt")
    review.decide(3, "reject")
    review.decide(4, "accept")
    review.undo()
    assert review.learn(pupil) == 3
    review = again(review, tmp_path, TEXT)
    assert review.learn(pupil) == 0
    assert pupil.held == [("workforce", "team", True), ("droop", "halt", True), ("nighttime", "night", False)]


def test_what_is_undone_or_decided_otherwise_is_unlearned(tmp_path: Path) -> None:
    """Once, however many reviews follow, and learned again where it is done again."""
    pupil = Pupil()
    review = opened(tmp_path, TEXT)
    review.decide(1, "accept", scope="article")
    review.decide(3, "reject")
    review.learn(pupil)
    assert pupil.held.count(("workforce", "staff", True)) == 3 and len(pupil.held) == 5
    review.undo()
    review.decide(4, "own", "crew")
    review = again(review, tmp_path, TEXT)
    for _ in range(2):
        review.learn(pupil)
        assert sorted(pupil.held) == [
            ("Workforce", "Staff", True),
            ("workforce", "crew", True),
            ("workforce", "staff", True),
            ("workforce", "staff", True),
        ]
        review = again(review, tmp_path, TEXT)
    review.undo()
    review.undo()
    review.learn(pupil)
    assert pupil.held == []
    review = again(review, tmp_path, TEXT)
    review.redo()
    review.learn(pupil)
    assert len(pupil.held) == 4
    review.written(0)
    review = again(review, tmp_path, review.repair(0).text)
    assert review.learn(pupil) == 0


@pytest.mark.parametrize("own", ["", "  ", "a\nb", "a\x1b[31m", "a\u202eb", "x" * 1001, "\ud800"])
def test_unfit_own_wordings_are_refused(tmp_path: Path, own: str) -> None:
    review = opened(tmp_path, TEXT)
    with pytest.raises(UsageError):
        review.decide(0, "own", own)
    assert review.counts() == {"open": 7}


def test_filters() -> None:
    text = report(TEXT)
    review_places = [i for i, f in enumerate(text.findings) if f.observed == "droop"]
    from repair.review import Place

    def passing(line: str) -> list[int]:
        return [i for i, f in enumerate(text.findings) if Filter.parse(line).passes(Place(0, f))]

    assert passing(">0.8") == passing("swap:droop") == passing("sag") == review_places
    assert passing("source:wordnet") == [1, 2, 4, 5, 6] and passing("") == list(range(7))
    with pytest.raises(UsageError):
        Filter.parse(">high")


ARTICLE = "Today environment media spoke of herbal assets.\nThe bosom, and environment media.\n"


def test_plain_mode_in_a_terminal(tmp_path: Path, environment: dict[str, str], command: Command) -> None:
    path = tmp_path / "a.txt"
    path.write_text(ARTICLE.replace("The", "\x1b[31mThe [b]"))
    child = pexpect.spawn(
        sys.executable,
        [STUB, "review", "--plain", "a.txt"],
        cwd=str(tmp_path),
        env=environment,
        encoding="utf-8",
        timeout=300,
        dimensions=(24, 80),
    )
    for answer in ("?", "a", "e mother nature", "x", "u", "y", "n"):
        child.expect("Decide")
        child.sendline(answer)
    child.expect("The end")
    child.sendline("u")
    child.expect("Decide")
    child.sendline("n")
    child.expect("The end")
    child.sendline("")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    journal = [json.loads(line) for line in (tmp_path / "a.txt.review").read_text().splitlines()]
    assert [(row["do"], row.get("action")) for row in journal] == [
        ("decide", "accept"),
        ("decide", "own"),
        ("undo", None),
        ("decide", "accept"),
        ("decide", "reject"),
        ("undo", None),
        ("decide", "reject"),
        ("learned", None),
    ]
    assert len(journal[0]["places"]) == 2
    before = path.read_text()
    diff = command("review", "--apply", "--diff", "a.txt")
    assert diff.returncode == 0 and b"+Today state media spoke of natural resources." in diff.stdout
    assert path.read_text() == before
    assert command("review", "--apply", "-w", "a.txt").returncode == 0
    assert path.read_text() == before.replace("environment media", "state media").replace("herbal", "natural").replace(
        "assets", "resources"
    )
    again = command("review", "a.txt", input=b"")
    assert b"1 of 1 decided" in again.stderr and b"Decide" not in again.stdout


def test_a_dumb_terminal_gets_the_plain_mode(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "a.txt").write_text(ARTICLE)
    arguments = [STUB, "review", "a.txt"]
    dumb = {**environment, "TERM": "dumb"}
    child = pexpect.spawn(sys.executable, arguments, cwd=str(tmp_path), env=dumb, encoding="utf-8", timeout=300)
    child.expect("Decide")
    assert "\x1b" not in child.before
    child.sendline("q")
    child.expect(pexpect.EOF)


def test_a_filter_with_nothing_left_shows_the_others_again(tmp_path: Path, command: Command) -> None:
    (tmp_path / "a.txt").write_text(ARTICLE)
    out = command("review", "--plain", "a.txt", input=b"f bosom\ny\ny\nq\n").stdout.decode()
    assert out.index("accepted") < out.index("all are shown again") < out.index("4 of 4, 3 open")
    assert "nothing is open any more" not in out


def test_nothing_of_an_article_steers_the_terminal(tmp_path: Path, command: Command) -> None:
    (tmp_path / "a.txt").write_text("\x1b]0;bad\x07 environment media \x1b[2J\u202e [red]x[/red]\n")
    out = command("review", "--plain", "a.txt", input=b"\x1b[31mq\n").stdout
    assert b"\x1b" not in out and "\u202e".encode() not in out and b"[red]x[/red]" in out


def test_ignore_always_asks_once_where(tmp_path: Path, command: Command) -> None:
    (tmp_path / "a.txt").write_text(ARTICLE)
    own, project = Path(os.environ["REPAIR_LEXICON"]), tmp_path / "repair.lexicon.tsv"
    row = "environment media\tenvironment media\tignore"
    asked = command("review", "--plain", "a.txt", input=b"i\nx\nc\nq\n")
    assert asked.stdout.count(b"Where (u, p or c)") == 2 and not own.exists() and not project.exists()
    command("review", "--plain", "a.txt", input=b"i\np\nq\n")
    assert row in project.read_text() and not own.exists()
    command("review", "--plain", "a.txt", input=b"u\nq\n")
    assert row not in project.read_text()
    assert b"Where" not in command("review", "--plain", "a.txt", input=b"i\nq\n").stdout
    assert row in project.read_text() and not own.exists()
    command("review", "--plain", "a.txt", input=b"u\nq\n")
    (tmp_path / "repair.toml").write_text('ignore-scope = "user"\n')
    command("review", "--plain", "a.txt", input=b"i\nq\n")
    assert row in own.read_text() and row not in project.read_text()
    command("review", "--plain", "--ignore-scope", "project", "a.txt", input=b"u\ni\nq\n")
    assert row not in own.read_text() and row in project.read_text()


def test_the_projects_lexicon_is_read_below_its_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert load(tmp_path / "in").lexicons == ()
    path = tmp_path / "repair.lexicon.tsv"
    silence("environment media", True, path)
    assert load(tmp_path / "in").lexicons == (path,)
    (tmp_path / "repair.toml").write_text('lexicons = ["x.tsv", "repair.lexicon.tsv"]\n')
    assert load(tmp_path / "in").lexicons == (tmp_path / "x.tsv", path)
    with pytest.raises(ConfigError, match="user or project"):
        parse({"ignore-scope": "all"}, path)


def test_undoing_takes_back_what_was_learned(tmp_path: Path, command: Command) -> None:
    (tmp_path / "a.txt").write_text(ARTICLE)
    command("review", "--plain", "a.txt", input=b"a\ny\nq\n")
    shown = command("lexicon", "show", "--learned").stdout.decode()
    assert "environment media → state media" in shown and "herbal asset → natural resource" in shown
    command("review", "--plain", "a.txt", input=b"u\nq\n")
    shown = command("lexicon", "show", "--learned").stdout.decode()
    assert "environment media → state media" in shown and "herbal" not in shown
    assert "herbal" not in Path(os.environ["REPAIR_LEXICON"]).read_text()


def test_without_findings_there_is_nothing_to_ask(tmp_path: Path, environment: dict[str, str]) -> None:
    """Also on a terminal, where the article has a journal from before."""
    (tmp_path / "a.txt").write_text("Nothing here.\n")
    (tmp_path / "a.txt.review").touch()
    child = pexpect.spawn(
        sys.executable, [STUB, "review", "a.txt"], cwd=str(tmp_path), env=environment, encoding="utf-8", timeout=300
    )
    child.expect("no findings any more")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_into_a_folder(tmp_path: Path, command: Command) -> None:
    """-o writes every article, also one without findings, and leaves the sources as they were."""
    (tmp_path / "in/deep").mkdir(parents=True)
    (tmp_path / "in/a.txt").write_text(ARTICLE)
    (tmp_path / "in/deep/b.txt").write_text("Nothing here.\n")
    result = command("review", "--plain", "-o", "out", "in", input=b"a\nn\nq\n")
    assert result.returncode == 1
    assert (tmp_path / "out/a.txt").read_text() == ARTICLE.replace("environment", "state")
    assert (tmp_path / "out/deep/b.txt").read_text() == "Nothing here.\n"
    assert (tmp_path / "in/a.txt").read_text() == ARTICLE
    assert not list((tmp_path / "out").rglob("*.review"))
    # Again, with one more decision: the folder follows.
    command("review", "--plain", "-o", "out", "in", input=b"y\n")
    assert (tmp_path / "out/a.txt").read_text() == ARTICLE.replace("environment", "state").replace("bosom", "breast")


def test_kills_at_random_moments_lose_nothing(tmp_path: Path, environment: dict[str, str], command: Command) -> None:
    """The command is killed 50 times, at its start, between answers and amid them, and goes on each time.

    What it acknowledged before a kill -9 is there after it, and once; the article is as it was.
    """
    text = "".join(f"Line {n} of bosom.\n" for n in range(2000))
    article, journal = tmp_path / "a.txt", tmp_path / "a.txt.review"
    article.write_text(text)
    chance, known = random.Random(4), 0
    for n in range(50):
        process = subprocess.Popen(
            [sys.executable, STUB, "review", "--plain", "a.txt"],
            cwd=tmp_path, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdin and process.stdout
        answers = "".join(chance.choice("yn1") + "\n" for _ in range(1000))
        process.stdin.write(answers.encode())
        process.stdin.flush()
        first = b""
        while n % 5 and b"ed\n" not in first:  # every fifth is killed before or while it starts to answer
            piece = os.read(process.stdout.fileno(), 4096)
            assert piece, "the command ended by itself"
            first += piece
        time.sleep(chance.random() * (0.05 if n % 5 else 0.5))
        process.kill()
        told = (first + process.stdout.read()).decode()
        process.stdin.close()
        process.wait()
        acknowledged = len(re.findall("^(?:accepted|rejected)$|: (?:accepted|rejected)$", told, re.MULTILINE))
        lines = journal.read_bytes().splitlines() if journal.exists() else []
        whole = [json.loads(line) for line in lines if line.endswith(b"}")]
        starts = [row["places"][0]["start"] for row in whole]
        assert len(starts) == len(set(starts)) and known + acknowledged <= len(starts) <= known + acknowledged + 1
        for row, said in zip(whole[known:], re.findall("accepted|rejected", told), strict=False):
            assert said == f"{row['action']}ed"
        known = len(starts)
        assert article.read_text() == text
    assert known >= 50
    accepted = sum(row["action"] == "accept" for row in whole)
    done = command("review", "--apply", "--diff", "a.txt")
    assert f"{known:,} of 2,000 decided, {accepted:,} changes".encode() in done.stderr
    assert len(re.findall(rb"\n\+Line \d+ of breast", done.stdout)) == accepted
