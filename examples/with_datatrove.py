"""datatrove: a folder of jsonl in, the same documents out, repaired, with their evidence. Two tasks at once."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers.jsonl import JsonlWriter

from repair.adapters.datatrove import RepairStep

if __name__ == "__main__":  # the tasks are processes that read this file again
    with TemporaryDirectory() as folder:
        (Path(folder) / "in").mkdir()
        for name in ("ferry-strike", "clean-notice"):
            text = (Path(__file__).parent / f"{name}.txt").read_text(encoding="utf-8")
            row = json.dumps({"id": name, "text": text, "source": "example"})
            (Path(folder) / f"in/{name}.jsonl").write_text(row + "\n")
        steps = [
            JsonlReader(f"{folder}/in"),
            RepairStep(report="counts", drop_if="verdict>=paraphrased"),
            JsonlWriter(f"{folder}/out", compression=None),
        ]
        LocalPipelineExecutor(steps, tasks=2, workers=2, logging_dir=f"{folder}/logs").run()
        for file in sorted(Path(folder).glob("out/*.jsonl")):
            for line in file.read_text(encoding="utf-8").splitlines():
                document = json.loads(line)
                said = document["metadata"]["repair"]
                print(document["id"], document["metadata"]["source"], said["verdict"], said["replacements"])
        stats = json.loads((Path(folder) / "logs/stats.json").read_text(encoding="utf-8"))
        print({name: value for name, value in sorted(stats[1]["stats"].items()) if name.startswith("verdict")})
