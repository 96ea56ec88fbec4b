"""A Repairer that swaps a few fixed words, so that everything around the detector is tested without it.

Run as a program, it is the command ``repair`` with this Repairer inside.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import repair.repairer
from repair.report import Article, Edit, Finding, Repair, Report, Suggestion, Verdict, apply

SWAPS = {"environment media": "state media", "herbal assets": "natural resources", "café spun": "café “fixed”"}
FLAGGED = "bosom"


class Stub:
    """Replaces SWAPS and flags FLAGGED. An article with SLOW in it takes a second; one with CRASH is a bug.

    One with DIE kills the process; with "ONCE file" only where that file is not there yet.
    """

    def __init__(self, *, ignore: Iterable[str] = (), **options: object) -> None:
        self.ignore, self.options = set(ignore), options

    def check(self, text: str | Article) -> Report:
        article = text if isinstance(text, Article) else Article(text)
        if "CRASH" in article.text:
            raise RuntimeError("a bug")
        if died := re.search(r"DIE(?: ONCE (\S+))?", article.text):
            mark = Path(died[1]) if died[1] else None
            if not (mark and mark.exists()):
                if mark:
                    mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        if "SLOW" in article.text:
            time.sleep(1)
        wanted = [word for word in [*SWAPS, FLAGGED] if word not in self.ignore]
        findings = []
        for match in re.finditer("|".join(map(re.escape, wanted)), article.text):
            if any(start < match.end() and match.start() < end for start, end in article.protected):
                continue
            new = SWAPS.get(match[0])
            suggestions = (Suggestion(new or "breast", 0.9, "lexicon"),)
            action = "replace" if new else "flag"
            findings.append(Finding(*match.span(), match[0], 0.97, action, suggestions, {"counts": [1376, 0]}))
        label = "spun" if findings else "clean"
        return Report(len(article.text.split()), Verdict(label, 0.9, 0.1), tuple(findings))

    def fix(self, text: str | Article) -> Repair:
        body = text.text if isinstance(text, Article) else text
        report = self.check(text)
        edits = tuple(
            Edit(f.start, f.end, f.observed, f.suggestions[0].text) for f in report.findings if f.action == "replace"
        )
        return Repair(apply(body, edits), edits, report)

    def check_stream(self, texts: Iterable[str | Article]) -> Iterator[Report]:
        return map(self.check, texts)

    def fix_stream(self, texts: Iterable[str | Article]) -> Iterator[Repair]:
        return map(self.fix, texts)

    loaded = False

    def spent(self) -> dict[str, float]:
        return {}

    def explain(self, text: str | Article, at: int) -> list[repair.repairer.Candidate]:
        body = text.text if isinstance(text, Article) else text
        start = body.find("environment media")
        if not start <= at < start + 17 or start < 0:
            return []
        common = {"start": start, "end": start + 17, "observed": "environment media", "source": "lexicon"}
        return [
            repair.repairer.Candidate(
                **common, text="state media", score=2, won=True, why="best", evidence={"ratio": 9}
            ),
            repair.repairer.Candidate(**common, text="\x1b[31mloser", score=1, won=False, why="rarer", evidence={}),
        ]


if __name__ == "__main__":
    repair.repairer.Repairer = Stub  # type: ignore[misc,assignment]
    from repair.cli import main

    main()
