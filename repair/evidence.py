"""Evidence: what n-grams, encoder, sources and the article say about each candidate, as columns of numbers.

A *pair* is one candidate at one stretch. Everything is computed for all pairs of an article at once; the columns are
named in repair.columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from repair import channel
from repair.between import Between
from repair.candidates import (
    ACRONYMS,
    ARTICLE,
    ARTICLES,
    COMPOUND,
    ENCODER,
    HABITS,
    LEXICON,
    NGRAMS,
    NOTHING,
    PPDB_,
    ROGET_,
    UNITS,
    WN_NEAR,
    WN_SAME,
    WORDS,
    Numbered,
    Placed,
    Proposer,
    Span,
    acronyms,
    own_wordings,
)  # fmt: skip
from repair.columns import PAIR, SPAN, pair_columns, span_columns
from repair.encoder import REFERENCE, Encoder, Floats, Reading
from repair.inflection import analyses, british
from repair.ngrams import NgramStore
from repair.segment import BREAK, Text
from repair.wordings import Wordings

KEPT = 24  # candidates per stretch that the networks see
_MOST_WORDINGS = 56_000  # about 30 MB; 270 articles have so many, and one adds some thousands at most
_NEIGHBOURS = 6  # candidates of a neighbouring stretch that a pair is tried with
_NGRAM_DOUBT = 0.3  # chance of having been replaced from which the n-gram store is asked for neighbours
_COMMON = 5000  # words that it is asked about
_RETRIEVE = 0.1  # chance of having been replaced from which the encoder is asked for wordings
_RETRIEVED = 16  # wordings that the encoder adds to a doubtful stretch
_RETRIEVABLE = 24_000  # the words it chooses among; those of REFERENCE come first
_ROWS = 64  # spans that are compared with the reference words at once
_DOUBT = 0.02  # chance of having been replaced below which a lone word is not looked at


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
        self._channel = channel.Channel(proposer.thesaurus, store)
        self._break = store.ids[BREAK]
        self.reference = [w for w in store.frequent(_RETRIEVABLE * 3) if w.isalpha()][:_RETRIEVABLE]
        self._between = Between(store, self.reference[:_COMMON])
        self._table = self._new_table()
        self._reference = self._table.first(len(self.reference))

    def _new_table(self) -> Wordings:
        """A table of wordings that begins with the reference words."""
        table = Wordings(self.store, self.encoder)
        if self.encoder is not None:
            table.number(self.reference)
        return table

    def _wordings(self) -> Wordings:
        """The table of wordings; a new one once it has grown too large (readers keep the one they have)."""
        if len(self._table) > _MOST_WORDINGS:
            self._table = self._new_table()
        return self._table

    def evidence(self, text: Text, reading: Reading | None) -> Evidence:
        """All evidence on one article."""
        n = len(text)
        replaced = reading.replaced if reading is not None else np.full(n, 0.2, np.float32)
        proposed = self._doubtful(text, self.proposer.spans(text, (replaced >= _DOUBT).tolist()), reading, replaced)
        if not proposed:
            pair, span = np.zeros((0, len(PAIR)), np.float32), np.zeros((0, len(SPAN)), np.float32)
            return Evidence([], [], np.zeros(0, np.int64), [], [], pair, span, {})
        ids = np.full(n + 4, self._break, np.int64)
        ids[2 : n + 2] = self.store.encode(text.folded)
        context = self._contexts(text, ids, proposed)
        spans = [(s.first, s.last) for s in proposed]
        doubt = np.array([replaced[a:z].max() for a, z in spans])
        table = self._wordings()
        queries, log_total, retrieved = self._queries(reading, spans, doubt)
        placed = self._with_context(text, proposed, context, retrieved, doubt)
        span_of, numbers, bits, weights = self._columns(table, text, proposed, placed)
        observed = [" ".join(text.folded[a:z]) for a, z in spans]
        there = table.number(observed)
        own = table.score(there, context, np.arange(len(spans)), queries, log_total)
        # Machines put no common word in place of a name: names are candidates where a capital stands, or by a row.
        lower = np.array([text.words[a][0].islower() for a, _ in spans])
        fits = ~(table.is_name(numbers) & lower[span_of]) | ((bits & (LEXICON | WORDS | UNITS | HABITS)) > 0)
        at = np.flatnonzero(fits)
        score = table.score(numbers[at], context, span_of[at], queries, log_total)
        prior = self._prior(score, own, span_of[at], bits[at], weights[at])
        best = _best(prior, span_of[at], KEPT)
        keep = at[best]
        starts = np.searchsorted(span_of, np.arange(len(spans)))
        entries: dict[int, object] = {}
        listed = np.array([bool(p.shared.rows) for p in placed])
        for new in np.flatnonzero(listed[span_of[keep]]).tolist():
            s = int(span_of[keep[new]])
            entry = placed[s].shared.rows.get(int(keep[new] - starts[s]))
            if entry is not None:
                entries[new] = entry
        span_of, numbers, bits, weights = span_of[keep], numbers[keep], bits[keep], weights[keep]
        score, prior = score[best], prior[best]
        texts = table.texts(numbers)
        joint = self._joint(table, spans, span_of, numbers, prior, score)
        pair = np.concatenate(
            [
                pair_columns(score, own, span_of, bits, weights, prior, texts, observed),
                joint,
                table.likeness(numbers, there[span_of])[:, None],
                self._channel.columns(texts, [observed[s] for s in span_of.tolist()]),
                self._met(texts, observed, span_of),
            ],
            axis=1,
        )
        known = [p.shared if len(p.shared) else p.own for p in placed]  # what is not shared has no weight
        span = span_columns(text, spans, reading, replaced, own, known, observed, "lexicon" in self.proposer.on)
        return Evidence(spans, observed, span_of, texts, bits.tolist(), pair, span, entries)

    def _columns(
        self, table: Wordings, text: Text, spans: list[Span], placed: list[Placed]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
        """All candidates of an article column-wise, spans in order: span, number in the table, sources, weight."""
        parts = [(k, o) for k, p in enumerate(placed) for o in (p.shared, p.own) if len(o)]
        found = table.numbered([o for _, o in parts])
        none = Numbered(None, np.zeros(0, np.int32), np.zeros(0, np.int16), np.zeros(0, np.float32))
        numbers = np.concatenate([none.numbers, *(n.numbers for n in found)]).astype(np.int64)
        bits = np.concatenate([none.bits, *(n.bits for n in found)]).astype(np.int64)
        weights = np.concatenate([none.weights, *(n.weights for n in found)])
        span_of = np.repeat(
            np.array([k for k, _ in parts], np.int64), np.array([len(n.numbers) for n in found], np.int64)
        )
        single = np.array([s.last - s.first == 1 for s in spans])
        if "article" in self.proposer.on:
            # A wording that the article uses elsewhere.
            used = table.known(w for w in dict.fromkeys(text.folded) if len(w) > 3)
            known = np.zeros(len(table), bool)
            known[used[used < len(known)]] = True
            bits[known[numbers] & single[span_of]] |= ARTICLE
        starts = np.searchsorted(span_of, np.arange(len(spans)))
        marks = [(starts[k] + i, bit) for k, p in enumerate(placed) for i, bit in p.marks]
        if marks:
            np.bitwise_or.at(bits, [i for i, _ in marks], [bit for _, bit in marks])
        return span_of, numbers, bits, weights

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
            if (i, z) not in known and text.folded[i] not in ARTICLES:
                known.add((i, z))
                out.append(Span(i, z, NOTHING))
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
                    out.append(Span(i, z, NOTHING))
        return sorted(out, key=lambda s: (s.first, s.last))

    def _contexts(self, text: Text, ids: npt.NDArray[np.int64], spans: list[Span]) -> npt.NDArray[np.int64]:
        """Word ids two before, one before, one after, two after each span; line breaks stop the view."""
        first, last = np.array([(s.first, s.last) for s in spans]).T
        starts = np.array([*text.line_starts, True, True])  # as if a line began after the end
        context = (
            np.where(starts[first] | starts[first - 1], self._break, ids[first]),
            np.where(starts[first], self._break, ids[first + 1]),
            np.where(starts[last], self._break, ids[last + 2]),
            np.where(starts[last] | starts[last + 1], self._break, ids[last + 3]),
        )
        return np.stack(context, axis=1)

    def _queries(
        self, reading: Reading | None, spans: list[tuple[int, int]], doubt: Floats
    ) -> tuple[Floats, Floats, dict[int, npt.NDArray[np.int64]]]:
        """For each span its query and the log of the reference words' summed odds; for doubtful ones the best words."""
        if reading is None or self.encoder is None:
            return np.zeros((len(spans), 0), np.float32), np.zeros(len(spans), np.float32), {}
        vectors, biases = self._reference
        queries, scale = self.encoder.queries(reading, spans), self.encoder.scale
        common = min(REFERENCE, len(vectors))
        log_total = np.empty(len(spans), np.float32)
        asked = doubt >= _RETRIEVE if "encoder" in self.proposer.on else np.zeros(len(spans), bool)
        retrieved: dict[int, npt.NDArray[np.int64]] = {}
        for at in range(0, max(1, len(spans) - _ROWS + 1), _ROWS):
            # The last rows go with those before: a product of one row is summed in another order.
            end = at + _ROWS if at + 2 * _ROWS <= len(spans) else len(spans)
            more = at + np.flatnonzero(asked[at:end])
            rarer = dict(zip(more.tolist(), queries[more] @ vectors[common:].T, strict=True))
            for k, row in enumerate(queries[at:end] @ vectors[:common].T, at):  # by rows: one stays in the cache
                row *= scale
                row += biases[:common]
                if k in rarer:
                    every = np.concatenate([row, rarer[k] * scale + biases[common:]])
                    some = np.argpartition(every, -40)[-40:]
                    retrieved[k] = some[np.argsort(-every[some], kind="stable")]
                top = row.max()
                row -= top
                log_total[k] = top + np.log(np.exp(row, out=row).sum())
        return queries, log_total, retrieved

    def _with_context(
        self,
        text: Text,
        spans: list[Span],
        context: npt.NDArray[np.int64],
        retrieved: dict[int, npt.NDArray[np.int64]],
        doubt: Floats,
    ) -> list[Placed]:
        """Each span's candidates, with those that only its place suggests."""
        on = self.proposer.on
        folded, word = text.folded, text.is_word
        wordings = own_wordings(text) if "article" in on else {}
        wanted = dict(acronyms(text)) if "acronyms" in on else {}
        out = []
        for k, s in enumerate(spans):
            options = Placed(s.options)
            out.append(options)
            single = s.last == s.first + 1
            if k in retrieved:
                observed = " ".join(folded[s.first : s.last])
                tags = {t for _, t in analyses(observed)} if single else set()
                same, added = british(observed), 0
                for i in retrieved[k].tolist():
                    found = self.reference[i]
                    if british(found) != same and (not tags or _alike(found, tags)):
                        options.add(found, ENCODER)
                        added += 1
                        if added == _RETRIEVED:
                            break
            if not single:
                continue
            observed = folded[s.first]
            if "ngrams" in on and doubt[k] >= _NGRAM_DOUBT:
                before, after = context[k, 1:3].tolist()
                for found in self._between.words(before, after, observed):
                    options.add(found, NGRAMS)
            if wordings:
                for side, j in (("<", s.last), (">", s.first - 1)):
                    if 0 <= j < len(text) and word[j] and len(folded[j]) > 3:
                        for found in dict.fromkeys(wordings.get((folded[j], side), ())):
                            if found != observed and len(found) > 3:
                                options.add(found, ARTICLE)
            if s.first in wanted:
                for found in options.texts:
                    if found[0] == wanted[s.first]:
                        options.add(found, ACRONYMS)
        return out

    def _met(self, texts: list[str], observed: list[str], span_of: npt.NDArray[np.int64]) -> Floats:
        """Columns (pairs, 2): logarithms of one more than the writers who used the swap, and its wording for any."""
        out = np.zeros((len(texts), 2), np.float32)
        if self.proposer.habits:
            known = [self.proposer.habits.of(wording) for wording in observed]
            every = np.array([sum(of.values()) for of in known], np.float32)
            out[:, 0] = [known[s].get(text, 0) for s, text in zip(span_of.tolist(), texts, strict=True)]
            out[:, 1] = every[span_of]
        return np.log1p(out)

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
            (HABITS, 0.7),
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
        sizes = np.diff(starts)
        by_end: dict[int, list[int]] = {}
        for s, (_, z) in enumerate(spans):
            if sizes[s]:
                by_end.setdefault(z, []).append(s)
        beside = [(t, s) for s, (a, _) in enumerate(spans) if sizes[s] for t in by_end.get(a, ())]
        out = score[:, 2:4].copy()
        if beside:
            # A span's pairs stand best first. Its few best with all of the other's; then the rest with the other's few.
            t, s = np.array(beside).T
            few = np.minimum(sizes[t], _NEIGHBOURS)
            left, right = _products(starts[t], few, starts[s], sizes[s])
            rest = _products(starts[t] + few, sizes[t] - few, starts[s], np.minimum(sizes[s], _NEIGHBOURS))
            left, right = np.concatenate([left, rest[0]]), np.concatenate([right, rest[1]])
            best = np.maximum.reduceat(prior, starts[:-1][starts[:-1] < starts[1:]])
            best_of = np.repeat(best, np.diff(starts)[np.diff(starts) > 0])
            worse = 0.5 * np.minimum(prior - best_of, 0)
            both = self.store.count(last[left], first[right])
            unigram = self.store.unigram
            association = self.store.association(both, unigram(last[left]), unigram(first[right]))
            np.maximum.at(out[:, 0], right, (association + worse[left]).astype(np.float32))
            np.maximum.at(out[:, 1], left, (association + worse[right]).astype(np.float32))
        return out


def _products(
    left: npt.NDArray[np.int64],
    lefts: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
    rights: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Every one of left[k], left[k] + 1, ... (``lefts[k]`` of them) with every one of right[k], ..., for all k."""
    sizes = lefts * rights
    of = np.repeat(np.arange(len(sizes)), sizes)
    rank = np.arange(len(of)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return left[of] + rank // rights[of], right[of] + rank % rights[of]


def _alike(word: str, tags: set[str]) -> bool:
    """Whether a word can have one of these tags, as far as anybody knows."""
    found = analyses(word)
    return not found or any(tag in tags for _, tag in found)


def _best(prior: Floats, span_of: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.int64]:
    """Indices of the ``most`` best pairs of every span, spans in order."""
    order = np.lexsort((-prior, span_of))
    s = span_of[order]
    starts = np.flatnonzero(np.r_[True, s[1:] != s[:-1]]) if len(s) else np.zeros(0, np.int64)
    rank = np.arange(len(s)) - np.repeat(starts, np.diff([*starts, len(s)]))
    return order[rank < most]
