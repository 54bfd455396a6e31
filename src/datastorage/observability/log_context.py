"""What all lines of one request's log say of the request.

One context variable holds all of it. structlog's own way takes a variable for each key, and time with every request.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar, Token
from typing import Final

from structlog.typing import EventDict, WrappedLogger

Told = dict[str, str]

_TOLD: Final[ContextVar[Told | None]] = ContextVar("told", default=None)


def begin(told: Told) -> Token[Told | None]:
    """From here on lines say this; `end` takes it back."""
    return _TOLD.set(told)


def end(token: Token[Told | None]) -> None:
    """Lines say again what they said before."""
    _TOLD.reset(token)


def tell(key: str, value: str) -> None:
    """Lines of this request, or of this task, say this too."""
    told = _TOLD.get()
    if told is None:
        _TOLD.set({key: value})
    else:
        told[key] = value


def told() -> Mapping[str, str]:
    """What lines say now."""
    return _TOLD.get() or {}


def telling(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A processor that puts it into a line, unless the line itself says otherwise."""
    return {**told(), **event}
