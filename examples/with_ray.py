"""Ray Data: two actors, each with the models loaded once; on a cluster the same lines use many machines."""

import json
from pathlib import Path

import ray

from repair.adapters.ray import RepairBatch

names = ["ferry-strike", "clean-notice", "soil-sensors"]
texts = [(Path(__file__).parent / f"{name}.txt").read_text(encoding="utf-8") for name in names]

ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
ray.data.DataContext.get_current().execution_options.preserve_order = True
articles = ray.data.from_items([{"url": name, "text": text} for name, text in zip(names, texts, strict=True)])
repaired = articles.map_batches(
    RepairBatch,
    fn_constructor_kwargs={"text": "text", "id": "url", "output": "repaired", "report": "counts"},
    batch_format="pyarrow",
    batch_size=2,
    compute=ray.data.ActorPoolStrategy(size=2),
)
for row in repaired.iter_rows():
    said = json.loads(row["repair"])
    print(row["url"], said["verdict"], said["replacements"], row["repaired"] != row["text"])
ray.shutdown()
