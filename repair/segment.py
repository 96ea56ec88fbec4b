"""Text to tokens: words with offsets, the folded forms that every look-up uses, sentences, quotations, zones.

One token is a word, a number, or one mark of punctuation; a possessive ending is a token of its own, so that
"Russia’s" and "Russia" look up alike. Nothing here depends on a language model, and every step is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

TOKEN = re.compile(
    r"""
      (?:[A-Za-z]\.){2,}                           # U.S.
    | [^\W\d_]+ (?: [’'] (?! [sS]\b ) [^\W\d_]+ )*   # word, don’t
    | [’'][sS]\b                                   # possessive ending
    | \d+ (?: [.,:]\d+ )*                          # number
    | \S                                           # any other mark
    """,
    re.VERBOSE,
)
BREAK = "\n"  # the folded form that stands for the start of a line
NUMBER = "0"  # the folded form of every number

_ZONES = re.compile(
    r"""
      \b(?:https?|ftp)://[^\s<>"'”’]+ | \bwww\.[^\s<>"'”’]+       # addresses
    | \b[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,8}\b        # e-mail
    | (?<!\w)[@\#][\w_]{2,64}                                  # handles and tags
    | <[A-Za-z/!][^<>]{0,400}>                                 # markup
    | &(?:[A-Za-z]{2,12}|\#\d{1,7}|\#x[0-9A-Fa-f]{1,6});         # entities
    | `[^`\n]{1,400}`                                          # code
    | \b[\w-]{1,64}\.(?:com|org|net|gov|edu|co\.uk|io|info)\b(?:/[^\s<>"'”’]*)?
    """,
    re.VERBOSE,
)
# What the forms and buttons of blogs say around an article: nobody spun it, and its wording is no news prose.
_FURNITURE = re.compile(
    r"""
      ^[ \t]*(?:leave\ a\ (?:reply|comment)(?:\ to\ [^\n]{1,60})?|cancel\ reply|post\ comment|share\ this|like\ this
        |you\ must\ be\ logged\ in\ to\ post\ a\ comment)[ \t.:]*$
    | \byour\ e-?mail\ address\ will\ not\ be\ published\b
    | \brequired\ fields\ are\ marked\b
    | \bsave\ my\ name,\ e-?mail,?\ and\ website\ in\ this\ browser\ for\ the\ next\ time\ i\ comment\b
    | \bnotify\ me\ of\ (?:follow-?up\ comments|new\ posts)\ (?:by|via)\ e-?mail\b
    | \bclick\ to\ (?:share|email|print)\b[^\n]{0,80}\(opens\ in\ new\ window\)
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
# A word behind such a prefix and a hyphen is half of one that the machines look up whole, if at all.
_PREFIXED = re.compile(r"\b(?:inter|anti|non|co|re|multi|semi|ultra|pan)-[^\W\d_]+", re.IGNORECASE)
_ENDS = frozenset(".!?…")
_CLOSERS = frozenset("\"'”’)]»")
_ABBREVIATIONS = frozenset(
    [
        "mr", "mrs", "ms", "dr", "prof", "sen", "rep", "gov", "gen", "col", "lt", "sgt", "st", "vs", "etc", "al", "fig",
        "eq", "no", "inc", "ltd", "co", "corp", "jr", "sr", "e.g.", "i.e.", "cf", "approx", "jan", "feb", "mar", "apr",
        "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "u.s.", "u.k.", "u.n.", "a.m.", "p.m.",
    ]
)  # fmt: skip
_QUOTE = re.compile(r"“[^“”\n]{1,2000}”|\"[^\"\n]{1,2000}\"|(?<!\w)‘[^‘’\n]{1,600}(?:’\w[^‘’\n]{0,600})*’(?!\w)")


def fold(word: str) -> str:
    """The form that look-ups use: lower case, straight apostrophes, every number alike."""
    return NUMBER if word[0].isdigit() else word.lower().replace("’", "'")


@dataclass(frozen=True, slots=True)
class Sentence:
    """Tokens [first, last) of one sentence; never runs over a line break."""

    first: int
    last: int


class Text:
    """An article cut into tokens. Immutable; derived views are computed once, when asked for.

    starts, ends: code point offsets of each token. words: the tokens as they stand. folded: their look-up forms.
    """

    def __init__(self, text: str, protected: Sequence[tuple[int, int]] = ()) -> None:
        self.text = text
        matches = list(TOKEN.finditer(text))
        self.starts = [m.start() for m in matches]
        self.ends = [m.end() for m in matches]
        self.words = [m.group() for m in matches]
        self.folded = [fold(w) for w in self.words]
        self._protected = tuple(protected)

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def line_starts(self) -> list[bool]:
        """Whether a token is the first of its line."""
        return [i == 0 or "\n" in self.text[self.ends[i - 1] : s] for i, s in enumerate(self.starts)]

    @cached_property
    def is_word(self) -> list[bool]:
        return [w[0].isalpha() for w in self.words]

    @cached_property
    def sentences(self) -> list[Sentence]:
        """Sentences in order; together they hold every token."""
        out, first = [], 0
        for i in range(len(self)):
            if i > first and (self.line_starts[i] or self._sentence_starts(i)):
                out.append(Sentence(first, i))
                first = i
        if len(self) > first:
            out.append(Sentence(first, len(self)))
        return out

    def _sentence_starts(self, i: int) -> bool:
        if self.words[i] in _CLOSERS and self.starts[i] == self.ends[i - 1]:
            return False
        j = i - 1
        while j > 0 and self.words[j] in _CLOSERS:
            j -= 1
        if self.words[j] not in _ENDS or self.starts[i] == self.ends[i - 1]:
            return False
        if self.words[j] == "." and (self.folded[j - 1] in _ABBREVIATIONS or len(self.words[j - 1]) == 1):
            return False
        return not self.words[i][0].islower()

    @cached_property
    def blocked(self) -> list[bool]:
        """Whether a token lies in a protected zone: addresses, markup, code, forms, what the caller named."""
        found = (m.span() for zones in (_ZONES, _FURNITURE, _PREFIXED) for m in zones.finditer(self.text))
        return self._inside([*self._protected, *found])

    @cached_property
    def quoted(self) -> list[bool]:
        """Whether a token stands inside quotation marks."""
        return self._inside([m.span() for m in _QUOTE.finditer(self.text)])

    def _inside(self, zones: list[tuple[int, int]]) -> list[bool]:
        out = [False] * len(self)
        zones.sort()
        z = 0
        for i, (start, end) in enumerate(zip(self.starts, self.ends, strict=True)):
            while z < len(zones) and zones[z][1] <= start:
                z += 1
            out[i] = any(a < end and start < b for a, b in zones[z : z + 4])
        return out
