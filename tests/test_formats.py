"""Parquet, WARC, .zst, and html pages that are edited where they stand."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest
from conftest import FIXED, SPUN, run
from hypothesis import given, settings
from hypothesis import strategies as st

from repair.markup import Page, decoded
from repair.report import Edit

pytestmark = pytest.mark.usefixtures("stubbed")


def parquet(path: str, rows: int = 10) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    texts = [SPUN if i % 3 == 0 else None if i % 3 == 1 else "clean" for i in range(rows)]
    columns = {"text": pa.array(texts, pa.large_string()), "n": pa.array(range(rows), pa.int16())}
    table = pa.table(columns).replace_schema_metadata({"who": "me"})
    pq.write_table(table, path, row_group_size=4, compression="zstd")


def test_parquet_keeps_schema_and_row_groups() -> None:
    parquet("a.parquet")
    import pyarrow.parquet as pq

    old = pq.ParquetFile("a.parquet")
    result = run("fix", "-o", "out", "a.parquet")
    assert result.exit_code == 0, result.output
    new = pq.ParquetFile("out/a.parquet")
    assert new.schema_arrow.equals(old.schema_arrow, check_metadata=True)
    assert new.metadata.num_row_groups == 3
    assert new.metadata.row_group(0).column(0).compression == "ZSTD"
    assert new.read().column("text").to_pylist()[:4] == [FIXED, None, "clean", FIXED]
    assert new.read().column("n").equals(old.read().column("n"))


def test_parquet_columns_and_filters() -> None:
    parquet("a.parquet")
    import pyarrow.parquet as pq

    options = ["--output-field", "new", "--report-field", "full", "--drop-if", "verdict<spun"]
    assert run("fix", "-o", "out", *options, "a.parquet").exit_code == 0
    table = pq.read_table("out/a.parquet")
    assert table.schema.names == ["text", "n", "new", "repair"]
    assert table.column("n").to_pylist() == [0, 1, 3, 4, 6, 7, 9], "what has no text is not judged"
    assert table.column("text").to_pylist()[0] == SPUN and table.column("new").to_pylist()[:2] == [FIXED, None]
    assert json.loads(table.column("repair").to_pylist()[0])["verdict"]["label"] == "spun"


def test_parquet_in_place_and_without_rows() -> None:
    parquet("a.parquet", rows=0)
    assert run("fix", "-o", "out", "a.parquet").exit_code == 0 and Path("out/a.parquet").exists()
    parquet("a.parquet")
    import pyarrow.parquet as pq

    assert run("fix", "-w", "a.parquet").exit_code == 0
    assert pq.read_table("a.parquet").column("text").to_pylist()[0] == FIXED


def test_damaged_parquet_is_told_and_nothing_is_written() -> None:
    parquet("a.parquet")
    raw = Path("a.parquet").read_bytes()
    for name, content in {
        "cut.parquet": raw[: len(raw) // 2],
        "bad.parquet": b"PAR1junkPAR1",
        "void.parquet": b"",
    }.items():
        Path(name).write_bytes(content)
        result = run("fix", "-o", "out", name)
        assert result.exit_code == 3 and "write or fetch it again" in result.stderr, name
        assert not Path("out", name).exists()
    assert "no field" in run("check", "--text-field", "body", "a.parquet").stderr
    assert "not text" in run("check", "--text-field", "n", "a.parquet").stderr
    assert "use -o DIR" in run("fix", "a.parquet").stderr


def warc(path: str) -> bytes:
    writer = pytest.importorskip("warcio.warcwriter")
    from warcio.statusandheaders import StatusAndHeaders

    body = f"<html><body><article>{'<p>' + SPUN * 9 + '</p>'}</article></body></html>"
    pages = [
        ("http://example.org/a", "200 OK", "text/html; charset=utf-8", body.encode()),
        (
            "http://example.org/plain",
            "200 OK",
            "text/plain; charset=iso-8859-1",
            f"Caf\u00e9. {SPUN}".encode("latin-1"),
        ),
        ("http://example.org/none", "404 Not Found", "text/html", body.encode()),
        ("http://example.org/image", "200 OK", "image/png", b"\x89PNG"),
        ("http://example.org/bad", "200 OK", "text/html", b"%PDF-1.4 says it is html"),
    ]
    out = io.BytesIO()
    archive = writer.WARCWriter(out, gzip=False)
    for url, status, kind, content in pages:
        http = StatusAndHeaders(status, [("Content-Type", kind)], protocol="HTTP/1.1")
        record = archive.create_warc_record(
            url,
            "response",
            payload=io.BytesIO(content),
            http_headers=http,
            warc_headers_dict={"WARC-Date": "2026-01-02T03:04:05Z"},
        )
        archive.write_record(record)
    Path(path).write_bytes(gzip.compress(out.getvalue()) if path.endswith(".gz") else out.getvalue())
    return out.getvalue()


def test_warc_becomes_jsonl() -> None:
    warc("a.warc.gz")
    result = run("fix", "-o", "out", "a.warc.gz")
    assert result.exit_code == 3 and "example.org/bad" in result.stderr
    rows = [json.loads(line) for line in gzip.decompress(Path("out/a.warc.jsonl.gz").read_bytes()).splitlines()]
    assert [row.get("url") for row in rows] == ["http://example.org/a", "http://example.org/plain", None]
    assert rows[0]["date"] == "2026-01-02T03:04:05Z" and rows[0]["id"].startswith("<urn:uuid")
    assert "Today state media spoke" in rows[0]["text"] and rows[1]["text"] == f"Café. {FIXED}"
    assert rows[2]["error"]["code"] == "binary"


def test_half_a_warc() -> None:
    raw = warc("a.warc")
    Path("cut.warc").write_bytes(raw[: raw.index(b"environment") + 40])
    assert run("fix", "cut.warc").exit_code == 3
    Path("cut.warc.gz").write_bytes(gzip.compress(raw)[:-40])
    result = run("fix", "-o", "out", "cut.warc.gz")
    assert result.exit_code == 3 and "gzip data is damaged" in result.stderr and not list(Path("out").glob("cut*"))
    assert run("fix", "-w", "a.warc").exit_code == 3 and Path("a.warc").read_bytes() == raw


@pytest.mark.parametrize("packing", ["gz", "zst"])
def test_packed_lines_and_half_of_them(packing: str) -> None:
    if packing == "zst":
        zstd = pytest.importorskip("backports.zstd")
        pack, unpack = zstd.compress, zstd.decompress
    else:
        pack, unpack = gzip.compress, gzip.decompress
    raw = b"".join(json.dumps({"id": i, "text": f"{SPUN} {i * 7919 % 104729}"}).encode() + b"\n" for i in range(3000))
    name = f"a.jsonl.{packing}"
    Path(name).write_bytes(pack(raw))
    assert run("fix", "-q", "-o", "out", name).exit_code == 0
    assert unpack(Path("out", name).read_bytes()) == raw.replace(b"environment media", b"state media")
    Path(name).write_bytes(pack(raw)[: len(pack(raw)) // 2])
    Path("out", name).unlink()
    result = run("fix", "-q", "-o", "out", name)
    assert result.exit_code == 3 and "data is damaged" in result.stderr
    assert not Path("out", name).exists()


PAGES = {
    "plain": "<p>environment media",
    "entities": "<p>caf&eacute; &amp; environment media &notit; &#8212; &bogus; & x</p>",
    "split": "<p>environment\r\n   media &lt;b&gt;</p>",
    "attributes": "<a title=\"environment media > b\" href='x>y'>x</a> environment media",
    "comments": "<!-- environment media --> <!--> environment media <!-- x --!> y",
    "script": "<script>if (a<b) 'environment media' <!-- <script> '</script>' --></script><p>environment media",
    "raw": "<title>environment media</title><style>environment media</style><textarea>environment media</textarea>",
    "unclosed": "<p>environment media <a href='environment media> <b>x",
    "cdata": "<svg><![CDATA[environment media <p>]]></svg><p>environment media",
    "menu": "<nav>environment media</nav><footer>environment media</footer><p>environment media",
    "code": "<p>Use <code>environment media</code> and environment media</p>",
    "no markup": "environment media < 5 & environment media",
    "void": "",
}


def edited(page: str) -> str:
    form = Page.of(decoded(page.encode()), "x")
    return form.encode(
        [
            Edit(at, at + 17, "environment media", "state “media” & <co>")
            for at in range(len(form.article.text))
            if form.article.text.startswith("environment media", at)
            and not any(a < at + 17 and at < z for a, z in form.article.protected)
        ]
    ).decode()


NEW = "state &#8220;media&#8221; &amp; &lt;co&gt;"


def test_only_text_nodes_are_edited() -> None:
    counts = {name: edited(page).count(NEW) for name, page in PAGES.items()}
    assert counts == {
        "plain": 1, "entities": 1, "split": 1, "attributes": 1, "comments": 1, "script": 1, "raw": 0, "unclosed": 1,
        "cdata": 1, "menu": 1, "code": 1, "no markup": 2, "void": 0,
    }  # fmt: skip
    assert edited(PAGES["comments"]).startswith("<!-- environment media -->")


def test_an_edit_over_markup_is_only_flagged() -> None:
    page = b"<p>environment <b>media</b> spoke, environment media spoke.</p>"
    Path("a.html").write_bytes(page)
    result = run("fix", "--html", "in-place", "a.html")
    assert result.exit_code == 1 and "2 findings, 1 replaced" in result.stderr
    assert result.stdout_bytes == page.replace(b", environment media", b", state media")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "<",
                ">",
                "<p>",
                "</p",
                "<!--",
                "-->",
                "'",
                '"',
                "=",
                "&amp;",
                "&",
                "<script>",
                "</script>",
                "a ",
                "\n",
                "é",
                "<b x=",
            ]
        )
    ).map("".join)
)
def test_a_page_without_edits_comes_back(page: str) -> None:
    raw = page.encode()
    form = Page.of(decoded(raw), "x")
    assert form.encode([]) == raw
    for unit in form.units:
        if unit.exact:
            assert form.article.text[unit.start : unit.end] == page[unit.source : unit.source_end]


@pytest.mark.parametrize("piece", ["<", "<a ", "<!--", "<a b='", "&", "&a", "<script>", "</", "<![CDATA[", '<p x="a>'])
def test_hostile_pages_take_linear_time(piece: str) -> None:
    import time

    begin = time.process_time()
    Page.of(decoded((piece * (200_000 // len(piece))).encode()), "x")
    assert time.process_time() - begin < 3
