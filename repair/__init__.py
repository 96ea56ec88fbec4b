"""mt-repair: finds and undoes the wording that article spinners and round-trip translation leave in text."""

from repair.errors import RepairError
from repair.repairer import Repairer
from repair.report import Article, Edit, Finding, OffsetMap, Repair, Report, Suggestion, Verdict

__all__ = [
    "Article",
    "Edit",
    "Finding",
    "OffsetMap",
    "Repair",
    "RepairError",
    "Repairer",
    "Report",
    "Suggestion",
    "Verdict",
]
__version__ = "0.1.0"
