"""Adapters for other engines, against the real packages; those that are not installed are skipped.

The examples of docs/adapters.md run with the real models, everything else with the stub.
"""

from __future__ import annotations

import importlib
import json
import pickle
import re
import runpy
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from conftest import FIXED, ROOT, SPUN
from stub import Stub

import repair.repairer
from repair import Repairer
from repair.adapters import step as steps
from repair.adapters.step import Step
from repair.errors import UsageError

DOCS = (ROOT / "docs/adapters.md").read_text(encoding="utf-8")
ENGINES = {"datatrove": "datatrove", "ray": "pyarrow", "scrapy": "scrapy", "spacy": "spacy"}
CRASHES = "CRASH here"


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> list[Stub]:
    """The Repairers that adapters make: stubs, here in the order in which they were made."""
    made: list[Stub] = []

    def make(**options: Any) -> Stub:
        made.append(Stub(**options))
        return made[-1]

    monkeypatch.setattr(repair.repairer, "Repairer", make)
    monkeypatch.setattr(steps, "_loaded", {})
    return made


def ran(example: str, environment: dict[str, str]) -> str:
    """What an example prints, in a process of its own."""
    command = [sys.executable, str(ROOT / f"examples/with_{example}.py")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


# What all share


def test_the_page_shows_the_examples() -> None:
    blocks = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    examples = {path.read_text(encoding="utf-8") for path in ROOT.glob("examples/with_*.py")}
    assert set(blocks) == examples and len(blocks) == 5


@pytest.mark.parametrize("extra", ENGINES)
def test_a_missing_package_is_named_with_the_cure(extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(f"{ENGINES[extra]}.")]:
        monkeypatch.delitem(sys.modules, name)  # of an engine that was imported before
    monkeypatch.setitem(sys.modules, ENGINES[extra], None)
    monkeypatch.delitem(sys.modules, f"repair.adapters.{extra}", raising=False)
    with pytest.raises(ImportError, match=re.escape(f"pip install -U 'mt-repair[{extra}]'")) as caught:
        importlib.import_module(f"repair.adapters.{extra}")
    assert f"needs the package {ENGINES[extra]} " in str(caught.value)


def test_one_bad_text_costs_only_itself(stubs: list[Stub]) -> None:
    texts = [SPUN, CRASHES, None, 5, "a lone \ud800", "clean"]
    results = Step(report="full").results(texts, list("abcdef"))
    assert [r.changes.get("text") for r in results] == [FIXED, None, None, None, None, None]
    assert [r.error.code if r.error else None for r in results] == [
        None, "internal", None, "wrong-type", "surrogate", None,
    ]  # fmt: skip
    assert results[1].changes["repair"]["error"]["code"] == "internal" and results[1].changes["repair"]["id"] == "b"
    assert not results[2].changes
    assert len({r.changes["repair"]["run"] for r in (results[0], results[5])}) == 1
    assert dict(results[0].counts()) == {"verdict/spun": 1, "words": 4, "findings": 1, "replacements": 1}


def test_a_process_loads_once_for_the_same_options(stubs: list[Stub]) -> None:
    first = Step(ignore=["bosom"])
    for step in (first, pickle.loads(pickle.dumps(first)), Step(ignore=["bosom"], report="none")):
        step.results([SPUN], [""])
    assert len(stubs) == 1
    Step(ignore=["other"]).results([SPUN], [""])
    assert [stub.ignore for stub in stubs] == [{"bosom"}, {"other"}]


def test_wrong_settings_are_said_at_once() -> None:
    for settings in ({"caution": "bold"}, {"drop_if": "verdict>=bad"}, {"report": "some"}):
        with pytest.raises(UsageError):
            Step(**settings)
    with pytest.raises(TypeError):
        Step(lexicon="x")


def test_lexicons_may_be_strings_and_must_exist(stubs: list[Stub], tmp_path: Path) -> None:
    step = Step(lexicons=[str(tmp_path / "none.tsv")])
    with pytest.raises(UsageError, match=r"none\.tsv: it can.t be read"):
        step.results(["x"], [""])


def test_a_bug_in_one_of_many_costs_only_that_one(stubs: list[Stub]) -> None:
    texts = [SPUN] * 70 + [CRASHES] + [SPUN] * 70
    results = Step(report="none").results(texts, [""] * len(texts))
    assert [at for at, result in enumerate(results) if result.changes != {"text": FIXED}] == [70]
    assert results[70].error and not results[70].changes


def test_texts_can_be_left_alone_and_records_dropped(stubs: list[Stub]) -> None:
    step = Step(rewrite=False, drop_if="verdict>=spun", report="none")
    first, second = step.results([SPUN, "clean"], ["", ""])
    assert first.dropped and not first.changes and not second.dropped
    assert [r.dropped for r in Step(keep_if=["verdict>=spun"]).results([SPUN, "clean"], ["", ""])] == [False, True]


# datatrove


def documents(*texts: str) -> list[Any]:
    from datatrove.data import Document

    return [Document(text=text, id=str(i), metadata={"n": i}) for i, text in enumerate(texts)]


def test_datatrove_keeps_evidence_and_counts(stubs: list[Stub]) -> None:
    pytest.importorskip("datatrove")
    from repair.adapters.datatrove import RepairStep

    step = RepairStep(batch=2, report="full", drop_if="density>0.5")
    out = list(step.run(documents(SPUN, CRASHES, "clean")))
    assert [d.text for d in out] == [FIXED, CRASHES, "clean"] and [d.metadata["n"] for d in out] == [0, 1, 2]
    assert out[0].metadata["repair"]["findings"][0]["observed"] == "environment media"
    assert out[1].metadata["repair"]["error"]["code"] == "internal"
    totals = {name: stat.total for name, stat in step.stats.stats.items()}
    assert totals["verdict/spun"] == totals["verdict/clean"] == totals["errors/internal"] == totals["replacements"] == 1
    assert totals["total"] == totals["forwarded"] == 3


def test_datatrove_drops_and_never_writes_over_metadata(stubs: list[Stub]) -> None:
    pytest.importorskip("datatrove")
    from repair.adapters.datatrove import RepairStep

    step = RepairStep(drop_if="verdict>=spun")
    held = documents(SPUN, "clean", "clean too")
    held[1].metadata["repair"] = "mine"
    out = list(step.run(held))
    first, second = (document.metadata["repair"] for document in out)
    assert first == "mine" and second["verdict"] == "clean"
    assert step.stats.stats["dropped"].total == 1 and step.stats.stats["errors/field-taken"].total == 1


def test_datatrove_tasks_share_what_is_loaded(stubs: list[Stub], tmp_path: Path) -> None:
    pytest.importorskip("datatrove")
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers.jsonl import JsonlWriter

    from repair.adapters.datatrove import RepairStep

    (tmp_path / "in").mkdir()
    for name in "ab":
        (tmp_path / f"in/{name}.jsonl").write_text(json.dumps({"id": name, "text": SPUN, "lang": "en"}) + "\n")
    pipeline = [
        JsonlReader(str(tmp_path / "in")), RepairStep(), JsonlWriter(str(tmp_path / "out"), compression=None)
    ]  # fmt: skip
    LocalPipelineExecutor(pipeline, tasks=2, workers=1, logging_dir=str(tmp_path / "logs")).run()
    rows = [json.loads(path.read_text()) for path in sorted((tmp_path / "out").iterdir())]
    assert [(row["id"], row["text"], row["metadata"]["lang"]) for row in rows] == [
        ("a", FIXED, "en"),
        ("b", FIXED, "en"),
    ]
    assert rows[0]["metadata"]["repair"]["verdict"] == "spun"
    assert len(stubs) == 1


def test_the_datatrove_example_runs(environment: dict[str, str]) -> None:
    pytest.importorskip("datatrove")
    lines = ran("datatrove", environment).splitlines()
    assert re.fullmatch(r"clean-notice example clean 0", lines[0])
    assert re.fullmatch(r"ferry-strike example spun [1-9]\d*", lines[1])
    assert lines[2] == "{'verdict/clean': 1, 'verdict/spun': 1}"


# Ray Data


def test_ray_batches_keep_schema_order_and_nulls(stubs: list[Stub]) -> None:
    pa = pytest.importorskip("pyarrow")
    from repair.adapters.ray import RepairBatch

    schema = pa.schema(
        [("n", pa.int16()), ("body", pa.dictionary(pa.int32(), pa.string())), ("x", pa.list_(pa.float32()))],
        metadata={"made": "by us"},
    )
    rows = [{"n": i, "body": text, "x": [0.5]} for i, text in enumerate([SPUN, None, "clean", CRASHES])]
    out = RepairBatch("body", id="n", report="counts")(pa.Table.from_pylist(rows, schema=schema))
    assert out.schema.equals(schema.append(pa.field("repair", pa.string())), check_metadata=True)
    assert out["body"].to_pylist() == [FIXED, None, "clean", CRASHES] and out["n"].to_pylist() == [0, 1, 2, 3]
    said = [text and json.loads(text) for text in out["repair"].to_pylist()]
    assert said[0]["verdict"] == "spun" and said[1] is None and said[3]["error"]["code"] == "internal"
    assert said[3]["id"] == "3"


def test_ray_batches_drop_rows_and_add_the_same_columns_always(stubs: list[Stub]) -> None:
    pa = pytest.importorskip("pyarrow")
    from repair.adapters.ray import RepairBatch

    step = RepairBatch(output="fixed", report="none", drop_if="verdict>=spun")
    mixed = step(pa.table({"text": [SPUN, "clean"]}))
    assert mixed.to_pylist() == [{"text": "clean", "fixed": "clean"}]
    assert step(pa.table({"text": [SPUN]})).schema == mixed.schema
    assert step(pa.table({"text": pa.array([], pa.string())})).schema == mixed.schema


def test_ray_batches_say_what_is_wrong_with_columns(stubs: list[Stub]) -> None:
    pa = pytest.importorskip("pyarrow")
    from repair.adapters.ray import RepairBatch

    for table, said in (
        ({"body": ["x"]}, "no column 'text' (there are: 'body')"),
        ({"text": [5]}, "'text' is not text"),
        ({"text": ["x"], "repair": ["mine"]}, "a column 'repair' already"),
    ):
        with pytest.raises(UsageError, match=re.escape(said)):
            RepairBatch()(pa.table(table))
    with pytest.raises(UsageError, match="batch_format='pyarrow'"):
        RepairBatch()({"text": ["x"]})


def test_the_ray_example_runs(environment: dict[str, str]) -> None:
    pytest.importorskip("ray.data")
    lines = ran("ray", environment).splitlines()
    assert re.fullmatch(r"ferry-strike spun [1-9]\d* True", lines[0])
    assert lines[1] == "clean-notice clean 0 False"
    assert lines[2].startswith("soil-sensors ")


# Scrapy

CRAWL = """
import json, sys, threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import scrapy
from scrapy.crawler import CrawlerProcess
from stub import Stub

import repair.repairer

seen = threading.Event()  # set by the reactor while the first item is analysed in its thread
free = []


class Slow(Stub):
    def fix_stream(self, texts):
        texts = list(texts)
        if any("WAIT" in text.text for text in texts):
            free.append(seen.wait(30))
        return super().fix_stream(texts)


repair.repairer.Repairer = Slow
site = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=sys.argv[1]))
threading.Thread(target=site.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{site.server_port}/"


class Page(scrapy.Item):
    url, text = scrapy.Field(), scrapy.Field()


class News(scrapy.Spider):
    name = "news"
    start_urls = [base + "first.txt"]
    custom_settings = {
        "ITEM_PIPELINES": {"repair.adapters.scrapy.RepairPipeline": 300},
        "REPAIR": {"report": "counts", "drop_if": ["density>0.5"]},
        "FEEDS": {"stdout:": {"format": "jsonlines"}},
        "LOG_LEVEL": "ERROR",
        **json.loads(sys.argv[2]),
    }

    def parse(self, response):
        yield {"url": "first", "text": response.text, "n": 1}
        yield response.follow("second.txt", self.second)

    def second(self, response):
        seen.set()
        yield {"url": "second", "text": response.text}
        yield {"url": "no text"}
        yield {"url": "bad", "text": "CRASH"}
        yield Page(url="no such field", text="clean")
        yield {"url": "taken", "text": "Today environment media spoke.", "repair": "mine"}


process = CrawlerProcess()
crawler = process.create_crawler(News)
process.crawl(crawler)
process.start()
counts = {name: value for name, value in crawler.stats.get_stats().items() if name.startswith("repair/")}
print(json.dumps({"free": free, "counts": counts, "scraped": crawler.stats.get_value("item_scraped_count")}))
"""


@pytest.mark.parametrize("reactor", ["asyncioreactor.AsyncioSelectorReactor", "selectreactor.SelectReactor"])
def test_scrapy_goes_on_while_an_item_is_analysed(reactor: str, environment: dict[str, str], tmp_path: Path) -> None:
    pytest.importorskip("scrapy")
    (tmp_path / "first.txt").write_text(f"WAIT {SPUN}")
    (tmp_path / "second.txt").write_text("clean")
    (tmp_path / "crawl.py").write_text(CRAWL)
    environment["PYTHONPATH"] = f"{environment['PYTHONPATH']}:{ROOT / 'tests'}"
    settings = json.dumps({"TWISTED_REACTOR": f"twisted.internet.{reactor}"})
    command = [sys.executable, "crawl.py", str(tmp_path), settings]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    *lines, last = [json.loads(line) for line in done.stdout.splitlines()]
    items = {item["url"]: item for item in lines}
    assert last["free"] == [True]
    assert items["first"]["text"] == f"WAIT {FIXED}" and items["first"]["n"] == 1
    assert items["first"]["repair"]["verdict"] == "spun" and items["second"]["repair"]["verdict"] == "clean"
    assert items["no text"] == {"url": "no text"}
    assert items["bad"]["text"] == "CRASH" and items["bad"]["repair"]["error"]["code"] == "internal"
    assert items["no such field"]["text"] == "clean" and "Page has no field 'repair'; declare it" in done.stderr
    assert items["taken"] == {"url": "taken", "text": SPUN, "repair": "mine"} and last["scraped"] == 6
    assert last["counts"]["repair/errors/field-missing"] == last["counts"]["repair/errors/field-taken"] == 1
    assert last["counts"]["repair/errors/internal"] == 1 and last["counts"]["repair/verdict/spun"] == 1


def test_the_scrapy_example_runs(environment: dict[str, str]) -> None:
    pytest.importorskip("scrapy")
    *lines, last = ran("scrapy", environment).splitlines()
    items = {Path(item["url"]).stem: item for item in map(json.loads, lines)}
    assert items["ferry-strike"]["repair"]["verdict"] == "spun" and "ferry-strike" in items["ferry-strike"]["url"]
    assert items["clean-notice"]["repair"]["verdict"] == "clean"
    assert "'repair/verdict/spun': 1" in last


# pandas and Polars


@pytest.mark.parametrize("kind", ["object", "str", "category", "string[pyarrow]"])
def test_pandas_columns_keep_index_name_and_gaps(kind: str, stubs: list[Stub]) -> None:
    pandas = pytest.importorskip("pandas")
    from repair.adapters.frames import fix, report

    column = pandas.Series([SPUN, None, "clean"], index=[7, 3, 3], name="body").astype(kind)
    out = fix(column)
    assert out.tolist()[::2] == [FIXED, "clean"] and out.isna().tolist() == [False, True, False]
    assert out.index.tolist() == [7, 3, 3] and out.name == "body"
    assert kind == "category" or out.dtype == column.dtype
    said = report(column)
    assert said.index.tolist() == [7, 3, 3] and said["repaired"].tolist()[0] == FIXED
    assert said["replacements"].tolist()[0] == 1 and said["verdict"].isna().tolist() == [False, True, False]
    assert json.loads(said["evidence"].tolist()[0])["findings"][0]["observed"] == "environment media"


def test_pandas_keeps_what_is_no_text(stubs: list[Stub]) -> None:
    pandas = pytest.importorskip("pandas")
    from repair.adapters.frames import fix

    odd = [SPUN, float("nan"), None, 5, pandas.NA]
    out = fix(pandas.Series(odd, dtype="object")).tolist()
    assert out[0] == FIXED and all(new is old for new, old in zip(out[1:], odd[1:], strict=True))


def test_polars_columns_and_expressions(stubs: list[Stub]) -> None:
    polars = pytest.importorskip("polars")
    from repair.adapters.frames import fix, report

    frame = polars.DataFrame({"text": [SPUN, None, CRASHES]})
    assert fix(frame["text"]).to_list() == [FIXED, None, CRASHES] and fix(frame["text"]).name == "text"
    assert fix(frame["text"].cast(polars.Categorical)).to_list() == [FIXED, None, CRASHES]
    lazily = frame.lazy().with_columns(polars.col("text").map_batches(fix, return_dtype=polars.String))
    assert lazily.collect()["text"].to_list() == [FIXED, None, CRASHES]
    said = report(frame["text"])
    assert said["verdict"].to_list() == ["spun", None, None] and said["words"].dtype == polars.Int64
    assert json.loads(said["evidence"][2])["error"]["code"] == "internal"
    empty = frame["text"].clear()
    assert fix(empty).dtype == polars.String and report(empty).schema == said.schema


def test_what_is_no_column_is_said() -> None:
    from repair.adapters.frames import fix

    with pytest.raises(UsageError, match="not a pandas or Polars Series but list"):
        fix(["text"])


def test_the_frames_example_runs(
    repairer: Repairer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("polars")
    monkeypatch.setattr(steps, "_loaded", {repr([]): (repairer, "run")})
    runpy.run_path(str(ROOT / "examples/with_frames.py"), run_name="__main__")
    out = capsys.readouterr().out
    assert re.search(r"ferry-strike +spun +0\.\d+ +[1-9]", out) and "clean-notice ┆ true" in out
    assert "ferry-strike ┆ false" in out


# spaCy


def test_spacy_sets_spans_that_last(stubs: list[Stub]) -> None:
    spacy = pytest.importorskip("spacy")
    import repair.adapters.spacy  # noqa: F401

    nlp = spacy.blank("en")
    nlp.add_pipe("repair", config={"key": "found", "options": {"ignore": ["herbal assets"]}})
    texts = ["Café: environment media, herbal assets and bosom-peril.", CRASHES, "clean"]
    docs = list(nlp.pipe(texts, batch_size=2))
    spans = docs[0].spans["found"]
    assert [(span.label_, span.text) for span in spans] == [("replace", "environment media"), ("flag", "bosom")]
    findings = spans.attrs["findings"]
    assert [docs[0].text[f["start"] : f["end"]] for f in findings] == ["environment media", "bosom"]
    assert docs[1].spans["found"].attrs["error"]["code"] == "internal" and not len(docs[1].spans["found"])
    assert docs[2].spans["found"].attrs["verdict"]["label"] == "clean" and [d.text for d in docs] == texts
    again = spacy.tokens.Doc(nlp.vocab).from_bytes(docs[0].to_bytes())
    assert [span.text for span in again.spans["found"]] == ["environment media", "bosom"]
    assert again.spans["found"].attrs["findings"] == findings


def test_spacy_pipelines_are_saved_and_loaded(stubs: list[Stub], tmp_path: Path) -> None:
    spacy = pytest.importorskip("spacy")
    import repair.adapters.spacy  # noqa: F401

    nlp = spacy.blank("en")
    nlp.add_pipe("repair", config={"options": {"ignore": ["environment media"]}})
    nlp.to_disk(tmp_path / "saved")
    doc = spacy.load(tmp_path / "saved")(f"{SPUN} bosom")
    assert [span.text for span in doc.spans["repair"]] == ["bosom"]
    assert len(stubs) == 1
    assert pickle.loads(pickle.dumps(nlp.get_pipe("repair"))).key == "repair"


def test_spacy_finds_the_component_where_pyproject_says() -> None:
    pytest.importorskip("spacy")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ((name, value),) = project["entry-points"]["spacy_factories"].items()
    from repair.adapters.spacy import make

    assert name == "repair" and EntryPoint(name, value, "spacy_factories").load() is make


def test_the_spacy_example_runs(
    repairer: Repairer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("spacy")
    import repair.adapters.spacy  # noqa: F401  in a clone that was installed before it had an entry point

    monkeypatch.setattr(steps, "_loaded", {repr([("caution", "normal")]): (repairer, "run")})
    runpy.run_path(str(ROOT / "examples/with_spacy.py"), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert "'label': 'spun'" in lines[0] and len(lines) == 6
    assert any(re.match(r"replace .+ -> \['", line) for line in lines[1:])
