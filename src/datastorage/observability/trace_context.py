"""W3C trace context: which trace a request belongs to, and what those are told who are asked for its sake.

Without traces of our own the caller's context is handed on as it came, which the standard allows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from datastorage.observability.log_context import told

CONTEXT_HEADERS: Final = (b"traceparent", b"tracestate")
HEADER_CHARS_MAX: Final = 512  # what the standard asks to be handed on at least
_TRACE_PARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[\x21-\x7e]*)?"
)
_CARRIED: ContextVar[Mapping[str, str]] = ContextVar("carried", default={})  # noqa: B039 -- never changed


def trace_id_of(header: str) -> str | None:
    """The trace that a `traceparent` names; None for what is none."""
    found = _TRACE_PARENT.fullmatch(header) if len(header) <= HEADER_CHARS_MAX else None
    return None if found is None else found[1]


@contextmanager
def carrying(headers: Mapping[str, str]) -> Iterator[None]:
    """Has these headers handed on inside the block."""
    before = _CARRIED.set(headers)
    try:
        yield
    finally:
        _CARRIED.reset(before)


def outgoing_headers() -> dict[str, str]:
    """For a request that is made for the sake of the one being served."""
    headers = dict(_CARRIED.get())
    request_id = told().get("request_id")
    if request_id is not None:
        headers["x-request-id"] = request_id
    return headers
