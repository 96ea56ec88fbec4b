"""Settings are found, checked and combined with the options."""

from __future__ import annotations

from pathlib import Path

import pytest

from repair.config import Config, load, load_file
from repair.errors import ConfigError


def test_nearest_parent_wins(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "repair.toml").write_text('caution = "low"\n')
    assert load(inner).caution == "low"
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert load(inner).caution == "low", "a pyproject.toml without the table does not count"
    (tmp_path / "a" / "pyproject.toml").write_text('[tool.repair]\ncaution = "high"\n')
    assert load(inner).caution == "high"
    (tmp_path / "a" / "repair.toml").write_text('[tool.repair]\ncaution = "normal"\n')
    assert load(inner).file == tmp_path / "a" / "repair.toml"


def test_every_key(tmp_path: Path) -> None:
    (tmp_path / "repair.toml").write_text(
        'caution = "high"\nwithout = ["wordnet"]\nignore = ["red tape"]\nignore-files = ["*.bak"]\n'
        'lexicons = ["own.tsv"]\nid-field = "url"\ntext-field = "body"\nmin-confidence = 0.5\nmin-rewrite = 1\n'
        'ignore-scope = "user"\n'
    )
    file = tmp_path / "repair.toml"
    assert load(tmp_path) == Config(
        "high", ("wordnet",), ("red tape",), ("*.bak",), (tmp_path / "own.tsv",), "url", "body", 0.5, 1.0, "user", file
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("cautoin = 'low'", "did you mean 'caution'"),
        ("ignore_files = []", "did you mean 'ignore-files'"),
        ("zzz = 1", "the keys are: caution, "),
        ("caution = 'extreme'", "caution must be one of low, normal, high"),
        ("without = ['lexicom']", "without must be among lexicon, "),
        ("ignore = 'word'", "a list of strings"),
        ("min-rewrite = 2", "a number from 0 to 1"),
        ("text-field = ''", "a string"),
        ("=", "not valid TOML"),
        ("file = 'x'", "unknown key 'file'"),
    ],
)
def test_mistakes_name_file_and_cure(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "repair.toml").write_text(line)
    with pytest.raises(ConfigError) as error:
        load(tmp_path)
    assert message in str(error.value) and str(tmp_path / "repair.toml") in str(error.value)


def test_a_file_given_by_name_must_hold_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such"):
        load_file(tmp_path / "none.toml")
    (tmp_path / "pyproject.toml").write_text("")
    with pytest.raises(ConfigError, match=r"no \[tool.repair\]"):
        load_file(tmp_path / "pyproject.toml")


def test_options_come_on_top() -> None:
    config = Config(caution="low", ignore=("a",)).with_options(caution=None, ignore=["b"], min_rewrite=0.9, without=())
    assert config == Config(caution="low", ignore=("a", "b"), min_rewrite=0.9)
    assert Config(min_rewrite=0.5).with_options(min_rewrite=0.0).min_rewrite == 0.0
