"""Two drawings, as SVG: bars of requests a second, and lines of how cost grows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Final

from bench.speed.names import FLOOR, PEERS, PGBENCH, POSTGRAPHILE, SERVICE, STRAWBERRY
from bench.speed.results import Summary

WIDTH: Final = 760
INK, FAINT, PAPER = "#24292f", "#d0d7de", "#ffffff"
COLOURS: Final[Mapping[str, str]] = {
    SERVICE: "#0969da",
    POSTGRAPHILE: "#8250df",
    STRAWBERRY: "#cf222e",
    FLOOR: "#6e7781",
    PGBENCH: "#afb8c1",
}
LINES: Final = ("#0969da", "#1a7f37", "#8250df", "#bf8700", "#cf222e", "#0550ae", "#57606a")
BAR, GAP, LEFT, RIGHT = 18, 26, 150, 110


def bars(summaries: Sequence[Summary]) -> str:
    """Requests a second, a group for each question, each group to its own scale."""
    parts, top = [], 16.0
    for question in dict.fromkeys(each.question for each in summaries):
        group = [each for each in summaries if each.question == question and each.figures]
        group.sort(key=lambda summary: PEERS.index(summary.peer))
        parts.append(_text(LEFT, top + 12, question, weight="bold"))
        top += 22
        most = max((each.figures["per_s"] for each in group), default=1.0)
        for summary in group:
            parts += _bar(summary, top, most)
            top += BAR + 4
        top += GAP - 8
    return _svg(top, parts)


def _bar(summary: Summary, top: float, most: float) -> Iterator[str]:
    per_s = summary.figures["per_s"]
    width = max(2.0, per_s / most * (WIDTH - LEFT - RIGHT))
    yield _text(LEFT - 8, top + 13, summary.peer, anchor="end")
    yield (
        f'<rect x="{LEFT}" y="{top:.0f}" width="{width:.1f}" height="{BAR}" rx="2" '
        f'fill="{COLOURS[summary.peer]}"/>'
    )
    yield _text(LEFT + width + 6, top + 13, f"{per_s:,.0f}/s")


def lines(found: Mapping[str, Mapping[int, float]]) -> str:
    """Milliseconds a request by number of rows, a line for each question, both on logarithmic scales."""
    height, left, right, top, bottom = 390.0, 70.0, 130.0, 36.0, 46.0
    rows = sorted({rows for points in found.values() for rows in points})
    values = [value for points in found.values() for value in points.values()]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))

    def x(count: int) -> float:
        first, last = math.log10(rows[0]), math.log10(rows[-1])
        return left + (math.log10(count) - first) / ((last - first) or 1) * (WIDTH - left - right)

    def y(value: float) -> float:
        return top + (high - math.log10(value)) / ((high - low) or 1) * (height - top - bottom)

    parts = [_text(8, 14, "ms a request, at full load")]
    for power in range(low, high + 1):
        level = y(10.0**power)
        parts.append(f'<path d="M{left} {level:.1f}H{WIDTH - right}" stroke="{FAINT}"/>')
        parts.append(_text(left - 8, level + 4, f"{10.0**power:g}", anchor="end"))
    parts += [_text(x(count), height - bottom + 22, f"{count:,}", anchor="middle") for count in rows]
    parts.append(_text(x(rows[len(rows) // 2]), height - 6, "stored remediations", anchor="middle"))
    taken: list[float] = []
    for (question, points), colour in zip(found.items(), LINES, strict=False):
        path = " ".join(f"{x(count):.1f},{y(value):.1f}" for count, value in sorted(points.items()))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{x(count):.1f}" cy="{y(value):.1f}" r="3.5" fill="{colour}"/>'
            for count, value in points.items()
        ]
        parts.append(
            _text(WIDTH - right + 10, _free(y(points[max(points)]) + 4, taken), question, colour=colour)
        )
    return _svg(height, parts)


def _free(wanted: float, taken: list[float]) -> float:
    """A height near the one wanted at which no other word stands."""
    steps = (step * sign for step in range(0, 400, 2) for sign in (1, -1))
    place = next(wanted + step for step in steps if all(abs(wanted + step - other) >= 14 for other in taken))  # noqa: PLR2004
    taken.append(place)
    return place


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal", colour: str = INK
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" fill="{colour}">'
        f"{escape(text)}</text>"
    )


def _svg(height: float, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" '
        f'viewBox="0 0 {WIDTH} {height:.0f}" font-family="system-ui, sans-serif" font-size="12">'
    )
    return "\n".join([head, f'<rect width="100%" height="100%" fill="{PAPER}"/>', *parts, "</svg>", ""])
