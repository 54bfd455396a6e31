"""One log line per request, and a request id that goes in, out and through every line in between."""

from __future__ import annotations

import re
from time import perf_counter
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from datastorage.observability.metrics import REQUESTS_IN_FLIGHT

GIVEN_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
QUIET_PATHS = ("/health", "/ready")  # asked every few seconds; they would drown the rest

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
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if GIVEN_ID.fullmatch(given) else uuid4().hex
        status = 500
        started = perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        with (
            structlog.contextvars.bound_contextvars(request_id=request_id, operation=scope["path"]),
            REQUESTS_IN_FLIGHT.track_inprogress(),
        ):
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                level = log.debug if scope["path"] in QUIET_PATHS else log.info
                level(
                    "request",
                    method=scope["method"],
                    path=scope["path"],
                    status=status,
                    milliseconds=round((perf_counter() - started) * 1000, 2),
                )
