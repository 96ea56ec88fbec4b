"""Settings: ``[tool.repair]`` in pyproject.toml, or repair.toml, the nearest parent folder's first.

Keys have the names of the command's options. A key that isn't known is an error, because a typo that is passed over
in silence looks like a setting that doesn't work.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from repair.errors import ConfigError

Caution = Literal["low", "normal", "high"]
CAUTIONS = ("low", "normal", "high")
PROJECT = "repair.lexicon.tsv"


@dataclass(frozen=True, slots=True)
class Config:
    """What a run goes by. ``file`` is where it was read, None for the defaults."""

    caution: Caution = "normal"
    without: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    ignore_files: tuple[str, ...] = ()
    lexicons: tuple[Path, ...] = ()
    id_field: str | None = None
    text_field: str = "text"
    min_confidence: float | None = None
    min_rewrite: float | None = None
    ignore_scope: Literal["user", "project"] | None = None
    file: Path | None = None

    def with_options(self, **options: Any) -> Config:
        """This with the options of the command line on top: lists are added, single values replaced, None kept."""
        given = {name: value for name, value in options.items() if value not in (None, (), [])}
        for name, value in given.items():
            if isinstance(getattr(self, name), tuple):
                given[name] = (*getattr(self, name), *value)
        return replace(self, **given)


def load(start: Path | None = None) -> Config:
    """The settings that hold in the folder ``start`` (the working folder by default), with the project's lexicon."""
    folder = (start or Path.cwd()).resolve()
    config = Config()
    for parent in (folder, *folder.parents):
        found = (parent / name for name in ("repair.toml", "pyproject.toml"))
        tables = ((file, _table(file)) for file in found if file.is_file())
        if given := next(((file, table) for file, table in tables if table is not None), None):
            config = parse(given[1], given[0])
            break
    lexicon = project_lexicon(config, folder)
    if lexicon.is_file() and lexicon not in config.lexicons:
        config = replace(config, lexicons=(lexicon, *config.lexicons))
    return config


def project_folder(config: Config, start: Path | None = None) -> Path:
    """The folder of the settings; without any, the nearest one with a project's lexicon, or the working folder."""
    if config.file:
        return config.file.resolve().parent
    folder = (start or Path.cwd()).resolve()
    return next((parent for parent in (folder, *folder.parents) if (parent / PROJECT).is_file()), folder)


def project_lexicon(config: Config, start: Path | None = None) -> Path:
    """The project's own lexicon, which is read where it exists."""
    return project_folder(config, start) / PROJECT


def load_file(file: Path) -> Config:
    """The settings in ``file``, which must hold some."""
    if not file.is_file():
        raise ConfigError(f"{file}: no such configuration file; check the spelling")
    table = _table(file)
    if table is None:
        raise ConfigError(f"{file}: it has no [tool.repair] table; add one, or name another file")
    return parse(table, file)


def parse(table: dict[str, Any], file: Path) -> Config:
    """The settings in a table. Raises ConfigError for an unknown key or a wrong value."""
    known = {field.name.replace("_", "-") for field in fields(Config)} - {"file"}
    out: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            raise ConfigError(f"{file}: unknown key {key!a}; {_nearest(key, known)}")
        try:
            out[key.replace("-", "_")] = READERS[key](value)
        except ValueError as error:
            raise ConfigError(f"{file}: {key} must be {error}, not {value!a}") from None
    if "lexicons" in out:
        out["lexicons"] = tuple(file.parent / Path(name).expanduser() for name in out["lexicons"])
    return Config(**out, file=file)


def user_lexicon() -> Path:
    """The user's own lexicon, which the command reads after the shipped ones. The file need not exist."""
    if home := os.environ.get("REPAIR_LEXICON"):
        return Path(home).expanduser()
    from typer import get_app_dir

    return Path(get_app_dir("mt-repair")) / "lexicon.tsv"


def _table(file: Path) -> dict[str, Any] | None:
    """The table of settings in ``file``; None where it has none."""
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not valid TOML ({error}); mend it, or pass --no-config") from None
    except OSError as error:
        raise ConfigError(
            f"{file}: it can't be read ({error.strerror}); change its mode, or pass --no-config"
        ) from None
    tool = data.get("tool")
    table = tool.get("repair") if isinstance(tool, dict) else None
    if table is None and file.name == "pyproject.toml":
        return None
    table = data if table is None else table
    if not isinstance(table, dict):
        raise ConfigError(f"{file}: tool.repair must be a table; write [tool.repair]")
    return table


def _nearest(key: str, known: set[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(key.lower().replace("_", "-"), known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"the keys are: {', '.join(sorted(known))}"


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise ValueError("a list of strings")
    return tuple(value)


def _word(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a string")
    return value


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("a number from 0 to 1")
    return float(value)


def _caution(value: Any) -> str:
    if value not in CAUTIONS:
        raise ValueError(f"one of {', '.join(CAUTIONS)}")
    return str(value)


def _scope(value: Any) -> str:
    if value not in ("user", "project"):
        raise ValueError("user or project")
    return str(value)


def _sources(value: Any) -> tuple[str, ...]:
    return check_sources(_words(value))


def check_sources(names: tuple[str, ...]) -> tuple[str, ...]:
    """``names``, if each is a source of suggestions that can be switched off."""
    if names:
        from repair.candidates import SOURCES  # not light, and hardly ever asked for

        if not set(names) <= set(SOURCES):
            raise ValueError(f"among {', '.join(SOURCES)}")
    return names


READERS: dict[str, Callable[[Any], Any]] = {
    "caution": _caution,
    "without": _sources,
    "ignore": _words,
    "ignore-files": _words,
    "lexicons": _words,
    "id-field": _word,
    "text-field": _word,
    "min-confidence": _share,
    "min-rewrite": _share,
    "ignore-scope": _scope,
}
