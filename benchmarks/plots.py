"""Line charts as small svg files, written by hand: nothing to install, and they differ only where figures do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 560, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 36, 52
COLOURS = ("#1a5fb4", "#c64600", "#26803a", "#813d9c")
DASHES = ("", "7 4", "2 3", "10 3 2 3")  # lines differ without colour too
STEPS = (1, 2, 5)

Points = Sequence[tuple[float, float]]


def chart(title: str, across: str, up: str, lines: Mapping[str, Points], *, logarithmic: bool = False) -> str:
    """An svg of named lines. logarithmic: both axes; else both begin at zero."""
    every = [point for points in lines.values() for point in points]
    x_ticks, y_ticks = ((_ticks if logarithmic else _even_ticks)([p[k] for p in every]) for k in (0, 1))

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            LEFT + _share(x, x_ticks, logarithmic) * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - _share(y, y_ticks, logarithmic) * (HEIGHT - TOP - BOTTOM),
        )

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="12" fill="#222">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="20" font-size="14" font-weight="bold">{escape(title)}</text>',
    ]
    for x in x_ticks:
        at, _ = place(x, y_ticks[0])
        out.append(f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        out.append(f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{x:g}</text>')
    for y in y_ticks:
        _, at = place(x_ticks[0], y)
        out.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        out.append(f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{y:g}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    out.append(f'<text x="{middle}" y="{HEIGHT - 18}" text-anchor="middle">{escape(across)}</text>')
    turned = f"translate(14 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)"
    out.append(f'<text transform="{turned}" text-anchor="middle">{escape(up)}</text>')
    for i, (name, points) in enumerate(lines.items()):
        colour, dash = COLOURS[i % len(COLOURS)], DASHES[i % len(DASHES)]
        places = [place(x, y) for x, y in sorted(points)]
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        out.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        row = TOP + 14 + 16 * i
        out.append(
            f'<path d="M{LEFT + 10} {row - 4}h26" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
        )
        out.append(f'<text x="{LEFT + 42}" y="{row}">{escape(name)}</text>')
    return "\n".join([*out, "</svg>\n"])


def _share(value: float, ticks: Sequence[float], logarithmic: bool) -> float:
    if logarithmic:
        value, ticks = math.log10(value), [math.log10(tick) for tick in ticks]
    return (value - ticks[0]) / ((ticks[-1] - ticks[0]) or 1)


def _ticks(values: Sequence[float]) -> list[float]:
    """Powers of ten around positive values."""
    first, last = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return [10.0**k for k in range(first, max(last, first + 1) + 1)]


def _even_ticks(values: Sequence[float]) -> list[float]:
    """Four to ten round numbers from zero to beyond the greatest value."""
    most = max([*values, 1e-9])
    power = 10.0 ** math.floor(math.log10(most))
    step = next(s * p for p in (power / 10, power) for s in STEPS if most / (s * p) <= 8)
    return [step * k for k in range(math.ceil(most / step - 1e-9) + 1)]
