"""A page of figures with parts that are made by different programs, each replaced alone."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path


def put(page: Path, name: str, title: str, lines: Iterable[str]) -> None:
    """Put the part ``name`` into a page, in place of what it was or at the end; below its title stands what made it."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    command = " ".join([f"python -m benchmarks.{name}", *sys.argv[1:]])
    body = "\n".join([f"## {title}\n", f"{date.today()}, commit {commit}: `{command}`\n", *lines]).rstrip("\n")
    part = f"<!-- {name} -->\n{body}\n<!-- end of {name} -->"
    old = page.read_text(encoding="utf-8") if page.exists() else "# Performance\n"
    place = re.compile(rf"<!-- {name} -->.*?<!-- end of {name} -->", re.DOTALL)
    new = place.sub(lambda _: part, old) if place.search(old) else f"{old.rstrip()}\n\n{part}\n"
    page.write_text(new, encoding="utf-8")
