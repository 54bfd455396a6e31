"""What the parts of the service know of tracing; who puts it there is `observability.tracing`.

Where no traces are wanted, none of the wrappers that use it are put on, so that nothing is paid.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias

Attributes: TypeAlias = Mapping[str, str | int | float | bool]


class Span(Protocol):
    """One piece of work of a trace."""

    @property
    def trace_id(self) -> str:
        """The trace it belongs to; empty for work that is not traced."""

    def note(self, attributes: Attributes) -> None:
        """Adds what is known only later."""

    def failed(self, reason: str) -> None:
        """Marks it as failed; the reason must hold no secret."""

    def end(self) -> None:
        """Ends it, where no block does."""


class Spans(Protocol):
    """Makes spans. Work that belongs to no traced request, such as the workers' own, has none."""

    def request(
        self, name: str, headers: Mapping[str, str], attributes: Attributes
    ) -> AbstractContextManager[Span]:
        """Around a request, within the trace that its headers name, or a new one."""

    def within(
        self, name: str, attributes: Attributes, *, is_call: bool = False
    ) -> AbstractContextManager[Span]:
        """Around a part of the work; `is_call`: something outside of the process is asked."""

    def begun(self, name: str, attributes: Attributes) -> Span:
        """A call of something outside, for where its end is seen elsewhere."""

    def close(self) -> None:
        """Sends what is there."""
