"""How many records of each kind: as a sentence, and as a bar that fills."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from datastorage.domain.enums import SubjectKind

_ONE_AND_MANY: Final = {
    SubjectKind.REMEDIATION: ("remediation", "remediations"),
    SubjectKind.ANALYSIS: ("analysis", "analyses"),
    SubjectKind.WORKFLOW: ("workflow", "workflows"),
    SubjectKind.EXECUTION: ("execution", "executions"),
}


def in_words(counts: Mapping[SubjectKind, int]) -> str:
    """`1 remediation, 2 analyses`: the kinds there are, none of them left out for being 0."""
    return ", ".join(
        f"{counts[kind]:,} {one if counts[kind] == 1 else many}"
        for kind, (one, many) in _ONE_AND_MANY.items()
        if kind in counts
    )


def added(total: Mapping[SubjectKind, int], more: Mapping[SubjectKind, int]) -> dict[SubjectKind, int]:
    """Both together."""
    return {kind: total.get(kind, 0) + more.get(kind, 0) for kind in {**total, **more}}


def counting(console: Console, *, hidden: bool = False) -> Progress:
    """A bar with how many of how many."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        disable=hidden,
    )
