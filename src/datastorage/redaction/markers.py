"""The marker that stands in a secret's place, and the arithmetic of spans around markers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import re2

from datastorage.redaction.pattern import Span

_NO_SECRET: Final = 1 << 30  # the rank of a span that is a marker already
_OPENING: Final = b"[REDACTED:"


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
    """Knows the markers of its own patterns; a foreign one is text, and may wrap a secret."""

    def __init__(self, names: Iterable[str]) -> None:
        self._regexp = re2.compile(rf"\[REDACTED:(?:{'|'.join(sorted(names))})\]")

    def disclosed(self, text: bytes, found: list[Found]) -> list[Found]:
        """Overlapping spans as one, markers taken in whole, and spans of nothing but markers left out."""
        marked = [Found(*span, _NO_SECRET) for span in self._spans(text)]
        return [
            span
            for span in _merged(sorted([*found, *marked], key=lambda span: span.start))
            if span.rank != _NO_SECRET and not (marked and self._covers(text[span.start : span.end]))
        ]

    def is_marker(self, text: str) -> bool:
        """Whether a text is one marker and nothing else."""
        return self._regexp.fullmatch(text.encode("utf-8", "surrogatepass")) is not None

    def _spans(self, text: bytes) -> Iterator[Span]:
        if _OPENING in text:
            for match in self._regexp.finditer(text):
                yield match.span()

    def _covers(self, text: bytes) -> bool:
        return not self._regexp.sub(b"", text)


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
