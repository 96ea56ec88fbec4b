"""A Scrapy item pipeline: items are repaired in threads, so that the reactor goes on fetching."""

from __future__ import annotations

import logging
from typing import Any, Self

from repair.adapters.step import Step, missing

try:
    from itemadapter import ItemAdapter
    from scrapy.exceptions import DropItem
    from scrapy.utils.asyncio import run_in_thread
except ImportError as error:
    missing("scrapy", "scrapy", error)

logger = logging.getLogger(__name__)


class RepairPipeline:
    """Repairs the text of each item (a dict, an Item, a dataclass); an item without one goes on as it came.

    So does an item that has a field already which is to be added, or doesn't declare it: with an error in the log.

    Settings: REPAIR_TEXT_FIELD ("text"), REPAIR_ID_FIELD ("url"), and REPAIR, a dict with those of
    repair.adapters.step.Step. Counts go to the crawl's statistics as repair/...; what a filter takes is dropped.
    """

    def __init__(self, crawler: Any) -> None:
        settings = crawler.settings
        self.text: str = settings.get("REPAIR_TEXT_FIELD", "text")
        self.id: str = settings.get("REPAIR_ID_FIELD", "url")
        self.step = Step(**settings.getdict("REPAIR"))
        self.stats = crawler.stats

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        return cls(crawler)

    async def process_item(self, item: Any) -> Any:
        fields = ItemAdapter(item)
        if self.text not in fields:
            return item
        if wrong := self._in_the_way(item, fields):
            code, message = wrong
            logger.error("mt-repair: %a: %s", fields.get(self.id), message)
            self.stats.inc_value(f"repair/errors/{code}")
            return item
        id = str(fields.get(self.id, ""))
        (result,) = await run_in_thread(self.step.results, [fields[self.text]], [id], self.text)
        for name, value in result.counts():
            self.stats.inc_value(f"repair/{name}", value)
        if result.error:
            logger.warning("mt-repair: %a: %s", id, result.error)
        if result.dropped:
            raise DropItem(f"mt-repair: {result.repair.report.verdict.label}")
        for name, value in result.changes.items():
            fields[name] = value
        return item

    def _in_the_way(self, item: Any, fields: Any) -> tuple[str, str] | None:
        """Why nothing can be added to an item: code and message; None where it can."""
        for name in self.step.new(self.text):
            if not isinstance(item, dict) and name not in fields.field_names():
                cure = "declare it, or set report to none in REPAIR"
                return "field-missing", f"{type(item).__name__} has no field {name!a}; {cure}"
            if fields.get(name) is not None:
                cure = "choose another with key or output in REPAIR"
                return "field-taken", f"the item has a field {name!a} already; {cure}"
        return None
