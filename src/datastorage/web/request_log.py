"""One log line per request, and a request id that goes in, out and through every line in between.

So does the trace that a caller names in `traceparent`, where it does.
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from os import urandom
from time import perf_counter
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from datastorage.observability.log_context import begin, end
from datastorage.observability.metrics import request_began, request_ended
from datastorage.observability.request_lines import REQUEST_LINES
from datastorage.observability.trace_context import CONTEXT_HEADERS, carrying, trace_id_of
from datastorage.web.graphql_response import CODES

GIVEN_ID: Final = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
QUIET_PATHS: Final = ("/health", "/ready")  # asked every few seconds; they would drown the rest
OPERATION: Final = "datastorage.operation"
"""Where in the scope the name of the operation is put, once it is known."""
TRACE_ID: Final = "datastorage.trace_id"
"""Where in the scope the trace stands, if this service makes spans of its own."""

_NOTHING: Final[AbstractContextManager[None]] = nullcontext()

log = structlog.get_logger(__name__)


class RequestLog:
    """ASGI middleware, outermost."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes other protocols on untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given, context = _given(scope)
        trace = scope.get(TRACE_ID)
        handed_on = _NOTHING
        if trace is None and context:
            trace = trace_id_of(context.get("traceparent", ""))
            handed_on = _NOTHING if trace is None else carrying(context)
        request_id = urandom(16).hex() if given is None else given.decode()
        told = {"request_id": request_id, "operation": scope["path"]}
        if trace is not None:
            told["trace_id"] = trace
        status = 500
        started = perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        before = begin(told)
        request_began()
        try:
            with handed_on:
                await self._app(scope, receive, send_with_id)
        finally:
            request_ended()
            milliseconds = round((perf_counter() - started) * 1000, 2)
            _log(scope, request_id, trace, status, milliseconds, is_ours=given is None)
            end(before)


def _given(scope: Scope) -> tuple[bytes | None, dict[str, str] | None]:
    """The id that the caller gives the request, and the headers of the trace that it belongs to."""
    given, context = None, None
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = value if GIVEN_ID.fullmatch(value) else None
        elif name in CONTEXT_HEADERS:
            context = {**(context or {}), name.decode(): value.decode("latin-1")}
    return given, context


def _log(
    scope: Scope, request_id: str, trace: str | None, status: int, milliseconds: float, *, is_ours: bool
) -> None:
    method, path, codes = scope["method"], scope["path"], scope.get(CODES)
    is_quiet = path in QUIET_PATHS
    if not is_quiet and REQUEST_LINES.write(
        request_id,
        scope.get(OPERATION, path),
        method,
        path,
        status,
        milliseconds,
        is_ours=is_ours,
        trace_id=trace,
        errors=codes,
    ):
        return
    told = {} if codes is None else {"errors": codes}
    level = log.debug if is_quiet else log.info
    level("request", method=method, path=path, status=status, milliseconds=milliseconds, **told)
