"""One log line per request, and a request id that goes in, out and through every line in between."""

from __future__ import annotations

import re
from os import urandom
from time import perf_counter
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from datastorage.observability.metrics import request_began, request_ended
from datastorage.observability.request_lines import REQUEST_LINES

GIVEN_ID: Final = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
QUIET_PATHS: Final = ("/health", "/ready")  # asked every few seconds; they would drown the rest
OPERATION: Final = "datastorage.operation"
"""Where in the scope the name of the operation is put, once it is known."""

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
        given = _given_id(scope)
        request_id = urandom(16).hex() if given is None else given.decode()
        status = 500
        started = perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id, operation=scope["path"]):
            request_began()
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                request_ended()
                milliseconds = round((perf_counter() - started) * 1000, 2)
                _log(scope, request_id, status, milliseconds, is_ours=given is None)


def _given_id(scope: Scope) -> bytes | None:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return value if GIVEN_ID.fullmatch(value) else None
    return None


def _log(scope: Scope, request_id: str, status: int, milliseconds: float, *, is_ours: bool) -> None:
    method, path = scope["method"], scope["path"]
    is_quiet = path in QUIET_PATHS
    if not is_quiet and REQUEST_LINES.write(
        request_id, scope.get(OPERATION, path), method, path, status, milliseconds, is_ours=is_ours
    ):
        return
    level = log.debug if is_quiet else log.info
    level("request", method=method, path=path, status=status, milliseconds=milliseconds)
