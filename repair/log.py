"""What a run says on stderr: lines for people, or a JSON object a line for machines."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from repair.display import json_line


@dataclass(frozen=True, slots=True)
class Log:
    """json: for machines. ``quiet`` 1 silences remarks, 2 also the errors of single inputs."""

    json: bool = False
    quiet: int = 0

    def __call__(self, text: str, event: str, /, level: str = "info", **fields: Any) -> None:
        """Say ``text``, or the event with its fields; level "error" is only silenced by quiet 2."""
        if self.quiet > (1 if level == "error" else 0):
            return
        if self.json:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            text = json_line({"time": now, "level": level, "event": event, **fields})
        print(text, file=sys.stderr)
