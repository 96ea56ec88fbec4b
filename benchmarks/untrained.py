"""The encoder before any training of ours, all-MiniLM-L6-v2 as it comes, asked the trained one's questions.

How well a wording goes into a place: the cosine of its own embedding with the mean state of the sentence's other words.
How like it is to what stands there: the cosine of both embeddings. One pass for a sentence, one for a wording, as the
trained encoder has; every candidate put in place would be a pass for each, some sixty times the cost.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from repair.columns import PAIR, SPAN
from repair.encoder import Floats
from repair.evidence import Evidence
from repair.segment import Text
from training.encoder import base_model

PAIR_SLOTS = tuple(PAIR.index(c) for c in ("enc", "enc_gain", "enc_to_best", "enc_rank", "likeness"))
SPAN_SLOTS = (SPAN.index("enc_own"),)
LONGEST = 200  # word pieces of a sentence that are read
BATCH = 32
WORDINGS = 256  # embedded in one pass


class Untrained:
    """Keeps the embeddings of all wordings met."""

    def __init__(self) -> None:
        from transformers import AutoTokenizer, BertModel

        folder = base_model()
        self._bert = BertModel.from_pretrained(folder, add_pooling_layer=False, local_files_only=True)  # in eval mode
        self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._known: dict[str, Floats] = {}

    def columns(self, text: Text, evidence: Evidence) -> tuple[Floats, Floats]:
        """Columns for PAIR_SLOTS of all pairs and for SPAN_SLOTS of all spans."""
        if not evidence.texts:
            return np.zeros((0, len(PAIR_SLOTS)), np.float32), np.zeros((len(evidence.spans), 1), np.float32)
        places, of = self._places(text, evidence), evidence.span_of
        there, offered = self._embedded(evidence.observed), self._embedded(evidence.texts)
        own = (places * there).sum(1)
        fit = (places[of] * offered).sum(1)
        starts = np.flatnonzero(np.r_[True, of[1:] != of[:-1]])
        sizes = np.diff([*starts, len(of)])
        best = np.repeat(np.maximum.reduceat(fit, starts), sizes)
        order = np.lexsort((-fit, of))
        rank = np.empty(len(of), np.float32)
        rank[order] = np.arange(len(of)) - np.repeat(starts, sizes)
        like = (there[of] * offered).sum(1)
        return np.stack([fit, fit - own[of], fit - best, rank, like], axis=1), own[:, None]

    def _places(self, text: Text, evidence: Evidence) -> Floats:
        """For each span the unit mean state of the other words of its sentence."""
        states = np.zeros((len(text), self._bert.config.hidden_size), np.float32)
        sentences = sorted(text.sentences, key=lambda s: s.last - s.first)
        for at in range(0, len(sentences), BATCH):
            part = sentences[at : at + BATCH]
            words = [[w.encode("utf-8", "replace").decode() for w in text.words[s.first : s.last]] for s in part]
            batch = self._tokenizer(
                words, is_split_into_words=True, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt"
            )
            with torch.inference_mode():
                hidden = self._bert(**batch).last_hidden_state.numpy()
            for row, sentence in enumerate(part):
                of = np.array([-1 if w is None else w for w in batch.word_ids(row)])
                read = of >= 0
                np.add.at(states, sentence.first + of[read], hidden[row, read])
        sums = np.concatenate([np.zeros((1, states.shape[1]), np.float32), states.cumsum(0)])
        holds = np.zeros(len(text), np.int64)
        for k, s in enumerate(text.sentences):
            holds[s.first : s.last] = k
        out = []
        for a, z in evidence.spans:
            s = text.sentences[holds[a]]
            out.append(sums[s.last] - sums[s.first] - (sums[min(z, s.last)] - sums[a]))
        return _unit(np.array(out, np.float32))

    def _embedded(self, wordings: Sequence[str]) -> Floats:
        """Unit embeddings (n, size): the mean state of the wording alone, as sentence-transformers has it."""
        fresh = sorted({w for w in wordings if w not in self._known}, key=len)
        for at in range(0, len(fresh), WORDINGS):
            part = fresh[at : at + WORDINGS]
            batch = self._tokenizer(part, padding=True, truncation=True, max_length=32, return_tensors="pt")
            with torch.inference_mode():
                hidden = self._bert(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1)
            self._known.update(zip(part, _unit(((hidden * mask).sum(1) / mask.sum(1)).numpy()), strict=True))
        return np.stack([self._known[w] for w in wordings])


def _unit(rows: Floats) -> Floats:
    out: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return out
