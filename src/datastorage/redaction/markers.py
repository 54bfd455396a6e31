"""The marker that stands in a secret's place, and the arithmetic of spans around markers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import re2

_NO_SECRET: Final = 1 << 30  # the rank of a span that is a marker already
_OPENING: Final = b"[REDACTED:"
_ANY: Final = re2.compile(r"\[REDACTED:[a-z][a-z0-9_-]*\]")


def marker(name: str) -> str:
    """What replaces a secret of this pattern."""
    return f"[REDACTED:{name}]"


@dataclass(frozen=True, slots=True)
class Found:
    """Bytes to hide, and the rank of the pattern that gives the name."""

    start: int
    end: int
    rank: int


class Markers:
    """Knows markers in a text: any is taken in whole, but only those of today's patterns need no hiding again."""

    def __init__(self, names: Iterable[str]) -> None:
        self._own = re2.compile(rf"\[REDACTED:(?:{'|'.join(sorted(names))})\]")

    def disclosed(self, text: bytes, found: list[Found]) -> list[Found]:
        """Overlapping spans as one, markers taken in whole, and spans of nothing but own markers left out."""
        marked = list(_markers(text)) if _OPENING in text else []
        return [
            span
            for span in _merged(sorted([*found, *marked], key=lambda span: span.start))
            if span.rank != _NO_SECRET and not (marked and self._covers(text[span.start : span.end]))
        ]

    def is_marker(self, text: str) -> bool:
        """Whether a text is one marker and nothing else."""
        return self._own.fullmatch(text.encode("utf-8", "surrogatepass")) is not None

    def _covers(self, text: bytes) -> bool:
        return not self._own.sub(b"", text)


def _markers(text: bytes) -> Iterator[Found]:
    for match in _ANY.finditer(text):
        start, end = match.span()
        yield Found(start, end, _NO_SECRET)


def _merged(found: Iterable[Found]) -> Iterator[Found]:
    current: Found | None = None
    for span in found:
        if current is not None and span.start < current.end:
            current = Found(current.start, max(current.end, span.end), min(current.rank, span.rank))
            continue
        if current is not None:
            yield current
        current = span
    if current is not None:
        yield current
