"""The last guard: a fault that nobody expected is answered with an id, and logged under the same id."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from datastorage.web.graphql_response import JSON, failed

log = structlog.get_logger(__name__)


class InternalFaults:
    """ASGI middleware, just inside the request log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An answer that has begun can only be broken off."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except asyncio.CancelledError:  # the server cancels what outlasts the shutdown, and nothing else
            if has_begun:
                raise
            log.warning("request_broken_off")
            message = "the service is shutting down; try again"
            answer = failed(message, "UNAVAILABLE", 503, JSON, retryable=True)
            await answer(scope, receive, send)
        except Exception:
            error_id = uuid4().hex
            log.exception("internal_error", error_id=error_id)
            if has_begun:
                raise
            answer = failed(f"internal error {error_id}", "INTERNAL", 500, JSON, errorId=error_id)
            await answer(scope, receive, send)
