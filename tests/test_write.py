"""A file is replaced whole or not at all; a diff says exactly what changes."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repair.errors import InputError
from repair.read import Stamp
from repair.report import Edit, apply
from repair.write import diff, replacing


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    return path


def alone(path: Path) -> bool:
    return list(path.parent.iterdir()) == [path]


def test_replaces(target: Path) -> None:
    target.chmod(0o604)
    with replacing(target) as file:
        file.write(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new" and target.stat().st_mode & 0o777 == 0o604 and alone(target)


def test_an_error_inside_leaves_the_original(target: Path) -> None:
    with pytest.raises(KeyboardInterrupt), replacing(target) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert target.read_bytes() == b"old" and alone(target)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_disk_full_leaves_the_original(target: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(InputError, match=r"no room.*free space"), replacing(target) as file:
        file.write(b"new")
    assert target.read_bytes() == b"old" and alone(target)


def test_a_file_that_changed_is_left_alone(target: Path) -> None:
    stamp = Stamp.of(target)
    target.write_bytes(b"somebody else's")
    with pytest.raises(InputError, match="changed since it was read"), replacing(target, stamp=stamp) as file:
        file.write(b"new")
    assert target.read_bytes() == b"somebody else's" and alone(target)


def test_backup_is_kept_and_never_overwritten(target: Path) -> None:
    with replacing(target, backup="~") as file:
        file.write(b"new")
    with pytest.raises(InputError, match="exists already"), replacing(target, backup="~") as file:
        file.write(b"newer")
    assert target.read_bytes() == b"new" and target.with_name("a.txt~").read_bytes() == b"old"


def test_a_link_stays_a_link(target: Path) -> None:
    link = target.with_name("link")
    link.symlink_to(target)
    with replacing(link) as file:
        file.write(b"new")
    assert link.is_symlink() and target.read_bytes() == b"new"


def test_a_missing_folder_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError), replacing(tmp_path / "none" / "a.txt"):
        pass


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, list[Edit]]:
    text = draw(st.text(alphabet="ab\n", max_size=120))
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6)))
    spans = [(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False) if a < b]
    edits = [Edit(a, b, text[a:b], draw(st.text(alphabet="xy", min_size=1, max_size=4))) for a, b in spans]
    return text, edits


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edited())
def test_a_diff_makes_of_the_old_text_the_new_one(tmp_path: Path, case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    if not edits:
        assert list(diff("a.txt", text, edits)) == []
        return
    (tmp_path / "a.txt").write_text(text)
    patch = "".join(diff("a.txt", text, edits))
    done = subprocess.run(
        ["git", "apply", "-p0", "--whitespace=nowarn", "-"], input=patch.encode(), cwd=tmp_path, capture_output=True
    )
    assert done.returncode == 0, (patch, done.stderr)
    assert (tmp_path / "a.txt").read_text() == apply(text, edits)
