"""docs/pipelines.md says what is true: its examples run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, STUB

EXAMPLES = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/pipelines.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.skipif(os.name != "posix", reason="a POSIX shell")
def test_the_examples_run(environment: dict[str, str], tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    script = "\n".join(["set -e", f'repair() {{ "{sys.executable}" "{STUB}" "$@"; }}', *EXAMPLES])
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.jsonl").read_text().count("\n") == 1 and '"line": 2' in (tmp_path / "bad.jsonl").read_text()
    assert (tmp_path / "clean/ferry-strike.txt").exists() and (tmp_path / "stats.json").exists()
