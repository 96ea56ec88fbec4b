"""spaCy: findings as spans of the document, beside whatever else the pipeline finds."""

from pathlib import Path

import spacy

nlp = spacy.blank("en")
nlp.add_pipe("sentencizer")
nlp.add_pipe("repair", config={"options": {"caution": "normal"}})
doc = nlp((Path(__file__).parent / "ferry-strike.txt").read_text(encoding="utf-8"))

report = doc.spans["repair"].attrs
print(report["verdict"])
for span, finding in list(zip(doc.spans["repair"], report["findings"], strict=True))[:5]:
    print(span.label_, span.text, "->", [s["text"] for s in finding["suggestions"]][:2], "|", span.sent[:4])
