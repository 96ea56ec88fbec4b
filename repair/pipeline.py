"""From articles to reports: the path through the modules, with everything it needs loaded once.

text -> segment.Text -> screen -> encoder.Reading -> evidence.Evidence -> decide.Decision -> report.Report
"""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Sequence
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from repair import rows
from repair.candidates import SOURCES, Proposer, source_names
from repair.columns import PAIR, SPAN
from repair.decide import Choice, Combination, Decision, Thresholds, decide
from repair.encoder import Encoder, Reading
from repair.errors import UsageError
from repair.evidence import Evidence, Judge
from repair.glance import Glance
from repair.habits import Habits
from repair.inflection import article_for, british, like
from repair.lexicon import Entry, Lexicon, inflected
from repair.memory import hand_back
from repair.meter import Meter
from repair.ngrams import NgramStore
from repair.parts import cut, joined
from repair.report import Article, Finding, Report, Suggestion, Verdict
from repair.screen import Screen
from repair.segment import Text
from repair.thesaurus import Thesaurus

MOST_SUGGESTIONS = 5
SPARED = 0.002  # said to be the chance that an article which the screen spares is spun
GLANCED = 0.1  # the same of one that only the screen's third look spares
MOST_WORDS = 9  # in a finding; the contract says ten, and an article may be drawn in


def artifacts() -> Path:
    """Where the built artifacts are: in the package, or where MT_REPAIR_ARTIFACTS says (for training)."""
    return Path(os.environ.get("MT_REPAIR_ARTIFACTS") or str(files("repair") / "artifacts"))


class Pipeline:
    """All models and tables behind a Repairer. Loads each when first needed; reading changes nothing."""

    def __init__(
        self,
        without: Collection[str],
        lexicons: Sequence[Path],
        ignore: Collection[str],
        thresholds: Thresholds,
        screen: bool = True,
    ) -> None:
        if unknown := sorted(set(without) - set(SOURCES)):
            raise UsageError(f"unknown source {unknown[0]!r}; the sources are {', '.join(SOURCES)}")
        self.without = frozenset(without)
        self.thresholds = thresholds
        self._lexicons = [*rows.shipped(), *lexicons]
        self._ignore = tuple(ignore)
        self._own, self._screened = tuple(lexicons), screen
        self.meter = Meter()

    @cached_property
    def screen(self) -> Screen | None:
        """What spares clean articles the analysis; the user's own wordings always get it."""
        own = [
            e.observed for path in self._own for row in rows.read(path) if row.kind != "ignore" for e in inflected(row)
        ]
        return Screen(artifacts() / "screen", own, lambda: self.store) if self._screened else None

    @cached_property
    def store(self) -> NgramStore:
        return NgramStore(artifacts() / "ngrams")

    @cached_property
    def encoder(self) -> Encoder | None:
        return None if "encoder" in self.without else Encoder(artifacts() / "encoder")

    @cached_property
    def glance(self) -> Glance:
        """What reads the oddest sentences of an article that the screen's first looks doubt. Not without encoder."""
        assert self.encoder is not None
        return Glance(artifacts() / "screen", self.encoder)

    @cached_property
    def combination(self) -> Combination:
        return Combination(artifacts() / "combination.npz")

    @cached_property
    def judge(self) -> Judge:
        lexicon = Lexicon(self._lexicons, self._ignore)
        thesaurus, habits = Thesaurus(artifacts() / "thesaurus"), Habits.read(artifacts() / "habits.tsv.gz")
        proposer = Proposer(lexicon, thesaurus, self.store, self.without, habits)
        return Judge(self.store, proposer, self.encoder)

    @property
    def loaded(self) -> bool:
        """Whether the last and largest part has been loaded."""
        return "judge" in self.__dict__

    def reports(self, articles: Sequence[Article]) -> list[Report]:
        """Reports of a batch of articles, in order."""
        return [self._spared(article) or self._analysed(article) for article in articles]

    def _analysed(self, article: Article) -> Report:
        """The report of an article that the screen does not spare."""
        parts = []
        for at, part in cut(article):
            parts.append((at, self.report(*self.judged(part))))
            hand_back()
        return joined(parts)

    def _spared(self, article: Article) -> Report | None:
        """The report of an article that the screen takes for clean; None where it has doubts."""
        screen, text = self.screen, article.text
        if screen is None:
            return None
        with self.meter.stage("screen"):
            doubtful, words = screen.examine(text)
        if not doubtful:
            return Report(words, Verdict("clean", SPARED, 0.0))
        if "encoder" in self.without or screen.has_own(text):
            return None
        with self.meter.stage("screen"):
            score, sentences = screen.worst(text)
        with self.meter.stage("load"):
            glance = self.glance
        with self.meter.stage("encoder"):
            doubtful = glance.doubtful(sentences, score, words)
        self.meter.add("sentences", len(sentences))
        return None if doubtful else Report(words, Verdict("clean", GLANCED, 0.0))

    def judged(self, article: Article) -> tuple[Text, Evidence, Decision]:
        """What is known and decided about an article, or a part of a long one."""
        stage = self.meter.stage
        text = Text(article.text, article.protected)
        reading: Reading | None = None
        with stage("load"):
            encoder, judge, combination = self.encoder, self.judge, self.combination
        if encoder is not None:
            with stage("encoder"):
                (reading,) = encoder.read([text])
            self.meter.add("sentences", len(text.sentences))
        with stage("evidence"):
            evidence = judge.evidence(text, reading)
        with stage("decide"):
            decision = decide(evidence, combination, sum(text.is_word), self.thresholds)
        return text, evidence, decision

    def report(self, text: Text, evidence: Evidence, decision: Decision) -> Report:
        """The findings in the words of the contract."""
        spelling = _is_british(text)
        findings: list[Finding] = []
        length = [last - first for first, last in evidence.spans]
        choices = [c for c in decision.choices if length[c.span] <= MOST_WORDS]
        counts = self._counts(text, evidence, choices)
        for choice, ngrams in zip(choices, counts, strict=True):
            first, last = evidence.spans[choice.span]
            pairs = choice.pairs[: MOST_SUGGESTIONS * 2]
            best_of: dict[str, tuple[float, int]] = {}
            for k, chance in pairs:  # best first; two candidates may look the same in place
                best_of.setdefault(self._put(text, evidence, k, first, last, spelling), (chance, k))
            taken = findings[-1].end if findings else 0
            if self._with_article(text, first, list(best_of)) and taken <= text.starts[first - 1]:
                first -= 1
                best_of = {f"{like(text.words[first], article_for(w))} {w}": v for w, v in best_of.items()}
            observed = text.text[text.starts[first] : text.ends[last - 1]]
            suggestions = tuple(
                Suggestion(
                    w,
                    chance / max(choice.confidence, choice.total, 1e-6),
                    "+".join(source_names(evidence.bits[k])) or "context",
                )
                for w, (chance, k) in list(best_of.items())[:MOST_SUGGESTIONS]
                if w != observed
            )
            needed = self.thresholds.rewritten(decision.verdict.probability)
            replace = bool(suggestions) and choice.sureness >= needed
            findings.append(
                Finding(
                    text.starts[first],
                    text.ends[last - 1],
                    observed,
                    choice.confidence,
                    "replace" if replace else "flag",
                    suggestions,
                    self._explained(evidence, decision, choice, ngrams),
                )
            )
        return Report(sum(text.is_word), decision.verdict, tuple(findings))

    def _put(self, text: Text, evidence: Evidence, pair: int, first: int, last: int, spelling: bool) -> str:
        """A candidate as it would stand in the text."""
        entry = evidence.entries.get(pair)
        wording = entry.original if isinstance(entry, Entry) and entry.row.kind == "name" else evidence.texts[pair]
        wording = " ".join(w[:1].upper() + w[1:] if w in self.store.names else w for w in wording.split(" "))
        if spelling:
            wording = " ".join(british(w) if w.islower() else w for w in wording.split(" "))
        if "’" in text.text:
            wording = wording.replace("'", "’")
        return like(text.text[text.starts[first] : text.ends[last - 1]], wording)

    def _with_article(self, text: Text, first: int, wordings: list[str]) -> bool:
        """Whether the a/an before a finding is drawn in: the best wording needs the other one."""
        before = first - 1
        return bool(
            first
            and wordings
            and not text.line_starts[first]
            and text.folded[before] in ("a", "an")
            and not text.blocked[before]
            and text.starts[first] - text.ends[before] == 1
            and article_for(wordings[0]) != text.folded[before]
        )

    def _explained(
        self, evidence: Evidence, decision: Decision, choice: Choice, ngrams: dict[str, int]
    ) -> dict[str, Any]:
        """Evidence that a reader understands."""
        columns = dict(zip(SPAN, evidence.span[choice.span].tolist(), strict=True))
        out: dict[str, Any] = {
            "verdict": str(decision.verdict),
            "replaced": round(columns["replaced"], 3),
        }
        if not choice.pairs:
            return out
        pair = choice.pairs[0][0]
        out["sources"] = source_names(evidence.bits[pair])
        entry = evidence.entries.get(pair)
        if isinstance(entry, Entry):
            out["lexicon"] = f"{entry.row.observed} -> {entry.row.original} ({entry.row.weight:g})"
        values = dict(zip(PAIR, evidence.pair[pair].tolist(), strict=True))
        if writers := round(math.expm1(values["met"])):
            swap = f"{evidence.observed[choice.span]} -> {evidence.texts[pair]}"
            out["habits"] = f"{swap} ({writers} writer{'s' * (writers > 1)})"
        if self.encoder is not None:
            out["context"] = {
                "suggestion": round(math.exp(min(0.0, values["enc"])), 4),
                "observed": round(math.exp(min(0.0, columns["enc_own"])), 4),
            }
        out["ngrams"] = ngrams
        return out

    def _counts(self, text: Text, evidence: Evidence, choices: Sequence[Choice]) -> list[dict[str, int]]:
        """Of each choice, the counts of both wordings with the telling neighbour.

        {"environment media": 0, "state media": 1376}; empty without a candidate or a neighbour.
        """
        asked: list[tuple[int, str, tuple[str, str]]] = []  # choice, what is counted, its two words at the seam
        for k, choice in enumerate(choices):
            first, last = evidence.spans[choice.span]
            for j in (first - 1, last) if choice.pairs else ():
                if not 0 <= j < len(text) or not text.is_word[j] or text.line_starts[max(j, first)]:
                    continue
                near = text.folded[j]
                for w in (" ".join(text.folded[first:last]), evidence.texts[choice.pairs[0][0]]):
                    if j < first:
                        asked.append((k, f"{near} {w}", (near, w.split(" ", 1)[0])))
                    else:
                        asked.append((k, f"{w} {near}", (w.rsplit(" ", 1)[-1], near)))
        ids = self.store.encode(word for *_, two in asked for word in two)
        found = self.store.count(ids[::2], ids[1::2]).round().astype(int).tolist()
        best: list[tuple[float, dict[str, int]]] = [(-1.0, {})] * len(choices)
        for i in range(0, len(asked), 2):
            k, old, new = asked[i][0], found[i], found[i + 1]
            gain = math.log1p(new) - math.log1p(min(old, new))
            if gain > best[k][0]:
                best[k] = gain, {asked[i][1]: old, asked[i + 1][1]: new}
        return [pairs for _, pairs in best]


_BRITISH_SIGNS = (
    "colour",
    "favour",
    "labour",
    "centre",
    "organis",
    "realis",
    "recognis",
    "defence",
    "programme",
    "travell",
    " per cent",
    "whilst",
    "behaviour",
    "licence",
    "theatre",
    "metre",
    "analys",
)
_AMERICAN_SIGNS = (
    "color", "favor", "labor ", "center", "organiz", "realiz", "recogniz", "defense", "traveled",
    "percent", "behavior", "theater", "analyz",
)  # fmt: skip


def _is_british(text: Text) -> bool:
    """Whether the article spells as the British do; undecided articles count as American."""
    low = text.text.lower()
    british_signs = sum(low.count(s) for s in _BRITISH_SIGNS)
    return british_signs > sum(low.count(s) for s in _AMERICAN_SIGNS)
