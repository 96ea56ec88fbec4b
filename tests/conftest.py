"""What the tests of the command share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stub import Stub
from typer.testing import CliRunner, Result

import repair.repairer
from repair import Repairer
from repair.cli import app
from training.articles import Gold, folder

Command = Callable[..., "subprocess.CompletedProcess[bytes]"]
STUB = str(Path(__file__).with_name("stub.py"))
ROOT = Path(__file__).parent.parent
SPUN = "Today environment media spoke."
FIXED = "Today state media spoke."


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test sees the lexicon or the settings of whoever runs it."""
    monkeypatch.setenv("REPAIR_LEXICON", str(tmp_path_factory.mktemp("own") / "lexicon.tsv"))
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """For ``run``: a Repairer that is quick and knows a few wordings, in a folder of the test's own."""
    monkeypatch.setattr(repair.repairer, "Repairer", Stub)
    monkeypatch.chdir(tmp_path)


def run(*arguments: str | Path, input: bytes = b"") -> Result:
    """The command within this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=input)


@pytest.fixture
def environment() -> dict[str, str]:
    """For commands started in another folder: they find this package."""
    paths = [str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


@pytest.fixture
def command(tmp_path: Path, environment: dict[str, str]) -> Command:
    """Runs the command in ``tmp_path``: the stubbed one, or with ``real=True`` the true one."""

    def run(
        *arguments: str | Path,
        input: bytes = b"",
        real: bool = False,
        timeout: float = 300,  # on a loaded machine
    ) -> subprocess.CompletedProcess[bytes]:
        program = ["-m", "repair.cli"] if real else [STUB]
        return subprocess.run(
            [sys.executable, *program, *map(str, arguments)],
            input=input,
            capture_output=True,
            cwd=tmp_path,
            env=environment,
            timeout=timeout,
        )

    return run


@pytest.fixture(scope="session")
def repairer() -> Repairer:
    """The real thing, loaded once for all tests that need it."""
    return Repairer()


@pytest.fixture(scope="session")
def thorough(repairer: Repairer) -> Repairer:
    """The same models with the screen off: even clean text goes all the way."""
    return sharing(repairer, screen=False)


@pytest.fixture(scope="session")
def spun() -> list[Gold]:
    """Our own annotated spun articles."""
    return list(folder(ROOT / "tests/articles/spun"))


@pytest.fixture(scope="session")
def clean() -> list[Gold]:
    """Our own clean articles, dense with wordings that tempt."""
    return list(folder(ROOT / "tests/articles/clean"))


def sharing(repairer: Repairer, **options: Any) -> Repairer:
    """A further Repairer that uses the models already in memory: loading takes most of the time."""
    other = Repairer(**options)
    loaded, pipeline = repairer._pipeline, other._pipeline
    for name in ("store", "combination", "encoder"):
        if not (name == "encoder" and "encoder" in pipeline.without):
            pipeline.__dict__[name] = getattr(loaded, name)
    if not options.keys() & {"without", "lexicons", "ignore"}:
        pipeline.__dict__["judge"] = loaded.judge
    return other
