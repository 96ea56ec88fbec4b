"""pandas and Polars: a column repaired, and the evidence beside it."""

from pathlib import Path

import pandas
import polars

from repair.adapters.frames import fix, report

names = ["ferry-strike", "clean-notice"]
texts = [(Path(__file__).parent / f"{name}.txt").read_text(encoding="utf-8") for name in names]

articles = pandas.DataFrame({"name": names, "text": texts}).set_index("name")
said = articles.join(report(articles["text"]))
print(said.loc[said["verdict"] == "spun", ["verdict", "density", "replacements"]])

articles = polars.DataFrame({"name": names, "text": texts})
lazily = polars.col("text").map_batches(fix, return_dtype=polars.String, is_elementwise=True)
print(articles.with_columns(repaired=lazily).select("name", same=polars.col("text") == polars.col("repaired")))
