"""What a run's results depend on: version, options, and the hashes of lexicons and artifacts."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

# Their versions may change the last digits of a score, or what of a page is its main text.
PACKAGES = ("torch", "numpy", "sentence-transformers", "transformers", "trafilatura", "lemminflect")


def provenance(options: Mapping[str, Any]) -> dict[str, Any]:
    """A record of what results depend on. ``options``: those of repair.Repairer.

    "run" is a short hash of version, options, lexicons and artifacts: where it is the same, so are the results.
    """
    from repair import __version__, rows
    from repair.pipeline import artifacts

    own = [Path(path) for path in options.get("lexicons", ())]
    shown = {name: _plain(value) for name, value in sorted(options.items()) if name != "lexicons"}
    fixed = {
        "version": __version__,
        "options": shown,
        "lexicons": [{"name": path.name, "sha256": sha256(path)} for path in [*rows.shipped(), *own]],
        "artifacts": {
            path.relative_to(artifacts()).as_posix(): sha256(path)
            for path in sorted(artifacts().rglob("*"))
            if path.is_file()
        },
    }
    run = hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()[:16]
    return {"run": run, **fixed, "packages": _packages()}


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list | set | frozenset):
        return sorted(map(str, value))
    return os.fspath(value) if isinstance(value, Path) else value


def _packages() -> dict[str, str]:
    out = {}
    for name in PACKAGES:
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            continue
    return out
