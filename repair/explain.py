"""Why a place reads as it does: every candidate considered there, winners and losers, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from repair.candidates import source_names
from repair.columns import PAIR
from repair.decide import held_intact
from repair.parts import cut
from repair.repairer import Candidate
from repair.report import Article

if TYPE_CHECKING:
    from repair.pipeline import Pipeline

_SHOWN = ("enc", "enc_gain", "fit_gain", "left", "right", "weight")


def candidates_at(pipeline: Pipeline, article: Article, at: int) -> list[Candidate]:
    """Candidates of all stretches that hold code point ``at``, the best chance first."""
    begin, part = next((a, p) for a, p in reversed(cut(article)) if a <= at)
    at -= begin
    text, evidence, decision = pipeline.judged(part)
    chosen = {c.span: c for c in decision.choices}
    best: dict[int, float] = {}
    for k, s in enumerate(evidence.span_of):
        best[int(s)] = max(best.get(int(s), 0.0), float(decision.chance[k]))
    out = []
    for k, s in enumerate(evidence.span_of.tolist()):
        first, last = evidence.spans[s]
        start, end = text.starts[first], text.ends[last - 1]
        if not start <= at < end:
            continue
        chance, confidence = float(decision.chance[k]), float(decision.confidence[s])
        won = s in chosen and bool(chosen[s].pairs) and chosen[s].pairs[0][0] == k
        if won:
            needed = pipeline.thresholds.rewritten(decision.verdict.probability)
            short_of = _short_of(needed, held_intact(evidence, s))
            why = "rewritten by fix" if chosen[s].sureness >= needed else f"suggested only: {short_of}"
        elif s in chosen:
            why = f"another wording is likelier here ({chance:.2f} < {best[s]:.2f})"
        elif confidence < pipeline.thresholds.reported(decision.verdict.probability):
            why = f"the stretch reads as intact (confidence {confidence:.2f})"
        else:
            why = "an overlapping stretch explains the sentence better"
        values = dict(zip(PAIR, evidence.pair[k].tolist(), strict=True))
        details = {name: round(values[name], 2) for name in _SHOWN} | {"confidence": round(confidence, 3)}
        source = "+".join(source_names(evidence.bits[k])) or "context"
        out.append(
            Candidate(
                begin + start, begin + end, text.text[start:end], evidence.texts[k], source, chance, won, why, details
            )
        )
    return sorted(out, key=lambda c: (not c.won, -c.score))


def _short_of(needed: float, intact: bool) -> str:
    if needed > 1:
        return "the article is not judged spun"
    if intact:
        return "the encoder takes the stretch for intact"
    return f"chance, share among rivals or confidence below {needed:.2f}"
