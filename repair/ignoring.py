"""Where "ignore always" goes: into the user's own lexicon or into the project's. Asked once, and remembered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal, Protocol

from repair.config import Config, project_folder, project_lexicon, user_lexicon
from repair.errors import RepairError
from repair.lexicon_commands import silence
from repair.write import replacing

Where = Literal["user", "project"]
WHERES: Mapping[Where, str] = {"user": "everywhere, for you alone", "project": "in this project, for everybody"}


class Silence(Protocol):
    """What a review tells about wordings to ignore. ``where`` None: the user is still to be asked."""

    where: Where | None
    place: str

    def settle(self, where: Where) -> None:
        """The user's answer."""

    def __call__(self, wording: str, on: bool, where: Where) -> None:
        """Ignore a wording always, or no longer."""


class Unasked:
    """Ignores nothing beyond the review itself."""

    place = ""

    def __init__(self) -> None:
        self.where: Where | None = "user"

    def settle(self, where: Where) -> None:
        self.where = where

    def __call__(self, wording: str, on: bool, where: Where) -> None:
        return


class Ignoring:
    """Writes ignore rows where the option, the settings or an earlier answer say, in this order.

    Answers are kept by project in ``answers.json`` beside the user's lexicon. ``place`` is the project's lexicon, shown
    with the question.
    """

    def __init__(self, config: Config, given: Where | None = None) -> None:
        self._project, self._folder = project_lexicon(config), str(project_folder(config))
        self._answers = user_lexicon().with_name("answers.json")
        self.place = str(self._project)
        self.where: Where | None = given or config.ignore_scope or self._remembered()

    def settle(self, where: Where) -> None:
        """The answer holds for this review, and is kept for the next one where that can be written."""
        self.where = where
        held = self._held()
        held.setdefault("ignore-scope", {})[self._folder] = where
        try:
            self._answers.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self._answers) as file:
                file.write(json.dumps(held, indent=1).encode() + b"\n")
        except (OSError, RepairError):
            return  # asked again next time

    def __call__(self, wording: str, on: bool, where: Where) -> None:
        silence(wording, on, self._project if where == "project" else user_lexicon())

    def _remembered(self) -> Where | None:
        given = self._held().get("ignore-scope", {}).get(self._folder)
        return next((where for where in WHERES if where == given), None)

    def _held(self) -> dict[str, dict[str, str]]:
        """The answers so far; what is not readable as such counts for nothing."""
        try:
            held = json.loads(self._answers.read_bytes())
        except (OSError, ValueError):
            return {}
        if isinstance(held, dict) and all(isinstance(value, dict) for value in held.values()):
            return held
        return {}
