"""LemmInflect's tables, read without its code: which lemmas a form has, and which forms a lemma.

Its package imports spaCy wherever that is installed, and torch with it (250 MB, two seconds), keeps its tables as
dictionaries of dictionaries (50 MB), and copies what it gives out. Here they stay sorted lines that are searched.
"""

from __future__ import annotations

import gzip
from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

Forms = dict[str, tuple[str, ...]]
_TAGS = {"noun": ("NNS",), "adj": ("JJR", "JJS"), "adv": ("RBR", "RBS"), "verb": ("VBD", "VBN", "VBG", "VBZ")}
_BASES = {"noun": ("NN",), "adj": ("JJ",), "adv": ("RB",), "verb": ("VB", "VBP")}
_AUXILIARIES: dict[str, Forms] = {  # as LemmInflect has them beside its tables
    "can": {"VB": ("can",), "VBD": ("could",)},
    "may": {"VB": ("may",), "VBD": ("might",)},
    "will": {"VB": ("will",), "VBD": ("would",)},
    "shall": {"VB": ("shall",), "VBD": ("should",)},
    "must": {"VB": ("must",), "VBD": ("must",)},
    "ought": {"VB": ("ought",), "VBD": ("ought",)},
    "dare": {"VB": ("dare",)},
    "be": {
        "VB": ("be",), "VBD": ("was", "were"), "VBG": ("being",), "VBN": ("been",), "VBP": ("am", "are"),
        "VBZ": ("is",),
    },
}  # fmt: skip


def lemmas(word: str) -> Forms:
    """Lemmas of a form by universal part of speech, in the form's capitals; empty for a word that is not listed."""
    style, lower = _style(word), word.lower()
    found = {_upos(kind): tuple(rest[0].split("/")) for kind, *rest in _lines("lemma_lu", lower)}
    return _styled(found | _overrides("lemma_overrides").get(lower, {}), style)


def inflections(lemma: str) -> Forms:
    """Forms of a lemma by Penn tag, in the lemma's capitals; empty for a word that is not listed."""
    style, lower = _style(lemma), lemma.lower()
    found: Forms = {}
    if lower in _AUXILIARIES:
        found |= _AUXILIARIES[lower]
    else:
        for kind, *forms in _lines("infl_lu", lower):
            listed = zip(_TAGS.get(kind, ()), forms, strict=False)
            found |= {tag: tuple(spellings.split("/")) for tag, spellings in listed if spellings}
            found |= dict.fromkeys(_BASES.get(kind, ("VB",)), (lower,))
    return _styled(found | _overrides("infl_overrides").get(lower, {}), style)


@cache
def _folder() -> Path:
    spec = find_spec("lemminflect")  # does not import it
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("lemminflect is missing; install mt-repair again")
    return Path(spec.submodule_search_locations[0]) / "resources"


@cache
def _table(name: str) -> list[bytes]:
    """Lines "word,kind,forms", sorted."""
    with gzip.open(_folder() / f"{name}.csv.gz") as file:
        return sorted(file.read().splitlines())


@cache
def _overrides(name: str) -> dict[str, Forms]:
    """What stands in place of the tables' entries: by word, then by tag or part of speech."""
    out: dict[str, Forms] = {}
    for line in (_folder() / f"{name}.csv").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            word, tag, form = line.strip().split(",")
            out.setdefault(word, {})[tag] = (form,)
    return out


def _lines(name: str, word: str) -> Iterator[list[str]]:
    """What follows a word in its lines, in lower case."""
    table, start = _table(name), f"{word},".encode("utf-8", "replace")
    for i in range(bisect_left(table, start), len(table)):
        if not table[i].startswith(start):
            return
        yield table[i][len(start) :].decode("utf-8").lower().split(",")


def _upos(kind: str) -> str:
    return "AUX" if kind == "modal" else kind.upper()


def _style(word: str) -> Callable[[str], str]:
    """What gives another word the capitals of this one."""
    return str.upper if word.isupper() else str.capitalize if word[:1].isupper() else str.lower


def _styled(found: Forms, style: Callable[[str], str]) -> Forms:
    if style is str.lower:  # as what was found is, and nearly always
        return found
    return {tag: tuple(map(style, words)) for tag, words in found.items()}
