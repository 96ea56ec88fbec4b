"""The library in ten lines: what was found in an article, why, and the article put right."""

from pathlib import Path

from repair import Repairer

text = (Path(__file__).parent / "ferry-strike.txt").read_text(encoding="utf-8")
repair = Repairer().fix(text)
print(repair.report.verdict)
for finding in repair.report.findings[:5]:
    print(finding.start, finding.observed, "->", [s.text for s in finding.suggestions][:2], finding.evidence)
print(f"{len(repair.edits)} edits; undone, the text is {'the same' if repair.undo() == text else 'another'}")
