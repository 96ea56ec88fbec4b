"""README.md says what is true: its commands, options, exit codes and names exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib

import pytest
from conftest import ROOT
from typer.testing import CliRunner

from repair.cli import app
from repair.config import parse

README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)


def test_ci_runs_exactly_the_second_command() -> None:
    first, second = (block.strip() for block in SHELL[:2])
    assert "\n" not in first + second and first.startswith("python3 -m venv") and second.endswith("-m pytest")
    run = ROOT / ".ci/run"
    assert second in run.read_text(encoding="utf-8").splitlines()
    assert os.name == "nt" or os.access(run, os.X_OK)


def test_every_option_and_command_exists() -> None:
    for name in set(re.findall(r"repair (check|fix|review|explain|evaluate|lexicon)\b", README)):
        assert CliRunner().invoke(app, [name, "--help"]).exit_code == 0
    known = "".join(
        CliRunner().invoke(app, [n, "--help"]).stdout for n in ("check", "fix", "review", "explain", "evaluate")
    )
    for option in set(re.findall(r"(?<=[ `])--[a-z-]+", README)):
        assert option in known, option


def test_every_link_leads_somewhere() -> None:
    for path in [ROOT / "README.md", *ROOT.glob("docs/*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_the_architecture_names_only_modules_that_exist() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    for name in set(re.findall(r"\b([a-z_]+\.py)\b", text)):
        assert any((ROOT / d / name).exists() for d in ("repair", "training", "benchmarks")), name
    drawn = {p.name for p in (ROOT / "repair").glob("*.py")} - {"__init__.py", "errors.py", "report.py", "screener.py"}
    assert not {n for n in drawn if n not in text}


def test_the_configuration_shown_is_valid(tmp_path: object) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    assert parse(tomllib.loads(block)["tool"]["repair"], ROOT / "pyproject.toml")


def test_the_library_example_runs() -> None:
    command = [sys.executable, ROOT / "examples/library.py"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and "the text is the same" in done.stdout, done.stderr
    assert len((ROOT / "examples/library.py").read_text(encoding="utf-8").splitlines()) <= 14


@pytest.mark.parametrize("left", ["TODO-FIGURES"])
def test_no_figure_is_missing(left: str) -> None:
    assert not [p for p in (ROOT / "README.md", *ROOT.glob("docs/**/*.md")) if left in p.read_text(encoding="utf-8")]
