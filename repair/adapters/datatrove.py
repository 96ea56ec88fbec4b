"""A datatrove PipelineStep: texts repaired, evidence in the metadata, counts in the pipeline's statistics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from repair.adapters.step import Step, missing

try:
    from datatrove.pipeline.base import PipelineStep
    from datatrove.utils.logging import logger
    from datatrove.utils.typeshelper import StatHints
except ImportError as error:
    missing("datatrove", "datatrove", error)


class RepairStep(PipelineStep):
    """Repairs documents, in order, ``batch`` of them at a time.

    settings: those of repair.adapters.step.Step; its fields are keys of the metadata, but for the text. A document
    whose metadata has such a key already goes on as it came, counted under ``errors/field-taken``.
    """

    name = "🩹 mt-repair"
    type = "🩹 - REPAIR"

    def __init__(self, *, batch: int = 16, **settings: Any) -> None:
        super().__init__()
        self.batch = batch
        self.step = Step(**settings)

    def run(self, data: Iterable[Any] | None, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        documents = iter(data or ())
        while batch := list(islice(documents, self.batch)):
            with self.track_time("batch"):
                results = self.step.results([d.text for d in batch], [str(d.id) for d in batch])
            for document, result in zip(batch, results, strict=True):
                self.stat_update(StatHints.total)
                for name, value in result.counts():
                    self.stat_update(name, value=value)
                if result.error:
                    logger.warning("mt-repair: {}: {}", ascii(document.id), result.error)
                if result.dropped:
                    self.stat_update(StatHints.dropped)
                    continue
                if taken := [name for name in self.step.new() if name in document.metadata]:
                    self.stat_update("errors/field-taken")
                    logger.warning("mt-repair: {}: the metadata has a key {} already", ascii(document.id), taken[0])
                else:
                    changes = dict(result.changes)
                    document.text = changes.pop("text", document.text)
                    document.metadata.update(changes)
                self.stat_update(StatHints.forwarded)
                self.update_doc_stats(document)
                yield document
