"""Evidence: what n-grams, encoder, sources and the article say about each candidate, as columns of numbers.

A *pair* is one candidate at one stretch. Everything is computed for all pairs of an article at once; the columns are
named in repair.columns.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from repair import channel
from repair.candidates import (
    ACRONYMS,
    ARTICLE,
    COMPOUND,
    ENCODER,
    LEXICON,
    NGRAMS,
    PPDB_,
    ROGET_,
    UNITS,
    WN_NEAR,
    WN_SAME,
    WORDS,
    Options,
    Proposer,
    Span,
    acronyms,
    own_wordings,
)  # fmt: skip
from repair.columns import PAIR, SPAN, pair_columns, span_columns
from repair.encoder import REFERENCE, Encoder, Floats, Reading
from repair.inflection import analyses
from repair.ngrams import NgramStore
from repair.segment import BREAK, Text
from repair.wordings import Wordings

KEPT = 24  # candidates per stretch that the networks see
_MOST_WORDINGS = 120_000  # about 200 MB of embeddings
_NEIGHBOURS = 6  # candidates of a neighbouring stretch that a pair is tried with
_NGRAM_DOUBT = 0.3  # chance of having been replaced from which the n-gram store is asked for neighbours
_COMMON = 5000  # words that it is asked about
_BETWEEN = 6  # neighbours taken from it
_RETRIEVED = 16  # wordings that the encoder adds to a doubtful stretch
_DOUBT = 0.01  # chance of having been replaced below which a lone word is not looked at


@dataclass(frozen=True, slots=True)
class Evidence:
    """Columns for an article's pairs and spans. ``span_of[k]`` is the span of pair k; pairs of a span stand together.

    ``observed`` holds the folded wording of each span, ``texts`` the folded candidate of each pair.
    """

    spans: list[tuple[int, int]]
    observed: list[str]
    span_of: npt.NDArray[np.int64]
    texts: list[str]
    bits: list[int]
    pair: Floats
    span: Floats
    entries: dict[int, object]


class Judge:
    """Gathers evidence. ``encoder`` None: the columns that need it are neutral."""

    def __init__(self, store: NgramStore, proposer: Proposer, encoder: Encoder | None) -> None:
        self.store, self.proposer, self.encoder = store, proposer, encoder
        self._table = Wordings(store, encoder)
        self._channel = channel.Channel(proposer.thesaurus, store)
        self._break = store.ids[BREAK]
        order = np.argsort(-store.unigrams.astype(np.int64), kind="stable")
        self.reference = [store.words[i] for i in order[: REFERENCE * 3] if store.words[i].isalpha()][:REFERENCE]
        self._common = store.encode(self.reference[:_COMMON])
        self._reference: tuple[Floats, Floats] | None = None

    def _wordings(self) -> Wordings:
        """The table of wordings; a new one once it has grown too large (readers keep the one they have)."""
        if len(self._table) > _MOST_WORDINGS:
            self._table = Wordings(self.store, self.encoder)
        return self._table

    def evidence(self, text: Text, reading: Reading | None) -> Evidence:
        """All evidence on one article."""
        n = len(text)
        replaced = reading.replaced if reading is not None else np.full(n, 0.2, np.float32)
        proposed = self._doubtful(text, self.proposer.spans(text, (replaced >= _DOUBT).tolist()), reading, replaced)
        if not proposed:
            return Evidence(
                [],
                [],
                np.zeros(0, np.int64),
                [],
                [],
                np.zeros((0, len(PAIR)), np.float32),
                np.zeros((0, len(SPAN)), np.float32),
                {},
            )
        ids = np.full(n + 4, self._break, np.int64)
        ids[2 : n + 2] = self.store.encode(text.folded)
        context = self._contexts(text, ids, proposed)
        spans = [(s.first, s.last) for s in proposed]
        queries, log_total = self._queries(reading, spans)
        options = self._with_context(text, proposed, context, queries, replaced)
        observed = [" ".join(text.folded[a:z]) for a, z in spans]
        table = self._wordings()
        there = table.number(observed)
        own = table.score(there, context, np.arange(len(spans)), queries, log_total)
        span_of = np.repeat(np.arange(len(spans)), [len(o.texts) for o in options])
        texts = [t for o in options for t in o.texts]
        bits = np.array([b for o in options for b in o.bits], np.int64)
        weights = np.array([w for o in options for w in o.weights], np.float32)
        # Machines put no common word in place of a name: names are candidates where a capital stands, or by a row.
        lower = np.array([text.words[a][0].islower() for a, _ in spans])
        fits = np.array([t not in self.store.names for t in texts], bool) | ~lower[span_of]
        kept = np.flatnonzero(fits | ((bits & (LEXICON | WORDS | UNITS)) > 0))
        span_of, bits, weights, texts = span_of[kept], bits[kept], weights[kept], [texts[k] for k in kept]
        numbers = table.number(texts)
        score = table.score(numbers, context, span_of, queries, log_total)
        prior = self._prior(score, own, span_of, bits, weights)
        keep = _best(prior, span_of, KEPT)
        pair = pair_columns(
            score[keep], own, span_of[keep], bits[keep], weights[keep], prior[keep], [texts[k] for k in keep], observed
        )
        joint = self._joint(table, spans, span_of[keep], numbers[keep], prior[keep], score[keep])
        readily = [self._channel.columns(texts[k], observed[span_of[k]]) for k in keep]
        likeness = table.likeness(numbers[keep], there[span_of[keep]])[:, None]
        pair = np.concatenate(
            [pair, joint, likeness, np.array(readily, np.float32).reshape(-1, len(channel.COLUMNS))], axis=1
        )
        entries: dict[int, object] = {}
        starts = np.concatenate([[0], np.cumsum([len(o.texts) for o in options])])
        for new, k in enumerate(keep):
            s = int(span_of[k])
            entry = options[s].rows.get(int(kept[k] - starts[s]))
            if entry is not None:
                entries[new] = entry
        listed = "lexicon" in self.proposer.on
        span = span_columns(text, spans, reading, replaced, own, options, observed, listed)
        return Evidence(
            spans, observed, span_of[keep], [texts[k] for k in keep], [int(bits[k]) for k in keep], pair, span, entries
        )

    def _doubtful(self, text: Text, proposed: list[Span], reading: Reading | None, replaced: Floats) -> list[Span]:
        """Proposed spans, and those that only the encoder's labels show."""
        if reading is None:
            return proposed
        out = list(proposed)
        known = {(s.first, s.last) for s in out}
        ignored = self.proposer.lexicon.ignored_tokens(text)
        blocked = [b or i for b, i in zip(text.blocked, ignored, strict=True)]
        lines, word = text.line_starts, text.is_word
        first, further = reading.odds[:, 1], reading.odds[:, 2]
        for i in range(len(text)):
            if not word[i] or blocked[i] or replaced[i] < 0.15:
                continue
            z = i + 1
            if (i, z) not in known:
                known.add((i, z))
                out.append(Span(i, z, Options()))
            while (
                z < len(text)
                and z - i < 5
                and word[z]
                and not blocked[z]
                and not lines[z]
                and further[z] > 0.15
                and first[i] > 0.15
            ):
                z += 1
                if (i, z) not in known:
                    known.add((i, z))
                    out.append(Span(i, z, Options()))
        return sorted(out, key=lambda s: (s.first, s.last))

    def _contexts(self, text: Text, ids: npt.NDArray[np.int64], spans: list[Span]) -> npt.NDArray[np.int64]:
        """Word ids two before, one before, one after, two after each span; line breaks stop the view."""
        out = np.empty((len(spans), 4), np.int64)
        lines = text.line_starts
        n = len(text)
        for k, s in enumerate(spans):
            out[k, 1] = self._break if lines[s.first] else ids[s.first + 1]
            out[k, 0] = self._break if lines[s.first] or lines[s.first - 1] else ids[s.first]
            out[k, 2] = self._break if s.last >= n or lines[s.last] else ids[s.last + 2]
            out[k, 3] = self._break if s.last + 1 >= n or lines[s.last] or lines[s.last + 1] else ids[s.last + 3]
        return out

    def _queries(self, reading: Reading | None, spans: list[tuple[int, int]]) -> tuple[Floats, Floats]:
        if reading is None or self.encoder is None:
            return np.zeros((len(spans), 0), np.float32), np.zeros(len(spans), np.float32)
        if self._reference is None:
            self._reference = self.encoder.embed(self.reference)
        queries = self.encoder.queries(reading, spans)
        scores = self._reference_scores(queries)
        top = scores.max(1)
        return queries, top + np.log(np.exp(scores - top[:, None]).sum(1))

    def _reference_scores(self, queries: Floats) -> Floats:
        assert self.encoder is not None and self._reference is not None
        vectors, biases = self._reference
        out: Floats = queries @ vectors.T * self.encoder.scale + biases
        return out

    def _with_context(
        self, text: Text, spans: list[Span], context: npt.NDArray[np.int64], queries: Floats, replaced: Floats
    ) -> list[Options]:
        """Each span's candidates, with those that only its place suggests."""
        on = self.proposer.on
        wordings = own_wordings(text) if "article" in on else {}
        there = Counter(text.folded)
        wanted = dict(acronyms(text)) if "acronyms" in on else {}
        top: npt.NDArray[np.int64] | None = None
        if "encoder" in on and queries.shape[1]:
            top = np.argpartition(-self._reference_scores(queries), 40, axis=1)[:, :40]
        out = []
        for k, s in enumerate(spans):
            options = s.options.copy()
            single = s.last == s.first + 1
            observed = " ".join(text.folded[s.first : s.last])
            doubt = float(replaced[s.first : s.last].max())
            if top is not None and doubt >= 0.1:
                tags = {t for _, t in analyses(observed)} if single else set()
                added = 0
                for i in top[k]:
                    word = self.reference[i]
                    if word != observed and (not tags or tags & {t for _, t in analyses(word)} or not analyses(word)):
                        options.add(word, ENCODER)
                        added += 1
                        if added == _RETRIEVED:
                            break
            if single and "ngrams" in on and doubt >= _NGRAM_DOUBT:
                before, after = context[k, 1:3].tolist()
                for word in self._frequent_between(before, after, observed):
                    options.add(word, NGRAMS)
            if single and wordings:
                for side, j in (("<", s.last), (">", s.first - 1)):
                    if 0 <= j < len(text) and text.is_word[j] and len(text.folded[j]) > 3:
                        for word in dict.fromkeys(wordings.get((text.folded[j], side), ())):
                            if word != observed and len(word) > 3:
                                options.add(word, ARTICLE)
                for i, word in enumerate(options.texts):
                    if len(word) > 3 and there.get(word, 0):
                        options.bits[i] |= ARTICLE
            if single and s.first in wanted:
                for i, word in enumerate(options.texts):
                    if word[0] == wanted[s.first]:
                        options.bits[i] |= ACRONYMS
            out.append(options)
        return out

    def _frequent_between(self, before: int, after: int, observed: str) -> list[str]:
        """Common words in the same inflection that edited English writes between two words far oftener than chance."""
        ids, store = self._common, self.store
        left = store.count(np.full_like(ids, before), ids)
        right = store.count(ids, np.full_like(ids, after))
        seen = np.flatnonzero((left > 0) & (right > 0))
        u = store.unigram(ids[seen])
        worth = self._table.association(left[seen], store.unigram(np.array([before])), u)
        worth += self._table.association(right[seen], u, store.unigram(np.array([after])))
        tags = {t for _, t in analyses(observed)}
        out: list[str] = []
        for i in seen[np.argsort(-worth, kind="stable")[:40]]:
            word = store.words[ids[i]]
            if word != observed and tags & {t for _, t in analyses(word)}:
                out.append(word)
                if len(out) == _BETWEEN:
                    break
        return out

    def _prior(
        self, score: Floats, own: Floats, span_of: npt.NDArray[np.int64], bits: npt.NDArray[np.int64], weights: Floats
    ) -> Floats:
        """A rough order of a span's candidates, to drop the hopeless before the networks see them."""
        sources = np.zeros(len(bits), np.float32)
        for bit, worth in (
            (LEXICON, 2.0),
            (WORDS, 1.5),
            (ACRONYMS, 2.0),
            (ARTICLE, 0.7),
            (COMPOUND, 0.7),
            (WN_SAME, 0.7),
            (WN_NEAR, 0.4),
            (PPDB_, 0.6),
            (ROGET_, 0.3),
        ):
            sources += worth * ((bits & bit) > 0)
        out: Floats = score[:, 0] + 0.35 * (score[:, 1] - own[span_of, 1]) + sources + 1.5 * weights
        return out

    def _joint(
        self,
        table: Wordings,
        spans: list[tuple[int, int]],
        span_of: npt.NDArray[np.int64],
        numbers: npt.NDArray[np.int64],
        prior: Floats,
        score: Floats,
    ) -> Floats:
        """How well each pair goes with the best candidates of the stretches beside it.

        "wisdom businesses" is damaged twice. (pairs, 2), left and right: association of the two candidates less half of
        what the neighbour's is worse than its best; at least the association with the neighbour as it stands.
        """
        first, last = table.ends(numbers)
        starts = np.searchsorted(span_of, np.arange(len(spans) + 1))
        by_end: dict[int, list[int]] = {}
        for s, (_, z) in enumerate(spans):
            if starts[s + 1] > starts[s]:
                by_end.setdefault(z, []).append(s)
        left_of: list[npt.NDArray[np.int64]] = []
        right_of: list[npt.NDArray[np.int64]] = []
        for s, (a, _) in enumerate(spans):
            mine = np.arange(starts[s], starts[s + 1])
            if not len(mine):
                continue
            for t in by_end.get(a, ()):
                others = np.arange(starts[t], starts[t + 1])
                few = others[np.argsort(-prior[others], kind="stable")[:_NEIGHBOURS]]
                part = mine[np.argsort(-prior[mine], kind="stable")[:_NEIGHBOURS]]
                left_of += np.repeat(few, len(mine)), np.repeat(others, len(part))
                right_of += np.tile(mine, len(few)), np.tile(part, len(others))
        out = score[:, 2:4].copy()
        if left_of:
            left, right = np.concatenate(left_of), np.concatenate(right_of)
            best = np.maximum.reduceat(prior, starts[:-1][starts[:-1] < starts[1:]])
            best_of = np.repeat(best, np.diff(starts)[np.diff(starts) > 0])
            worse = 0.5 * np.minimum(prior - best_of, 0)
            both = self.store.count(last[left], first[right])
            unigram = self.store.unigram
            association = table.association(both, unigram(last[left]), unigram(first[right]))
            np.maximum.at(out[:, 0], right, (association + worse[left]).astype(np.float32))
            np.maximum.at(out[:, 1], left, (association + worse[right]).astype(np.float32))
        return out


def _best(prior: Floats, span_of: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.int64]:
    """Indices of the ``most`` best pairs of every span, spans in order."""
    order = np.lexsort((-prior, span_of))
    s = span_of[order]
    starts = np.flatnonzero(np.r_[True, s[1:] != s[:-1]]) if len(s) else np.zeros(0, np.int64)
    rank = np.arange(len(s)) - np.repeat(starts, np.diff([*starts, len(s)]))
    return order[rank < most]
