"""Results as tables: on the terminal, and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from bench.speed.questions import BY_NAME
from bench.speed.results import Summary
from bench.speed.targets import Verdict
from rich.table import Table

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


def on_terminal(summaries: Sequence[Summary]) -> list[Table]:
    """A table for each question."""
    tables = []
    for question, lines in groupby(summaries, key=lambda summary: summary.question):
        table = Table(*HEAD, title=title(question), title_justify="left")
        for column in table.columns[1:]:
            column.justify = "right"
        for summary in lines:
            table.add_row(*cells(summary))
        tables.append(table)
    return tables


def in_markdown(summaries: Sequence[Summary]) -> list[str]:
    """The lines of one."""
    return [
        _line(HEAD),
        _line(["---", *["---:"] * (len(HEAD) - 1)]),
        *(_line(cells(each)) for each in summaries),
    ]


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
