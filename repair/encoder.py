"""The trained encoder at run time: reads windows of sentences, embeds wordings, matches the two.

torch and sentence-transformers are imported when the first window is read, not before. Weights are stored as int8 with
a scale per row (training/export.py) and unpacked to float32 on loading.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from repair.errors import artifact
from repair.segment import TOKEN, Text

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from repair.network import Network

Floats = npt.NDArray[np.float32]
WINDOW = 240  # word pieces in a window, as in training
BEGIN, END = 2, 3  # word pieces before and after a window
KEPT = 16  # readings of windows, 0.3 MB each
BLOCK = 128  # wordings embedded in one pass, always as many
EMBEDDING = "bert.embeddings.word_embeddings.weight"
REFERENCE = 12_000  # common words that normalise the scores


def piece_tokenizer(vocabulary: list[str]) -> Tokenizer:
    """BERT's word-piece tokenizer over ``vocabulary`` (lower case, accents stripped)."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    model = models.WordPiece({p: i for i, p in enumerate(vocabulary)}, unk_token="[UNK]", max_input_chars_per_word=60)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def load_network(folder: Path, *, packed: bool = False) -> tuple[Network, list[str]]:
    """The network of packed weights (training/export.py) in float32, and its word pieces.

    packed: word embeddings are unpacked row by row when they are used, which is no good for training. Raises OSError,
    EOFError, BadZipFile, ValueError or KeyError when the folder does not hold them.
    """
    import torch
    from transformers import BertConfig, BertModel

    from repair.network import Network, PackedEmbedding

    vocabulary = (folder / "pieces.txt").read_text(encoding="utf-8").split("\n")
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights = np.load(folder / "weights.npz")
    net = Network(BertModel(BertConfig(**config), add_pooling_layer=False))
    state = {}
    for name in {n.removesuffix("|scale") for n in weights.files} - ({EMBEDDING} if packed else set()):
        value = weights[name].astype(np.float32)
        if f"{name}|scale" in weights.files:
            value *= weights[f"{name}|scale"].astype(np.float32)[:, None]
        state[name] = torch.from_numpy(value)
    net.load_state_dict(state, strict=False)
    if packed:
        scales = weights[f"{EMBEDDING}|scale"].astype(np.float32)
        embedding = PackedEmbedding(torch.from_numpy(weights[EMBEDDING]), torch.from_numpy(scales))
        net.bert.embeddings.register_module("word_embeddings", embedding)
    return net, vocabulary


@dataclass(frozen=True, slots=True)
class Reading:
    """What the encoder saw in one article. odds: (tokens, 3) intact/first/further; states: (tokens, size)."""

    odds: Floats
    states: Floats

    @property
    def replaced(self) -> Floats:
        """Probability of each token that a machine replaced it."""
        return 1 - self.odds[:, 0]


class Encoder:
    """One pass per window of sentences. Not changed by reading; safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        from sentence_transformers import SentenceTransformer

        with artifact(folder, "encoder"):
            self._net, vocabulary = load_network(folder, packed=True)
        self._model = SentenceTransformer(modules=[self._net], device="cpu").eval()
        self._size = int(self._net.bert.config.hidden_size)
        self._tokenizer = piece_tokenizer(vocabulary)
        self._pieces = lru_cache(maxsize=25_000)(self._pieces_of)
        self._window = lru_cache(maxsize=KEPT)(self._read_window)

    def _pieces_of(self, word: str) -> tuple[int, ...]:
        readable = word.encode("utf-8", "replace").decode()  # lone surrogates are no text to the tokenizer
        return tuple(self._tokenizer.encode(readable, add_special_tokens=False).ids[:12])

    def read(self, texts: Sequence[Text]) -> list[Reading]:
        """Read whole articles.

        Every window has a pass of its own: sums of floats depend on the shape of what they are summed with, and an
        article's report must not depend on its neighbours. Nor would passes of several be faster: they are padded.
        """
        return [self._read(text) for text in texts]

    def _read(self, text: Text) -> Reading:
        odds, states = [np.zeros((0, 3), np.float32)], [np.zeros((0, self._size), np.float32)]
        for a, z in self._windows(text):
            chances, seen = self._window(tuple(text.words[a:z]))
            odds.append(chances)
            states.append(seen)
        return Reading(np.concatenate(odds), np.concatenate(states))

    def _read_window(self, words: tuple[str, ...]) -> tuple[Floats, Floats]:
        """Odds and states of the words of a window. Kept: an article is read again when some of it was rewritten."""
        import torch

        ids = [self._pieces(w) for w in words]
        lengths = np.array([1, *map(len, ids), 1])  # with the marks of beginning and end
        word_of = np.repeat(np.arange(-1, len(ids) + 1), lengths)
        word_of[-1] = -1
        with torch.inference_mode():
            seen = self._model(
                {
                    "input_ids": torch.tensor([[BEGIN, *(piece for word in ids for piece in word), END]]),
                    "attention_mask": torch.ones((1, len(word_of)), dtype=torch.long),
                    "word_of": torch.from_numpy(word_of),
                    "words": torch.arange(len(ids)),
                }
            )
        return seen["word_odds"].numpy(), seen["word_states"].numpy()

    def _windows(self, text: Text) -> list[tuple[int, int]]:
        """Token ranges of whole sentences that fit a window together; longer sentences are cut."""
        out: list[tuple[int, int]] = []
        lengths = [len(self._pieces(w)) for w in text.words]
        first = used = 0
        for s in text.sentences:
            need = sum(lengths[s.first : s.last])
            if used and used + need > WINDOW - 2:
                out.append((first, s.first))
                first, used = s.first, 0
            used += need
            while used > WINDOW - 2:
                cut = first
                room = WINDOW - 2
                while cut < s.last and lengths[cut] <= room:
                    room -= lengths[cut]
                    cut += 1
                out.append((first, cut))
                used -= sum(lengths[first:cut])
                first = cut
        if first < len(text):
            out.append((first, len(text)))
        return out

    def queries(self, reading: Reading, spans: Sequence[tuple[int, int]]) -> Floats:
        """Unit query vectors (spans, size) of token ranges."""
        import torch

        totals = np.concatenate([np.zeros((1, reading.states.shape[1]), np.float32), reading.states.cumsum(0)])
        first, last = np.array([s[0] for s in spans]), np.array([s[1] for s in spans])
        means = (totals[last] - totals[first]) / (last - first)[:, None]
        with torch.inference_mode():
            out: Floats = torch.nn.functional.normalize(
                self._net.query(torch.from_numpy(means.astype(np.float32)))
            ).numpy()
        return out

    def embed(self, wordings: Sequence[str]) -> tuple[Floats, Floats]:
        """Unit vectors (n, size) and biases (n,) of folded wordings, the same whatever else is embedded with them."""
        blocks = [self._embed(wordings[at : at + BLOCK]) for at in range(0, len(wordings), BLOCK)] or [self._embed([])]
        return np.concatenate([v for v, _ in blocks]), np.concatenate([b for _, b in blocks])

    def _embed(self, wordings: Sequence[str]) -> tuple[Floats, Floats]:
        import torch

        pieces: list[int] = []
        of: list[int] = []
        for i, wording in enumerate(wordings):
            ids = [p for w in TOKEN.findall(wording) for p in self._pieces(w)] or [1]
            pieces += ids
            of += [i] * len(ids)
        with torch.inference_mode():
            vectors, biases = self._net.wordings(
                torch.tensor(pieces, dtype=torch.long), torch.tensor(of, dtype=torch.long), BLOCK
            )
        return vectors.numpy()[: len(wordings)], biases.numpy()[: len(wordings)]

    @property
    def scale(self) -> float:
        """What cosines are multiplied by to become logits."""
        return float(self._net.scale.detach())
