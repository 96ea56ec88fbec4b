"""Steps for the engines that people run pipelines on: one small module each, imported by whoever has the engine.

repair.adapters.datatrove, .ray, .scrapy, .frames (pandas and Polars), .spacy; docs/adapters.md shows each at work.
"""
