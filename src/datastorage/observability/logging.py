"""Structured logs: JSON lines, or a readable console on a terminal. Configured once per process."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from datastorage.observability.log_context import telling
from datastorage.observability.request_lines import REQUEST_LINES

# Libraries that would repeat what our own request line says, or say it with connection details.
QUIET_LOGGERS = ("uvicorn.access", "uvicorn.error", "sqlalchemy.engine", "alembic", "asyncio", "httpx")
LEADING_KEYS = ("timestamp", "level", "event", "request_id", "operation")


def configure_logging(*, level: str, json: bool | None = None, redact: Callable[[str], str] = str) -> None:
    """Sends structlog and the standard library through one pipeline to stderr.

    `json`: JSON lines or console; None means console on a terminal only. `redact` is applied to everything
    that is text or becomes text, so that no secret reaches a log.
    """
    json = not sys.stderr.isatty() if json is None else json
    shared: list[Processor] = [
        telling,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,  # as text, so that it is redacted like any other
        _redacting(redact),
        _leading_keys_first if json else _known_keys_first,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    _route_standard_library(level, shared, _renderer(json=json))
    if json and logging.getLogger().isEnabledFor(logging.INFO):
        REQUEST_LINES.open(sys.stderr, redact)
    else:
        REQUEST_LINES.close()


def _renderer(*, json: bool) -> Processor:
    if json:
        return structlog.processors.JSONRenderer(sort_keys=False)
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
    )


def _route_standard_library(level: str, shared: Sequence[Processor], renderer: Processor) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _leading_keys_first(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """All of them in every line, so that whoever reads them need not ask; outside of requests some are null."""
    return {**dict.fromkeys(LEADING_KEYS), **event}


def _known_keys_first(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {**{key: event[key] for key in LEADING_KEYS if key in event}, **event}


def _redacting(redact: Callable[[str], str]) -> Processor:
    def process(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        # What begins with an underscore belongs to structlog, and is taken out before a line is written.
        return {
            key: value if key.startswith("_") else _redacted(value, redact) for key, value in event.items()
        }

    return process


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {_redacted(key, redact): _redacted(item, redact) for key, item in value.items()}
    if type(value) in (list, tuple):  # not a named one: a database URL is such a tuple, password and all
        return [_redacted(item, redact) for item in value]
    return redact(repr(value))
