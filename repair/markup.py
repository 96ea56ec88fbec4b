"""The text nodes of an html page, so that they can be edited where they stand and every other byte stays.

Not a parser but a scanner that follows the tokenizer of the HTML standard as far as it decides what is text: tags and
their quoted attributes, comments, scripts and other raw text. Linear in the page, whatever it holds; where markup is
too broken to tell, it sees less text rather than more.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape, unescape

from repair.decode import Decoded, decode
from repair.errors import InputError
from repair.report import Article, Edit

MARK = re.compile(
    r"<(?:(?P<comment>!--)|(?P<data>!\[CDATA\[)|(?P<bogus>[!?]|/(?![A-Za-z]))|(?P<end>/?)(?P<name>[A-Za-z][^\s/>]*))"
)
REST = re.compile(r"""(?:[^>=]|=(?!\s*["'])|=\s*"[^"]*"|=\s*'[^']*')*+>""")
COMMENT_END = re.compile(r"--!?>")
PIECE = re.compile(r"[ \t\n\r\f]+|&(?:\#[0-9]+|\#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);?|[^ \t\n\r\f&]+|&")

RAW = frozenset(["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "plaintext"])
# Not what an article says: menus, forms, drawings, what only shows without scripts.
LEFT_OUT = frozenset([
    "nav", "footer", "aside", "form", "button", "select", "label", "dialog", "svg", "math", "template", "noscript",
    "object", "audio", "video", "canvas", "map",
])  # fmt: skip
CODE = frozenset(["pre", "code", "kbd", "samp", "var", "tt"])
INLINE = frozenset([
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "data", "del", "dfn", "em", "font", "i", "img", "ins",
    "mark", "q", "ruby", "s", "small", "span", "strike", "strong", "sub", "sup", "time", "u", "wbr", "code", "kbd",
    "samp", "var", "tt",
])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unit:
    """``text[start:end]`` of the article came from ``page[source:source_end]``, character by character if ``exact``.

    ``node``: the number of the text node; no edit may run over two.
    """

    start: int
    end: int
    source: int
    source_end: int
    node: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A page with the article that its text nodes make."""

    form: Decoded
    article: Article
    units: tuple[Unit, ...]
    starts: tuple[int, ...]

    @classmethod
    def of(cls, form: Decoded, id: str) -> Page:
        text: list[str] = []
        units: list[Unit] = []
        zones: list[tuple[int, int]] = []
        length, lines = 0, True
        for number, node in enumerate(_nodes(form.text)):
            if isinstance(node, str):
                if not lines:
                    text.append(node)
                    length, lines = length + len(node), True
                continue
            first = length
            for start, end, new, exact in _pieces(form.text, *node[:2]):
                if new == " " and lines:
                    continue  # blanks at the start of a line show nowhere
                units.append(Unit(length, length + len(new), start, end, number, exact))
                text.append(new)
                length, lines = length + len(new), False
            if node[2] and length > first:
                zones.append((first, length))
        return cls(form, Article("".join(text), id, tuple(zones)), tuple(units), tuple(unit.start for unit in units))

    def place(self, edit: Edit) -> tuple[int, int] | None:
        """Where an edit goes in the page; None where it would take in markup, or a part of an entity."""
        if edit.start >= edit.end or not self.units:
            return None
        first = self.units[max(0, bisect_right(self.starts, edit.start) - 1)]
        last = self.units[bisect_right(self.starts, edit.end - 1) - 1]
        if first.node != last.node or edit.end > last.end or not first.start <= edit.start < first.end:
            return None
        if not (first.exact or edit.start == first.start) or not (last.exact or edit.end == last.end):
            return None
        start = first.source + (edit.start - first.start if first.exact else 0)
        end = last.source + (edit.end - last.start) if last.exact else last.source_end
        return start, end

    def encode(self, edits: Iterable[Edit]) -> bytes:
        """The page with edits made in its text nodes; what is not ASCII as entities, right in any encoding."""
        out, at = [], 0
        for edit in edits:
            place = self.place(edit)
            if place is None:
                continue
            new = escape(edit.after, quote=False).encode("ascii", "xmlcharrefreplace").decode("ascii")
            out += [self.form.text[at : place[0]], new]
            at = place[1]
        return self.form.encode("".join([*out, self.form.text[at:]]))


def decoded(raw: bytes) -> Decoded:
    """The page in its encoding; where none explains every byte, as bytes that are taken for characters.

    That is enough to edit English words. Raises InputError for what is no text.
    """
    try:
        return decode(raw, html=True)
    except InputError as error:
        if error.code != "encoding":
            raise
        return Decoded(raw.decode("latin-1"), "latin-1", b"")


def _pieces(page: str, start: int, end: int) -> Iterator[tuple[int, int, str, bool]]:
    """A text node in pieces: where each stands, what it reads, and whether it reads as it is written."""
    for match in PIECE.finditer(page, start, end):
        written = match[0]
        if written[0] in " \t\n\r\f":
            yield match.start(), match.end(), " ", written == " "
        elif written[0] == "&":
            read = unescape(written)
            yield match.start(), match.end(), read, read == written
        else:
            yield match.start(), match.end(), written, True


def _nodes(page: str) -> Iterator[tuple[int, int, bool] | str]:
    """Text nodes as (start, end, whether they are code), and the breaks that blocks make between them."""
    open_: dict[str, int] = dict.fromkeys(LEFT_OUT | CODE, 0)
    out = code = 0  # how many elements that are left out, or are code, are open
    at = 0
    for start, end, name, closes in _marks(page):
        if start > at and not out:
            yield at, start, code > 0
        at = end
        if name in open_:
            step = -1 if closes else 1
            if closes and not open_[name]:
                continue
            open_[name] += step
            if name in LEFT_OUT:
                out += step
            else:
                code += step
        if name == "br":
            yield "\n"
        elif name and name not in INLINE:
            yield "\n\n"
    if at < len(page) and not out:
        yield at, len(page), code > 0


def _marks(page: str) -> Iterator[tuple[int, int, str, bool]]:
    """Whatever is no text, in order: start, end, the element's name ("" for a comment), whether it is an end tag."""
    at = 0
    while found := MARK.search(page, at):
        start = found.start()
        if found["comment"]:
            # "<!-->" and "<!--->" are whole comments.
            short = re.compile(r"-?>").match(page, found.end())
            close = short or COMMENT_END.search(page, found.end())
        elif found["data"]:
            close = re.compile(r"\]\]>").search(page, found.end())
        elif found["bogus"]:
            close = re.compile(">").search(page, found.end())
        else:
            close = REST.match(page, found.end())
        end = close.end() if close else len(page)
        name = (found["name"] or "").lower()
        if name in RAW and not found["end"] and close:
            end = _raw_end(page, name, end)
        yield start, end, name, bool(found["end"])
        at = end


def _raw_end(page: str, name: str, at: int) -> int:
    """Where the raw text of an element that is open at ``at`` ends; its end tag is left to be found."""
    if name == "plaintext":
        return len(page)
    close = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE)
    begin = at
    while found := close.search(page, at):
        if name == "script":
            # A script within a comment within a script may hold an end tag of its own.
            comment = page.rfind("<!--", begin, found.start())
            inner = re.compile(r"<script[\s/>]", re.IGNORECASE)
            if (
                comment >= 0
                and page.find("-->", comment, found.start()) < 0
                and inner.search(page, comment, found.start())
            ):
                at = begin = found.end()
                continue
        return found.start()
    return len(page)
