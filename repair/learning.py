"""What the user's decisions teach: rows of a lexicon, with counts of how often each was accepted and rejected.

Beside the lexicon file lies a journal (``lexicon.learned.jsonl``), one line a lesson, only ever appended to. The rows
whose source is "learned" follow from it; all other rows are the user's own and never touched. Taking a lesson back is a
line too, so nothing is lost, and a kill at any moment leaves a lexicon that the next lesson brings up to date.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repair import rows
from repair.alignment import base_form
from repair.errors import LexiconError
from repair.journal import Taught
from repair.rows import LOOP, Row

if TYPE_CHECKING:
    from repair.ngrams import NgramStore

SOURCE = "learned"
_MOST_WEIGHT = 0.9
_NO_LINE = "a line of the journal that this version can't read; mend or delete it"

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Learned:
    """A swap in base form, how often it was accepted and rejected, and when last (ISO 8601)."""

    observed: str
    original: str
    kind: str
    accepted: int
    rejected: int
    at: str = ""

    @property
    def key(self) -> Key:
        return self.observed, self.original

    @property
    def wanted(self) -> bool:
        """Whether it earns a row: it was accepted, and an ignore row not more often taken back."""
        return self.accepted > (self.rejected if self.kind == "ignore" else 0)


class Learning:
    """The lessons of one lexicon file, user-wide or of a project. Not for several threads at once.

    Raises LexiconError where lexicon or journal are broken.
    """

    def __init__(self, lexicon: Path) -> None:
        self.lexicon = lexicon
        self.journal = lexicon.with_suffix(".learned.jsonl")
        self._read, self._line = 0, 0  # bytes and lines of the journal that were read
        self._held: list[list[Learned]] = []

    def learn(self, observed: str, original: str, accepted: bool) -> Learned | None:
        """One decision of a review, wordings as they stand in the text; equal ones: leave the wording alone.

        The swap as it is now known; None where there is nothing to learn (a wording that no row can hold).
        """
        self.follow([(observed, original, accepted)])
        swap = in_base_form(observed, original)
        return swap and self.known()[swap.key]

    def follow(self, taught: Iterable[Taught], taken_back: Iterable[Taught] = ()) -> None:
        """The decisions of a review, each a lesson of its own, and those that were taken back since they taught.

        What can't be a row, or is taken back already, is passed over.
        """
        at, lines = datetime.now(UTC).isoformat(timespec="seconds"), list[dict[str, Any]]()
        for key, decisions in (("unlearn", taken_back), ("swaps", taught)):
            for observed, original, accepted in decisions:
                if swap := in_base_form(observed, original):
                    row = [*swap.key, swap.kind, int(accepted), int(not accepted)]
                    lines.append({"unlearn": row} if key == "unlearn" else {"at": at, "swaps": [row]})
        if lines:
            self._append(*lines)
            self._update()

    def add(self, lessons: Iterable[Learned]) -> int:
        """Add counts, all as one lesson that ``undo`` takes back as one; the number of rows that are new."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        swaps = [[s.observed, s.original, s.kind, s.accepted, s.rejected] for s in lessons]
        before = {swap.key for swap in self.known().values() if swap.wanted}
        if swaps:
            self._append({"at": at, "swaps": swaps})
        return len(self._update() - before)

    def undo(self) -> list[Learned]:
        """Take the last lesson back; what was in it, empty where there is none."""
        lessons = self._lessons()
        if not lessons:
            return []
        last = lessons[-1]
        self._append({"undo": 1})
        self._update()
        return last

    def forget(self, observed: str) -> list[Learned]:
        """Take back all that was learned about a wording (in base form); what that was."""
        gone = [swap for swap in self.known().values() if swap.observed.casefold() == observed.casefold()]
        if gone:
            self._append({"forget": [swap.observed for swap in gone]})
            self._update()
        return gone

    def known(self) -> dict[Key, Learned]:
        """All that was learned and not taken back, by swap, sorted."""
        out: dict[Key, Learned] = {}
        for lesson in self._lessons():
            for swap in lesson:
                if old := out.get(swap.key):
                    counts = old.accepted + swap.accepted, old.rejected + swap.rejected
                    swap = Learned(*swap.key, old.kind, *counts, swap.at)
                out[swap.key] = swap
        return dict(sorted(out.items()))

    def rows(self) -> list[Row]:
        """The rows of the lexicon file, the user's own too."""
        return rows.read(self.lexicon) if self.lexicon.exists() else []

    def _lessons(self) -> list[list[Learned]]:
        """The lessons that hold, oldest first. Only what the journal gained since the last call is read."""
        try:
            with self.journal.open("rb") as file:
                if file.seek(0, os.SEEK_END) < self._read:
                    self._read, self._line, self._held = 0, 0, []
                file.seek(self._read)
                new = file.read()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise LexiconError(f"{self.journal}: it can't be read ({error.strerror}); check its mode") from None
        for line in new.split(b"\n")[:-1]:  # what a kill broke off has no line end
            try:
                row = json.loads(line)
                if "undo" in row:
                    self._held.pop()
                elif "unlearn" in row:
                    self._unlearn(_checked(row["unlearn"], ""))
                elif "forget" in row:
                    self._held = [[s for s in lesson if s.observed not in row["forget"]] for lesson in self._held]
                else:
                    self._held.append([_checked(swap, str(row["at"])) for swap in row["swaps"]])
            except (ValueError, KeyError, TypeError, IndexError) as error:
                raise LexiconError(f"{self.journal}:{self._line + 1}: {_NO_LINE} ({error})") from None
            self._read += len(line) + 1
            self._line += 1
        return self._held

    def _unlearn(self, swap: Learned) -> None:
        """Drop the last lesson that holds one decision alone, this one; none where it is taken back already."""
        for n in range(len(self._held) - 1, -1, -1):
            lesson = self._held[n]
            if len(lesson) == 1 and replace(lesson[0], at="", kind=swap.kind) == swap:
                del self._held[n]
                return

    def _append(self, *lines: dict[str, Any]) -> None:
        self._lessons()
        self.journal.parent.mkdir(parents=True, exist_ok=True)
        with self.journal.open("ab") as file:
            file.truncate(self._read)  # what a kill broke off would spoil the next line
            file.writelines(json.dumps(row, ensure_ascii=False).encode("utf-8") + b"\n" for row in lines)
            file.flush()
            os.fsync(file.fileno())

    def _update(self) -> set[Key]:
        """Make the learned rows of the lexicon follow the journal; which swaps hold."""
        held = self.rows()
        own = [row for row in held if row.source != SOURCE]
        wanted = {swap.key: swap for swap in self.known().values() if swap.wanted}
        taken = {(row.observed, row.original) for row in own}
        new = weighed([swap for key, swap in wanted.items() if key not in taken], own)
        if (all_rows := sorted([*own, *new], key=lambda row: row.order)) != sorted(held, key=lambda row: row.order):
            rows.write(self.lexicon, all_rows)
        return set(wanted)


def in_base_form(observed: str, original: str) -> Learned | None:
    """A decided finding as a swap of a lexicon, without counts; None where no row can hold it.

    An article that both sides begin with goes ("an information convention" = "a data protocol").
    """
    shown = " ".join(observed.split()), " ".join(original.split())
    one, other = (text.lower().replace("’", "'").split(" ") for text in shown)
    kept = shown[1].split(" ")
    if {one[0], other[0]} <= {"a", "an", "the"} and min(len(one), len(other)) > 1 and one != other:
        one, other, kept = one[1:], other[1:], kept[1:]
    base, kind = (" ".join(one), " ".join(other)), "ignore"
    if base[0] != base[1]:
        *pair, kind = base_form(*base)
        base = pair[0], pair[1]
        if shown[0] == shown[0].lower() and kept[-1] != kept[-1].lower():
            base, kind = (base[0], " ".join(kept)), "function"  # america = United States
    try:
        rows.parse(rows.format(Row(*base, kind, source=SOURCE)))
        "".join(base).encode("utf-8")
    except ValueError:
        return None
    return Learned(*base, kind, 0, 0)


def weighed(swaps: Sequence[Learned], others: Sequence[Row]) -> list[Row]:
    """The rows of swaps, each with the weight that its counts and the wording's rarity give it.

    One accepted swap speaks for a wording that clean English never has with 0.6, ten with 0.83; each rejection takes
    from it. Where a row maps back (of ``others`` or of these), neither may speak loud enough to make a loop.
    """
    pairs = {(row.observed.casefold(), row.original.casefold()) for row in others}
    pairs |= {(swap.observed.casefold(), swap.original.casefold()) for swap in swaps}
    out = []
    for swap in swaps:
        clean = hits(swap.observed)
        note = f"{swap.accepted} accepted, {swap.rejected} rejected"
        if swap.kind == "ignore":
            out.append(Row(*swap.key, "ignore", 1.0, (), note, SOURCE))
            continue
        trust = (swap.accepted + 1) / (swap.accepted + swap.rejected + 2)
        weight = _MOST_WEIGHT * trust / (1 + clean / 2) ** 0.45
        if (swap.original.casefold(), swap.observed.casefold()) in pairs:
            weight = min(weight, LOOP - 0.01)
        out.append(Row(*swap.key, swap.kind, max(0.01, round(weight, 2)), (), note, SOURCE, round(clean, 2)))
    return out


@cache
def _store() -> NgramStore:
    from repair.ngrams import NgramStore
    from repair.pipeline import artifacts

    return NgramStore(artifacts() / "ngrams")


@lru_cache(maxsize=100_000)
def hits(wording: str) -> float:
    """How often clean English has a wording, in hits per million words; of a long one the rarest three words count."""
    from repair.segment import TOKEN, fold

    store = _store()
    ids = store.encode(fold(token) for token in TOKEN.findall(wording))
    size = min(3, len(ids))
    columns = [ids[k : len(ids) - size + 1 + k] for k in range(size)]
    counts = store.unigram(columns[0]) if size == 1 else store.count(*columns)
    return float(counts.min()) / store.total * 1e6


def _checked(swap: Any, at: str) -> Learned:
    observed, original, kind, accepted, rejected = swap
    rows.parse(rows.format(Row(observed, original, kind)))
    return Learned(observed, original, kind, int(accepted), int(rejected), at)
