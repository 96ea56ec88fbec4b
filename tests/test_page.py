"""The pages of ``repair check --format html``: complete, escaped, self-contained."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

from conftest import Command

from repair.page import Index, article, page
from repair.report import Finding, Report, Suggestion, Verdict

EVIL = "<script>alert(1)</script> \"' & environment media \x1b[31m\u202e\ud800"


class Reader(HTMLParser):
    """Collects a page's tags, attributes and text; fails where tags do not nest."""

    VOID = frozenset(["meta", "br", "line"])
    OPTIONAL = frozenset(["th", "td", "tr"])

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID | self.OPTIONAL:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text += data


def safe(text: str) -> Reader:
    """The page, if nothing in it runs or asks for anything."""
    read = Reader(text)
    assert {tag for tag, _ in read.tags}.isdisjoint(["script", "img", "link", "iframe", "form", "object", "base"])
    for _, attributes in read.tags:
        assert not any(name.startswith("on") or name in ("src", "style") for name in attributes)
        assert re.fullmatch(r"#?[\w.-]+", attributes.get("href") or "x"), "links stay in the folder"
    policy = next(a["content"] for _, a in read.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy and policy.startswith("default-src 'none'") and "unsafe" not in policy
    return read


def test_hostile_text_is_shown_and_does_nothing() -> None:
    start = EVIL.index("environment")
    suggestion = Suggestion("<b onclick=x>state", 0.9, "<i>lexicon")
    finding = Finding(start, start + 17, "environment media", 0.97, "replace", (suggestion,), {"<u>k": ["<v>"]})
    report = Report(4, Verdict("spun", 0.99, 0.2), (finding,))
    index = Index()
    index.add(EVIL, "a.html", report)
    index.failed(EVIL, EVIL)
    text = "".join(page(EVIL, [*article(EVIL, EVIL, report), *index.html()]))
    text.encode("utf-8")
    read = safe(text)
    for piece in ("<script>alert(1)</script>", "<b onclick=x>state", "<i>lexicon", "<u>k", "<v>"):
        assert piece in read.text
    assert "\x1b" not in text and "\u202e" not in text and "\\x1b[31m\\u202e\\ud800" in read.text


def test_line_ends_of_windows_are_line_ends() -> None:
    text = "".join(article("a", "One.\r\nTwo.", Report(2, Verdict("clean", 0.1, 0.0))))
    assert "One.\nTwo." in text


def test_one_article_is_one_page(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Today environment media\n\nspoke of bosom growth.\n")
    result = command("check", "a.txt", "--format", "html")
    assert result.returncode == 1
    read = safe(result.stdout.decode())
    assert "environment media" in read.text and "spoke of bosom" in read.text and "97%" in read.text
    assert [a["class"] for tag, a in read.tags if tag == "details"] == ["replace", "flag"]
    assert not any(tag in ("table", "svg", "nav") for tag, _ in read.tags)


def test_a_batch_on_stdout_has_an_index_first(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": 1, "text": "environment media"}\n{"no": 1}\n{"id": 2, "text": "fine"}\n')
    result = command("check", "a.jsonl", "--format", "html")
    assert result.returncode == 3
    read = safe(result.stdout.decode())
    ids = {a.get("id") for _, a in read.tags}
    assert {a["href"].removeprefix("#") for tag, a in read.tags if tag == "a" and a["href"]} <= ids
    assert read.text.index("Most frequent swaps") < read.text.index("Underlined")
    assert "--text-field" in read.text


def test_a_folder_gets_an_index_and_a_page_an_article(command: Command, tmp_path: Path) -> None:
    (tmp_path / "in" / "b").mkdir(parents=True)
    for name in ("A.txt", "a.md", "b/a.txt"):
        (tmp_path / "in" / name).write_text("Environment media and environment media.")
    (tmp_path / "in" / "index.txt").write_text("clean")
    assert command("check", "in", "--format", "html", "-o", "out").returncode == 1
    made = {path.name: safe(path.read_text(encoding="utf-8")) for path in (tmp_path / "out").iterdir()}
    assert len(made) == 5
    index = made["index.html"]
    assert {a["href"] for tag, a in index.tags if tag == "a"} == made.keys() - {"index.html"}
    assert sum(tag == "rect" for tag, _ in index.tags) == 4
    assert re.search(r"environment media\s*state media\s*3", index.text)


def test_pages_need_their_format(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    assert command("check", "a.txt", "-o", "out").returncode == 2
    assert not (tmp_path / "out").exists()
