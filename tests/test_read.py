"""Paths to sources, and sources to articles."""

from __future__ import annotations

import gzip
import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repair.decode import decode
from repair.errors import InputError
from repair.markdown import protected
from repair.read import Fields, Format, Item, Missing, Source, find, read


def items(path: Path, input: Format | None = None, **fields: str) -> list[Item]:
    out = []
    for source in find([str(path)], input):
        assert isinstance(source, Source), source
        out += read(source, Fields(**fields))
    return out


def names(found: list[Source | Missing]) -> list[str]:
    return [source.name if isinstance(source, Source) else source.error.code for source in found]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.txt", "a.md", "deep/c.jsonl.gz", ".hidden/d.txt", ".e.txt", "f.png", "deep/g.html"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    return tmp_path


def test_a_folder_gives_known_endings_in_order_and_nothing_hidden(folder: Path) -> None:
    found = [source for source in find([str(folder)]) if isinstance(source, Source)]
    assert [str(source.inside) for source in found] == ["a.md", "b.txt", "deep/c.jsonl.gz", "deep/g.html"]
    assert [source.format for source in found] == ["markdown", "text", "jsonl", "html"]
    assert [source.packing for source in found] == ["", "", "gz", ""]


def test_input_narrows_a_folder(folder: Path) -> None:
    assert names(list(find([str(folder)], "jsonl"))) == [str(folder / "deep/c.jsonl.gz")]


def test_globs_and_repeated_paths(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert names(list(find(["*.txt", "b.txt", "./b.txt", "**/*.html", "-", "-"]))) == ["b.txt", "deep/g.html", "stdin"]


def test_ignored_files(folder: Path) -> None:
    assert [Path(name).name for name in names(list(find([str(folder)], None, ["deep/*", "*.md"])))] == ["b.txt"]


def test_what_is_not_there_is_an_error_each(folder: Path) -> None:
    (folder / "empty").mkdir()
    found = list(
        find([str(folder / "none"), str(folder / "*.doc"), str(folder / "empty"), "nul\0byte", str(folder / "b.txt")])
    )
    assert names(found)[:4] == ["missing"] * 4 and len(found) == 5
    assert all("; " in str(one.error) for one in found[:4] if isinstance(one, Missing)), "every message names a cure"


@pytest.mark.parametrize(("name", "package"), [("a.parquet", "pyarrow"), ("a.warc", "warcio")])
def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str) -> None:
    (tmp_path / name).write_bytes(b"")
    for module in (package, "pyarrow.parquet", "warcio.archiveiterator"):
        monkeypatch.setitem(sys.modules, module, None)
    (item,) = items(tmp_path / name)
    assert item.error and item.error.code == "extra" and f"'mt-repair[{name[2:]}]'" in str(item.error)


ENGLISH = "He said “it’s a café”.\r\nNaïve résumé, no.\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_encodings_are_detected_and_written_back(tmp_path: Path, encoding: str) -> None:
    raw = ENGLISH.encode(encoding)
    (tmp_path / "a.txt").write_bytes(raw)
    (item,) = items(tmp_path / "a.txt")
    assert item.article and item.article.text == ENGLISH
    assert item.encode(ENGLISH) == raw
    assert item.encode(ENGLISH.replace("Naïve", "Not")) == ENGLISH.replace("Naïve", "Not").encode(
        encoding if encoding != "utf-16" else "utf-16"
    )


def test_other_scripts_are_guessed() -> None:
    text = "Это обычный русский текст, который был записан в старой кодировке. " * 5
    assert decode(text.encode("cp1251")).text == text


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=200))
def test_utf8_always_comes_back(text: str) -> None:
    decoded = decode(text.encode("utf-8"))
    assert decoded.encode(decoded.text) == text.encode("utf-8")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_exactly_or_refused(raw: bytes) -> None:
    try:
        decoded = decode(raw)
    except InputError as error:
        assert error.code in ("binary", "encoding")
    else:
        assert decoded.encode(decoded.text) == raw


def test_what_the_encoding_cannot_write_is_an_error() -> None:
    with pytest.raises(InputError, match="cp1252 cannot write"):
        decode(b"caf\xe9 in an English text").encode("Σ")


def test_jsonl_keeps_ids_and_unknown_keys(tmp_path: Path) -> None:
    rows = [{"id": "a", "text": "x y", "n": 1}, {"id": 2, "text": ""}, {"text": "no id"}]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = items(path)
    assert [item.id for item in found] == ["a", "2", f"{path}:3"]
    assert json.loads(found[0].encode("z")) == {"id": "a", "text": "z", "n": 1}


def test_jsonl_fields(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"url": "u", "body": "b"}\n{"body": "c"}\n')
    first, second = items(tmp_path / "a.jsonl", id="url", text="body")
    assert first.article and (first.id, first.article.text) == ("u", "b")
    assert second.error and second.error.code == "missing-field"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(st.text(max_size=4), json_values, max_size=4),
    st.text(max_size=12),
    st.text(max_size=12),
    st.booleans(),
)
def test_a_line_changes_in_its_text_alone(
    tmp_path_factory: pytest.TempPathFactory, other: dict[str, object], old: str, new: str, ascii_only: bool
) -> None:
    row = {key: value for key, value in other.items() if key != "id"} | {"text": old}
    raw = json.dumps(row, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    path = tmp_path_factory.mktemp("line") / "a.jsonl"
    path.write_bytes(raw + b"\n")
    (item,) = items(path)
    if item.article:
        assert json.loads(item.encode(new)) == row | {"text": new}
        assert item.encode(old) == raw + b"\n"


def test_gzip(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.txt.gz", "wb") as file:
        file.write(b"hello")
    (item,) = items(tmp_path / "a.txt.gz")
    assert item.article and item.article.text == "hello" and item.source.format == "text"


def test_html_gives_the_main_text(tmp_path: Path) -> None:
    body = "<p>The committee met on Tuesday to discuss the plan. It was long.</p>" * 5
    page = f"<html><head><title>t</title></head><body><nav>menu</nav><article>{body}</article></body></html>"
    (tmp_path / "a.html").write_text(page)
    (item,) = items(tmp_path / "a.html")
    assert item.article and "committee met" in item.article.text and "<p>" not in item.article.text
    assert items(tmp_path / "a.html")[0].article == item.article, "no state is kept between documents"


MARKDOWN = """---
title: secret
---
Prose one `code` and ``co`de`` end.

```py
fenced
```
[shown](http://hidden.example "t") and <b class="x">bold</b> <!-- comment -->

    indented

- item

  still prose

[ref]: http://hidden.example
"""


def test_markdown_zones() -> None:
    zones = protected(MARKDOWN)
    hidden = "".join(MARKDOWN[start:end] for start, end in zones)
    for inside in (
        "title: secret",
        "`code`",
        "``co`de``",
        "fenced",
        "http://hidden",
        "<b class",
        "comment",
        "indented",
    ):
        assert inside in hidden, inside
    for outside in ("Prose one", "shown", "bold", "item", "still prose", "end."):
        assert outside not in hidden, outside
    assert protected("an unclosed ` and [x](y and <!-- z") == ()


@given(st.text(alphabet="`~[]()<>!-ab: \n#", max_size=120))
def test_markdown_zones_are_sorted_and_inside(text: str) -> None:
    zones = protected(text)
    flat = [offset for zone in zones for offset in zone]
    assert flat == sorted(flat) and all(0 <= start < end <= len(text) for start, end in zones)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX only")
def test_a_named_pipe_is_read(tmp_path: Path) -> None:
    import threading

    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_text("hello"))
    writer.start()
    (item,) = items(tmp_path / "pipe")
    writer.join()
    assert item.article and item.article.text == "hello"
