"""Scrapy: each item repaired beside the crawl. The site is this folder, served on loopback."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import scrapy
from scrapy.crawler import CrawlerProcess

site = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=Path(__file__).parent))
Thread(target=site.serve_forever, daemon=True).start()


class News(scrapy.Spider):
    name = "news"
    start_urls = [f"http://127.0.0.1:{site.server_port}/{name}.txt" for name in ("ferry-strike", "clean-notice")]
    custom_settings = {
        "ITEM_PIPELINES": {"repair.adapters.scrapy.RepairPipeline": 300},
        "REPAIR": {"report": "counts", "drop_if": ["verdict>=paraphrased"]},
        "FEEDS": {"stdout:": {"format": "jsonlines"}},
        "LOG_LEVEL": "WARNING",
    }

    def parse(self, response):
        yield {"url": response.url, "text": response.body.decode()}


process = CrawlerProcess()
crawler = process.create_crawler(News)
process.crawl(crawler)
process.start()
print({name: value for name, value in crawler.stats.get_stats().items() if name.startswith("repair/verdict")})
