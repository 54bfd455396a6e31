"""What was found, as the receipt of a write reports it: names and counts, never the secret."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """How many secrets of one pattern were replaced."""

    pattern: str
    count: int


def findings(counts: Counter[str]) -> tuple[Finding, ...]:
    """In order of the name, so that equal texts give equal receipts."""
    return tuple(Finding(name, count) for name, count in sorted(counts.items()))
