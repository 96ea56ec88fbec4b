"""A Scrapy item pipeline: items are repaired in threads, so that the reactor goes on fetching."""

from __future__ import annotations

from typing import Any, Self

from repair.adapters.step import Step, missing
from repair.errors import UsageError

try:
    from itemadapter import ItemAdapter
    from scrapy.exceptions import DropItem
    from scrapy.utils.asyncio import run_in_thread
except ImportError as error:
    missing("scrapy", "scrapy", error)


class RepairPipeline:
    """Repairs the text of each item (a dict, an Item, a dataclass); an item without one goes on as it came.

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
        for name in self.step.new(self.text):
            if fields.get(name) is not None:
                raise UsageError(f"the item has a field {name!a} already; choose another with key or output in REPAIR")
        id = str(fields.get(self.id, ""))
        (result,) = await run_in_thread(self.step.results, [fields[self.text]], [id], self.text)
        for name, value in result.counts():
            self.stats.inc_value(f"repair/{name}", value)
        if result.dropped:
            raise DropItem(f"mt-repair: {result.repair.report.verdict.label}")
        for name, value in result.changes.items():
            try:
                fields[name] = value
            except KeyError:
                raise UsageError(
                    f"{type(item).__name__} has no field {name!a}; declare it, or set report to none in REPAIR"
                ) from None
        return item
