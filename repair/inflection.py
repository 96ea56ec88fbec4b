"""Forms of words: what a form may be, the form that another word needs in its place, a/an, capitals, spelling.

Tags are Penn Treebank's: NN NNS VB VBZ VBD VBN VBG JJ JJR JJS RB RBR RBS. LemmInflect knows the forms; what it does not
know is left alone rather than guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from repair.forms import inflections, lemmas

TAGS = {
    "NOUN": ("NN", "NNS"),
    "VERB": ("VB", "VBZ", "VBD", "VBN", "VBG"),
    "ADJ": ("JJ", "JJR", "JJS"),
    "ADV": ("RB", "RBR", "RBS"),
}
KIND_TAGS = {"noun": TAGS["NOUN"], "verb": TAGS["VERB"], "adjective": TAGS["ADJ"], "adverb": TAGS["ADV"]}
_BASE = {"NN", "VB", "JJ", "RB"}
_INSTEAD = {"VBD": "VBN", "VBN": "VBD", "JJR": "RBR", "JJS": "RBS", "RBR": "JJR", "RBS": "JJS"}  # where one is missing
# Lemmas that LemmInflect gives for function words and for forms that are words of their own.
NO_FORMS = frozenset(
    [
        "a", "an", "the", "of", "to", "in", "on", "at", "by", "for", "from", "with", "as", "and", "or", "but", "if",
        "so", "than", "that", "this", "these", "those", "it", "its", "he", "she", "they", "we", "i", "you", "not", "no",
        "nor", "up", "out", "off", "over", "under", "who", "whom", "whose", "which", "what", "when", "where", "why",
        "how", "there", "here", "then", "is", "am", "are", "was", "were", "be", "been", "being", "has", "have", "had",
        "having", "do", "does", "did", "can", "could", "will", "would", "shall", "should", "may", "might", "must",
        "his", "her", "their", "our", "my", "your", "him", "them", "us", "me", "all", "any", "some", "each", "every",
        "both", "either", "neither", "such", "own", "other", "another", "one", "two", "three",
    ]
)  # fmt: skip


@lru_cache(maxsize=25_000)
def analyses(form: str) -> tuple[tuple[str, str], ...]:
    """All readings (lemma, tag) of a folded form; empty for function words and for words unknown to the dictionary."""
    if form in NO_FORMS or not form.isascii() or not form.isalpha():
        return ()
    out = []
    for pos, found in lemmas(form).items():
        for lemma in found:
            out += [(lemma, tag) for tag in TAGS.get(pos, ()) if form in _forms(lemma, tag)]
    return tuple(dict.fromkeys(out))


_known = lru_cache(maxsize=8_000)(inflections)  # a lemma's forms are asked for tag by tag


def _forms(lemma: str, tag: str) -> tuple[str, ...]:
    if tag in _BASE:
        return (lemma,)
    known = _known(lemma)
    return known.get(tag) or known.get(_INSTEAD.get(tag, "")) or ()


@lru_cache(maxsize=20_000)
def inflect(lemma: str, tag: str) -> str | None:
    """The form of ``lemma`` with ``tag``; None where it has none (no plural, no comparative)."""
    forms = _forms(lemma, tag)
    if not forms:
        return None
    if tag == "NNS" and len(forms) > 1 and lemma in forms:  # states, not state
        forms = tuple(f for f in forms if f != lemma) or forms
    return forms[0]


def head(phrase: str, kind: str) -> int:
    """Index of the word of a phrase that carries its inflection: a verb's first, a noun's last or that before "of"."""
    words = phrase.split(" ")
    if kind == "verb":
        return 0
    for i, word in enumerate(words):
        if i and word in {"of", "in", "for", "to", "with", "on", "at", "from", "by"}:
            return i - 1
    return len(words) - 1


def inflect_phrase(phrase: str, kind: str, tag: str) -> str | None:
    """A base-form phrase with its head inflected ("wisdom business", noun, NNS -> "wisdom businesses")."""
    if tag in _BASE:
        return phrase
    words = phrase.split(" ")
    i = head(phrase, kind)
    form = inflect(words[i], tag)
    if form is None:
        return None
    return " ".join([*words[:i], form, *words[i + 1 :]])


@lru_cache(maxsize=4_000)
def _word_forms(word: str, kind: str) -> tuple[str | None, ...]:
    return tuple(inflect(word, tag) for tag in KIND_TAGS[kind])


def phrase_forms(phrase: str, kind: str) -> Sequence[str | None]:
    """What ``inflect_phrase`` gives for each tag of KIND_TAGS[kind], at once."""
    if " " not in phrase:
        return _word_forms(phrase, kind)
    words = phrase.split(" ")
    i = head(phrase, kind)
    before, after = " ".join([*words[:i], ""]), " ".join(["", *words[i + 1 :]])
    return [form and before + form + after for form in _word_forms(words[i], kind)]


# Words whose first letter misleads: a vowel letter sounding as a consonant, and a silent h.
_CONSONANT = re.compile(
    r"(?i)^(?:uni(?!n|m)|u[bcfhjkqrst][aeiou]|use|user|usu|utili|eu|ewe|one\b|once\b|ouija|u(?:\b|[.-]))"
)
_VOWEL = re.compile(r"^(?:(?i:hour|honest|honou?r|heir)|8|1[18](?!\d)|[AEFHILMNORSX](?=-|\b))")


def article_for(word: str) -> str:
    """ "a" or "an", as the sound of ``word`` asks for."""
    if word[:1].isupper() and len(word) > 1 and word.isupper() and len(word) <= 5:
        return "an" if word[0] in "AEFHILMNORSX" and word[0] != "U" else "a"
    if _VOWEL.match(word):
        return "an"
    if _CONSONANT.match(word):
        return "a"
    return "an" if word[:1].lower() in "aeiou" and word else "a"


def like(model: str, text: str) -> str:
    """``text`` with the capitals of ``model``: "Herbal Assets", "natural resources" -> "Natural Resources"."""
    words = [w for w in model.split() if w[:1].isalpha()]
    if not words or not text:
        return text
    if len(model) > 3 and model.isupper():
        return text.upper()
    if len(words) > 1 and all(w[0].isupper() for w in words if len(w) > 3) and words[0][0].isupper():
        small = {"of", "the", "and", "for", "in", "to", "a", "an", "on", "by", "at", "with"}
        parts = text.split(" ")
        return " ".join(p if i and p in small else p[:1].upper() + p[1:] for i, p in enumerate(parts))
    if words[0][0].isupper():
        return text[:1].upper() + text[1:]
    return text


_BRITISH = (
    (
        re.compile(r"(?<=[a-z]{3})iz(?=e|es|ed|er|ers|ing|ation|ations)(?=e$|es$|ed$|er$|ers$|ing$|ation$|ations$)"),
        "is",
    ),
    (re.compile(r"(?<=[a-z])yz(?=e$|es$|ed$|er$|ing$)"), "ys"),
)
_WORDS_BRITISH = {
    "color": "colour", "favor": "favour", "labor": "labour", "honor": "honour", "neighbor": "neighbour",
    "behavior": "behaviour", "harbor": "harbour", "humor": "humour", "rumor": "rumour", "flavor": "flavour",
    "tumor": "tumour", "vapor": "vapour", "center": "centre", "theater": "theatre", "meter": "metre",
    "liter": "litre", "fiber": "fibre", "defense": "defence", "offense": "offence", "license": "licence",
    "program": "programme", "catalog": "catalogue", "dialog": "dialogue", "analog": "analogue", "gray": "grey",
    "tire": "tyre", "aluminum": "aluminium", "jewelry": "jewellery", "plow": "plough", "skeptical": "sceptical",
    "maneuver": "manoeuvre", "pediatric": "paediatric", "anemia": "anaemia", "leukemia": "leukaemia",
    "traveled": "travelled", "traveling": "travelling", "traveler": "traveller", "canceled": "cancelled",
    "canceling": "cancelling", "labeled": "labelled", "labeling": "labelling", "modeled": "modelled",
    "modeling": "modelling", "signaling": "signalling", "fueled": "fuelled", "enrollment": "enrolment",
    "fulfill": "fulfil", "percent": "per cent",
}  # fmt: skip
_WORDS_AMERICAN = {b: a for a, b in _WORDS_BRITISH.items()}
_KEEP_IZE = frozenset(["size", "seize", "prize", "capsize"])


def _in_list(word: str, table: dict[str, str]) -> str | None:
    if word in table:
        return table[word]
    if word.endswith("s") and word[:-1] in table:
        return table[word[:-1]] + "s"
    return None


@lru_cache(maxsize=20_000)
def british(word: str) -> str:
    """A folded word in British spelling; itself where both spell alike."""
    if found := _in_list(word, _WORDS_BRITISH):
        return found
    if ("iz" in word or "yz" in word) and not any(word.startswith(k[:-1]) for k in _KEEP_IZE):
        for pattern, to in _BRITISH:
            word = pattern.sub(to, word)
    return word


@lru_cache(maxsize=20_000)
def american(word: str) -> str:
    """A folded word in American spelling, as far as a list of words tells."""
    return _in_list(word, _WORDS_AMERICAN) or word
