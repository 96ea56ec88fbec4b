"""The trained encoder's network. Imports torch: only repair.encoder (when a sentence needs it) and training/ import it.

One pass over a window of text gives a state per word (the mean of its word pieces'); from it
- three logits per word: intact, first word of an artifact, further word of one;
- a query vector per span, compared by cosine with embedded wordings.
A wording is embedded without the transformer, from the mean of its word pieces' input vectors through a small
perceptron: a hundred thousand cost a second, and any wording at all can be one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

if TYPE_CHECKING:
    from transformers import BertModel

INTACT, FIRST, FURTHER = 0, 1, 2


class Network(nn.Module):
    """``bert``: a transformers BertModel without pooler; sizes are read off its configuration.

    ``embedding_size`` there: of queries and embedded wordings, the hidden size where it is not said.
    """

    def __init__(self, bert: BertModel) -> None:
        super().__init__()
        self.bert = bert
        size = bert.config.hidden_size
        narrow = getattr(bert.config, "embedding_size", size)
        self.detect = nn.Sequential(nn.Linear(size, size), nn.GELU(), nn.Linear(size, 3))
        self.query = nn.Sequential(nn.Linear(size, 2 * size), nn.GELU(), nn.Linear(2 * size, narrow))
        self.wording = nn.Sequential(nn.Linear(size, 2 * size), nn.GELU(), nn.Linear(2 * size, narrow + 1))
        self.scale = nn.Parameter(torch.tensor(18.0))

    def forward(self, features: dict[str, Tensor], **_: object) -> dict[str, Tensor]:
        """A sentence-transformers module: ids, mask, each piece's word, a row per word in; its state and odds out."""
        states = self.states(
            features["input_ids"], features["attention_mask"], features["word_of"], len(features["words"])
        )
        return features | {"word_states": states, "word_odds": self.detect(states).softmax(-1)}

    def states(self, pieces: Tensor, mask: Tensor, word_of: Tensor, words: int) -> Tensor:
        """Mean state of each word: (batch, length) ids and mask, ``word_of`` = flat word index of a piece or -1."""
        hidden = self.bert(input_ids=pieces, attention_mask=mask).last_hidden_state
        flat, index = hidden.reshape(-1, hidden.shape[-1]).float(), word_of.reshape(-1)
        keep = index >= 0
        return pooled(flat[keep], index[keep], words)

    def queries(self, states: Tensor, member: Tensor, span: Tensor, spans: int) -> Tensor:
        """Unit query vectors of spans: word ``member[k]`` belongs to span ``span[k]``."""
        return normalize(self.query(pooled(states[member], span, spans)), dim=-1)

    def wordings(self, pieces: Tensor, of: Tensor, n: int) -> tuple[Tensor, Tensor]:
        """Unit vectors (n, size) and biases (n,) of wordings: piece ``pieces[k]`` belongs to wording ``of[k]``."""
        vectors = self.bert.embeddings.word_embeddings(pieces).float()
        out = self.wording(pooled(vectors, of, n) * 8.0)
        return normalize(out[:, :-1], dim=-1), out[:, -1]

    def scores(self, queries: Tensor, vectors: Tensor, biases: Tensor) -> Tensor:
        """Logits (spans, wordings)."""
        return queries @ vectors.T * self.scale + biases


class PackedEmbedding(nn.Module):
    """An embedding whose rows stay as they are stored, int8 with a scale each: 12 MB instead of 47."""

    codes: Tensor
    scales: Tensor

    def __init__(self, codes: Tensor, scales: Tensor) -> None:
        super().__init__()
        self.register_buffer("codes", codes)
        self.register_buffer("scales", scales)

    def forward(self, rows: Tensor) -> Tensor:
        return self.codes[rows].float() * self.scales[rows].unsqueeze(-1)


def pooled(rows: Tensor, group: Tensor, groups: int) -> Tensor:
    """Mean of the rows of each group."""
    total = rows.new_zeros(groups, rows.shape[1]).index_add_(0, group, rows)
    count = rows.new_zeros(groups).index_add_(0, group, rows.new_ones(len(group)))
    return total / count.clamp(min=1).unsqueeze(1)
