"""200 html pages edited where they stand: what is expected of each byte is said by the pieces that pages are made of.

``@@`` in a piece is a wording in text that has to be edited, ``@ @`` one whose blank is any of html's. The same wording
spelt out stands where nothing may be edited.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from conftest import run

pytestmark = pytest.mark.usefixtures("stubbed")

OLD, NEW = "environment media", "state media"
PAGES = 200
ENCODINGS = {  # Python's name: what the page declares, "" for nothing
    "utf-8": "utf-8", "utf-8-sig": "", "utf-16": "", "utf-16-le": "", "utf-16-be": "", "utf-32": "", "ascii": "",
    "cp1252": "windows-1252", "latin-1": "", "iso-8859-2": "iso-8859-2", "iso-8859-15": "iso-8859-15", "cp1250": "",
    "cp1251": "windows-1251", "cp1253": "windows-1253", "cp1254": "windows-1254", "cp1255": "windows-1255",
    "cp1256": "", "koi8-r": "koi8-r", "mac-roman": "macintosh", "cp437": "", "shift_jis": "shift_jis",
    "euc-jp": "euc-jp", "iso-2022-jp": "iso-2022-jp", "euc-kr": "euc-kr", "gb18030": "gb18030", "gbk": "",
    "big5": "big5",
}  # fmt: skip
FOREIGN = {
    "cp1251": "русский", "koi8-r": "русский", "iso-8859-2": "žluť", "cp1250": "žluť", "cp1253": "λόγος",
    "cp1254": "şehir", "cp1255": "שלום", "cp1256": "سلام", "shift_jis": "日本", "euc-jp": "日本", "iso-2022-jp": "日本",
    "euc-kr": "한국", "gb18030": "中文😀", "gbk": "中文", "big5": "中文", "ascii": "plain",
}  # fmt: skip
PIECES = [
    "<p>Today @@ spoke.</p>",
    "<P CLASS=x>Today @@ spoke.",
    "<div><b>Loud</b> @@ <i>spoke</i></div>",
    "<ul><li>@@<li>more @@</ul>",
    "<p>caf&eacute; &amp;c &#8212;@@&#x2014;&nbsp;&notit; &bogus; &amp</p>",
    "<p>Today @ @ spoke, and @ @</p>",
    "<p>5 < 6 & @@ > 4</p>",
    f"<a title=\"{OLD}\" href='{OLD}>x' data-x=environment&#32;media>@@</a>",
    f'<p onclick="say(\'{OLD}\')" title = "a > {OLD}">@@</p>',
    f"<!-- {OLD} --><p>@@</p><!-->@@<!--->@@<!-- {OLD} --!>@@<br>",
    "<table><tr><td>@@<td>x</table>",
    "</p></nope></div >@@<p>",
    "<p/>@@<br/>@@",
    "<p>@@<sup>1</sup> and <span>@@</span></p>",
    f"<!DOCTYPE html><?php {OLD} ?><p>@@</p>",
    "< p>@@<3 @@<>",
    "<custom-tag a=b>@@</custom-tag>",
    f"<script>var a = '<p>{OLD}</p>'; // {OLD}\n</script>",
    f"<script>if (a<b) '{OLD}' <!-- <script> '</script>' {OLD} --></script>@@",
    f'<script type="application/ld+json">{{"headline": "{OLD}"}}</script >',
    f"<SCRIPT SRC=x>{OLD}</ScRiPt>@@",
    f"<style>p::after {{ content: '{OLD}' }}</style>",
    f"<!-- <p>{OLD}</p> -- > {OLD} -->",
    f"<title>{OLD}</title>",
    f"<textarea>{OLD} <p>{OLD}</textarea>",
    f"<pre>{OLD}\n  {OLD}</pre>@@",
    f"<p><code>{OLD}</code></p>",
    f"<nav><ul><li>{OLD}</ul></nav>",
    f"<footer>{OLD} <p>{OLD}</p></footer>",
    f"<svg><text>{OLD}</text><![CDATA[{OLD} <p>]]></svg>",
    f"<noscript>{OLD}</noscript><template>{OLD}</template>",
    f"<iframe>{OLD}</iframe><button>{OLD}</button>",
    f"<img alt=\"{OLD}\"><meta content='{OLD}'>",
    "<p>environment <b>media</b> environment<br>media</p>",
    "<p>environ&shy;ment media</p>",
    "<p>nothing of that kind &lt;here&gt;</p>",
    f"</{OLD}></ {OLD}><!{OLD}>",
]
LAST = [f"<p>@@<a href='{OLD}> {OLD}", f"@@<!-- {OLD} <p>", f"<script>{OLD}", f"<p>@@<b class={OLD}", "@@", "<", "</"]


def page(rng: random.Random, encoding: str) -> tuple[str, str]:
    """A page, and what is to become of it."""
    declared = ENCODINGS[encoding]
    head = f"<html><head><meta charset={declared!r}></head><body>" if declared else "<html><body>"
    foreign = f"<p>{FOREIGN.get(encoding, 'café')}</p>"
    parts = [head, foreign, *rng.choices(PIECES, k=12), foreign, rng.choice(LAST)]
    marked = rng.choice(["", "\n", "\r\n\t"]).join(parts)
    blank = rng.choice(["\n", "\r\n   ", "\t", "  "])
    old = marked.replace("@@", OLD).replace("@ @", OLD.replace(" ", blank))
    return old, marked.replace("@@", NEW).replace("@ @", NEW)


def test_every_piece_is_in_the_pages() -> None:
    rng = random.Random(1)
    seen = "".join(page(rng, encoding)[1] for encoding in ENCODINGS for _ in range(PAGES // len(ENCODINGS)))
    for piece in [*PIECES, *LAST]:
        assert piece.replace("@@", NEW).replace("@ @", NEW) in seen


def test_200_pages_change_where_they_must_and_nowhere_else() -> None:
    rng = random.Random(2)
    names = list(ENCODINGS)
    pages = [(name := names[i % len(names)], *page(rng, name)) for i in range(PAGES)]
    Path("in").mkdir()
    for i, (encoding, old, _) in enumerate(pages):
        Path(f"in/{i:03}.html").write_bytes(old.encode(encoding))
    result = run("fix", "-q", "--html", "in-place", "-o", "out", "in")
    assert result.exit_code in (0, 1), result.output
    wrong = [
        (i, encoding, new, Path(f"out/{i:03}.html").read_bytes().decode(encoding, "replace"))
        for i, (encoding, _, new) in enumerate(pages)
        if Path(f"out/{i:03}.html").read_bytes() != new.encode(encoding)
    ]
    assert not wrong, (len(wrong), wrong[0])
