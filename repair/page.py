"""Reports as pages to send around: one file without script, font or request, the article as one reads it.

Everything that comes from an article goes through ``shown``, which escapes markup and makes controls visible. The
policy in the page's head forbids all but its own style, so that even a mistake here could not run anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape

from repair.display import as_read, evidence
from repair.report import Finding, Report

MOST_SWAPS = 25  # in the index
MOST_BARS = 400  # articles in the plot; the densest of more
_TONES = {"clean": "ok", "suspicious": "warn"}

STYLE = """
:root{color-scheme:light dark;--paper:#fbfaf7;--ink:#1d1c1a;--soft:#5c5952;--line:#dcd8ce;--card:#fff;
--put:#d9efdc;--put-line:#1f7a3a;--flag:#fdebc0;--flag-line:#8a5a00;--bad:#a3241b;--link:#1a4f8b}
@media(prefers-color-scheme:dark){:root{--paper:#171614;--ink:#ebe7df;--soft:#aaa59a;--line:#3a3732;--card:#211f1c;
--put:#173a22;--put-line:#7fd498;--flag:#40310c;--flag-line:#f0c35c;--bad:#ff8f85;--link:#8fc1ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:1.125rem/1.65 Georgia,"Times New Roman",serif}
main{max-width:42rem;margin:0 auto;padding:2rem 1.1rem 5rem}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .6rem;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2.5rem 0 .6rem}
h2,header,table,nav,aside,figure,summary,dl,.pop{font-family:system-ui,sans-serif}
header{border-bottom:1px solid var(--line);margin-bottom:1.6rem;padding-bottom:1rem}
header p,aside,figcaption{font-size:.92rem;line-height:1.5;color:var(--soft);margin:.4rem 0}
a{color:var(--link)}
.figures{display:flex;flex-wrap:wrap;gap:.4rem 1.8rem;margin:.8rem 0 0}
.figures div{min-width:4.5rem}
dt{font-size:.78rem;color:var(--soft)}
dd{margin:0;font-size:1.15rem;font-variant-numeric:tabular-nums}
.ok{color:var(--put-line)}.warn{color:var(--flag-line)}.bad{color:var(--bad)}
.text{white-space:pre-wrap;overflow-wrap:anywhere}
details{display:inline}
details:not([open])::details-content{display:none}
summary{display:inline;list-style:none;cursor:pointer;font-family:inherit;border-radius:.15em;padding:.05em .12em}
summary::-webkit-details-marker{display:none}
summary:focus-visible{outline:3px solid var(--link);outline-offset:1px}
summary mark,.key{background:var(--flag);color:inherit;border-bottom:2px dotted var(--flag-line)}
.replace mark,.key.put{background:var(--put);border-bottom:2px solid var(--put-line)}
summary ins{text-decoration:none;color:var(--put-line);font-size:.88em}
summary ins::before{content:" \\2192\\A0"}
.pop{display:block;white-space:normal;background:var(--card);border:1px solid var(--line);border-left-width:4px;
border-radius:.4rem;margin:.4rem 0 .6rem;padding:.6rem .9rem;font-size:.9rem;line-height:1.45}
.pop ol{margin:.2rem 0;padding-left:1.4rem}
.pop small,td small{color:var(--soft)}
table{border-collapse:collapse;width:100%;font-size:.92rem;line-height:1.4}
th,td{text-align:left;padding:.35rem .6rem .35rem 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
th{font-size:.8rem;color:var(--soft);font-weight:600}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
figure{margin:1rem 0}
svg{width:100%;height:auto;display:block}
svg text{fill:var(--soft);font:11px system-ui,sans-serif}
svg line{stroke:var(--line)}
svg .ok{fill:var(--put-line)}svg .warn{fill:var(--flag-line)}svg .bad{fill:var(--bad)}
@media(max-width:30rem){body{font-size:1.05rem}main{padding:1.2rem .9rem 3rem}h1{font-size:1.25rem}}
@media print{details .pop{border:0}}
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True, slots=True)
class Entry:
    """An article's line in the index. link: its page, or its place on this one; error: where it has no report."""

    name: str
    link: str = ""
    report: Report | None = None
    findings: int = 0
    error: str = ""


@dataclass(slots=True)
class Index:
    """What the index of a batch tells, gathered article by article."""

    entries: list[Entry] = field(default_factory=list)
    swaps: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, name: str, link: str, report: Report) -> None:
        """Take in one article. Its findings are only counted, so that a batch of any size fits."""
        pairs = ((f.observed.lower(), f.suggestions[0].text.lower()) for f in report.findings if f.suggestions)
        self.swaps.update(pairs)
        self.entries.append(Entry(name, link, Report(report.words, report.verdict), len(report.findings)))

    def failed(self, name: str, error: str) -> None:
        """Take in what could not be read."""
        self.entries.append(Entry(name, error=error))

    def html(self) -> Iterator[str]:
        """Figures, plot, articles and swaps."""
        reports = [entry.report for entry in self.entries if entry.report]
        findings = sum(entry.findings for entry in self.entries)
        labels = Counter(report.verdict.label for report in reports)
        yield "<header><h1>Reworded by machine? A batch</h1>"
        yield _figures(
            ("articles", f"{len(reports):,}"),
            *((label, f"{count:,}") for label, count in labels.most_common()),
            ("findings", f"{findings:,}"),
            ("not readable", f"{len(self.entries) - len(reports):,}"),
        )
        yield f"{_CAUTION}</header>"
        yield from self._plot()
        yield '<h2 id="articles">Articles</h2><table><thead><tr><th>article<th>verdict<th class="n">findings'
        yield '<th class="n">density</thead><tbody>'
        for entry in self.entries:
            if entry.report:
                v = entry.report.verdict
                yield f'<tr><td><a href="{shown(entry.link)}">{shown(entry.name)}</a><td class="{_tone(v.label)}">'
                yield f'{shown(v.label)}<td class="n">{entry.findings:,}<td class="n">{v.density:.0%}'
            else:
                yield f'<tr><td>{shown(entry.name)}<td colspan="3" class="bad">{shown(entry.error)}'
        yield "</tbody></table>"
        if self.swaps:
            yield '<h2>Most frequent swaps</h2><table><thead><tr><th>observed<th>suggested<th class="n">times'
            yield "</thead><tbody>"
            for (observed, text), count in self.swaps.most_common(MOST_SWAPS):
                yield f'<tr><td>{shown(observed)}<td>{shown(text)}<td class="n">{count:,}'
            yield "</tbody></table>"

    def _plot(self) -> Iterator[str]:
        """Bars of density, the densest first, in the colour of the verdict."""
        dense = sorted(
            ((e.report.verdict.density, e.report.verdict.label, e.name) for e in self.entries if e.report), reverse=True
        )[:MOST_BARS]
        if not dense:
            return
        top = max(0.05, dense[0][0])
        step = min(40.0, 600 / len(dense))
        yield '<figure><svg viewBox="0 0 640 190" role="img" aria-labelledby="plot"><title id="plot">Density of each '
        yield f"article, from {dense[0][0]:.0%} down to {dense[-1][0]:.0%}</title>"
        for share in (0.0, top / 2, top):
            y = 175 - share / top * 160
            yield f'<line x1="36" x2="640" y1="{y:.1f}" y2="{y:.1f}"/><text x="0" y="{y + 4:.1f}">{share:.0%}</text>'
        for k, (density, label, name) in enumerate(dense):
            high = max(1.5, density / top * 160)
            place = f'x="{38 + k * step:.2f}" y="{175 - high:.1f}" width="{step * 0.8:.2f}" height="{high:.1f}"'
            yield f'<rect class="{_tone(label)}" {place}><title>{shown(name)}: {density:.0%}, {label}</title></rect>'
        yield "</svg><figcaption>Density: the share of an article’s words inside findings, densest first. "
        yield 'Colours are verdicts: <b class="ok">clean</b>, <b class="warn">suspicious</b>, '
        yield '<b class="bad">spun or paraphrased</b>.</figcaption></figure>'


_CAUTION = (
    "<p>These are hints with their evidence, no proof against an author. Honest wording is found too; "
    "an editor decides.</p>"
)


def shown(text: str) -> str:
    """Scraped text as page text or attribute value: markup escaped, what steers or hides made visible."""
    return escape(as_read(text))


def page(title: str, body: Iterable[str]) -> Iterator[str]:
    """A whole page around ``body``."""
    yield f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{shown(title)}</title>'
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">'
    yield f"<style>{STYLE}</style></head><body><main>"
    yield from body
    yield "</main></body></html>\n"


def article(name: str, text: str, report: Report, *, id: str = "", back: str = "") -> Iterator[str]:
    """An article with its findings where they stand. id: the anchor on a page of several; back: a link to the index."""
    v = report.verdict
    put = sum(f.action == "replace" for f in report.findings)
    if back:
        yield f'<nav><a href="{shown(back)}">All articles</a></nav>'
    yield f'<article id="{shown(id or "article")}"><header><h1>{shown(name)}</h1>'
    yield _figures(
        ("verdict", f'<b class="{_tone(v.label)}">{shown(v.label)}</b>'),
        ("probability", f"{v.probability:.2f}"),
        ("density", f"{v.density:.0%}"),
        ("words", f"{report.words:,}"),
        ("findings", f"{len(report.findings):,}"),
        ("would be replaced", f"{put:,}"),
    )
    if report.findings:
        yield '<p><span class="key put">Underlined</span> would be replaced, <span class="key">dotted</span> is only '
        yield "flagged. Open a finding (click, or Tab and Enter) for other suggestions and the evidence.</p>"
    yield f'{_CAUTION}</header><div class="text">'
    at = 0
    for finding in report.findings:
        yield shown(text[at : finding.start])
        yield "".join(_finding(finding, text[finding.start : finding.end]))
        at = finding.end
    yield f"{shown(text[at:])}</div></article>"


def _finding(finding: Finding, observed: str) -> Iterator[str]:
    first = f"<ins>{shown(finding.suggestions[0].text)}</ins>" if finding.suggestions else ""
    does = "would be replaced" if finding.action == "replace" else "only flagged"
    yield f'<details class="{shown(finding.action)}"><summary><mark>{shown(observed)}</mark>{first}</summary>'
    yield f'<div class="pop">{does}; a machine’s wording with a probability of {finding.confidence:.0%}'
    if finding.suggestions:
        yield "<br>Suggested:<ol>"
        for s in finding.suggestions:
            yield f"<li>{shown(s.text)} <small>{s.probability:.0%}, {shown(s.source)}</small></li>"
        yield "</ol>"
    for line in evidence(finding.evidence):
        yield f"<small>{shown(line)}</small><br>"
    yield "</div></details>"


def _figures(*pairs: tuple[str, str]) -> str:
    return f'<dl class="figures">{"".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in pairs)}</dl>'


def _tone(label: str) -> str:
    return _TONES.get(label, "bad")
