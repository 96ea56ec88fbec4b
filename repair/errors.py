"""The errors that users meet. Every message names the input and the cure.

RepairError
├── InputError         an input could not be read            (exit code 3; ``code`` goes into the JSONL error record)
├── OutputError        what a run notes beside its results can't be written, so it ends     (exit code 3)
├── UsageError         options that make no sense together   (exit code 2)
│   └── ConfigError    a configuration file that is wrong
├── LexiconError       a lexicon row that is wrong, with file and line
└── ArtifactError      a built artifact that is missing or damaged
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class RepairError(Exception):
    """Anything that mt-repair raises on purpose."""


class InputError(RepairError):
    """An input that can't be read. ``code`` is a short stable word such as ``encoding`` or ``missing-field``."""

    def __init__(self, message: str, code: str = "unreadable") -> None:
        super().__init__(message)
        self.code = code


class OutputError(RepairError):
    """A journal or a list of errors that can't be written: without it a run would lose something unseen."""


class UsageError(RepairError):
    """Options or arguments that can't be followed."""


class ConfigError(UsageError):
    """A configuration file with an unknown key or a wrong value."""


class LexiconError(RepairError):
    """A lexicon file that breaks a rule; the message says file, line and cure."""


class ArtifactError(RepairError):
    """A built artifact that is missing or damaged."""


def missing_extra(what: str, extra: str, package: str) -> InputError:
    """The error for an input that needs an optional package."""
    message = f"{what} needs the package {package}; pip install 'mt-repair[{extra}]'"
    return InputError(message, "extra")


@contextmanager
def artifact(path: Path, what: str) -> Iterator[None]:
    """Around what reads the built artifact at ``path``: raises ArtifactError where it is missing or damaged."""
    from zipfile import BadZipFile  # not when the command starts
    from zlib import error as DamagedError

    try:
        yield
    except (OSError, EOFError, ValueError, KeyError, LexiconError, BadZipFile, DamagedError) as e:
        raise ArtifactError(f"{path}: the {what} can't be read ({e}); install mt-repair again") from e
