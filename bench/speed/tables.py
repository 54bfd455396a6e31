"""Results as tables: on the terminal, and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from rich.table import Table

from bench.speed.questions import BY_NAME
from bench.speed.results import Results, Summary
from bench.speed.targets import Verdict

HEAD: Final = (
    "", "req/s", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "PostgreSQL ms", "memory MB", "datastorage is"
)  # fmt: skip


def title(question: str) -> str:
    """A question with what it means."""
    known = BY_NAME.get(question)
    return question if known is None else f"{question}: {known.title}; {known.connections} connections"


def cells(summary: Summary) -> list[str]:
    """One line of a table."""
    figures = summary.figures
    if not figures:
        return [summary.peer, "failed", *[""] * 7]
    failed = f" ({len(summary.faults)} rounds failed)" if summary.faults else ""
    return [
        summary.peer,
        f"{figures['per_s']:,.0f}{failed}",
        *(f"{figures[name]:,.1f}" for name in ("p50_ms", "p95_ms", "p99_ms")),
        f"{figures['cpu_ms']:.2f}" if figures["peak_mb"] else "",
        f"{figures['database_cpu_ms']:.2f}",
        f"{figures['peak_mb']:.0f}" if figures["peak_mb"] else "",
        ratio(summary),
    ]


def ratio(summary: Summary) -> str:
    """How many times as fast the service is."""
    if summary.ratio is None or summary.peer == "datastorage":
        return ""
    return f"{summary.ratio:.1f} ×" if summary.ratio >= 1 else f"{summary.ratio:.0%}"


def on_terminal(results: Results) -> list[Table]:
    """A table for each question; one in all where the service was asked on databases of several sizes."""
    if len(results.sizes) > 1:
        return [_table("requests a second, by stored remediations", *grown(results))]
    by_question = groupby(results.summaries(), key=lambda summary: summary.question)
    return [_table(title(question), HEAD, [cells(each) for each in found]) for question, found in by_question]


def grown(results: Results) -> tuple[Sequence[str], list[list[str]]]:
    """Head and lines: requests a second by question and number of rows, and how cost grew on the last step."""
    head = ("", *(f"{rows:,}" for rows in results.sizes), "cost grew by")
    lines = []
    for question in results.questions:
        answered = [results.per_s(question, rows) for rows in results.sizes]
        growth = results.growth(question, *results.sizes[-2:])
        told = "" if growth is None else f"{growth:.2f} ×"
        lines.append([title(question), *("" if each is None else f"{each:,.0f}" for each in answered), told])
    return head, lines


def in_markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """A table; the first column is of words, the others are of numbers."""
    return [_line(head), _line(["---", *["---:"] * (len(head) - 1)]), *map(_line, lines)]


def _table(title: str, head: Sequence[str], lines: Sequence[Sequence[str]]) -> Table:
    table = Table(*head, title=title, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for line in lines:
        table.add_row(*line)
    return table


def verdicts(found: Sequence[Verdict]) -> Table:
    """What was aimed at."""
    table = Table("target", "wanted", "found", "", title="It must show", title_justify="left")
    for verdict in found:
        table.add_row(verdict.what, verdict.wanted, verdict.found, verdict.word)
    return table


def verdicts_in_markdown(found: Sequence[Verdict]) -> list[str]:
    """The same as lines."""
    lines = [_line([each.what, each.wanted, each.found, each.word]) for each in found]
    return [_line(["target", "wanted", "found", ""]), _line(["---"] * 4), *lines]


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"
