"""A span around each request to the API, within the trace that its caller names. Put on only where traces are wanted."""

from __future__ import annotations

from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from datastorage.observability.spans import Spans
from datastorage.observability.trace_context import CONTEXT_HEADERS
from datastorage.web.graphql_endpoint import PATH
from datastorage.web.request_log import TRACE_ID


class RequestSpans:
    """ASGI middleware, around the log of requests, whose lines name the trace."""

    def __init__(self, app: ASGIApp, spans: Spans) -> None:
        self._app, self._spans = app, spans

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on everything but requests to the API untouched."""
        if scope["type"] != "http" or scope["path"] != PATH:
            await self._app(scope, receive, send)
            return
        headers = {
            name.decode(): value.decode("latin-1")
            for name, value in scope["headers"]
            if name in CONTEXT_HEADERS
        }
        method = scope["method"]
        attributes = {"http.request.method": method, "url.path": PATH, "http.route": PATH}
        with self._spans.request(f"{method} {PATH}", headers, attributes) as span:
            scope[TRACE_ID] = span.trace_id

            async def watched(message: Message) -> None:
                if message["type"] == "http.response.start":
                    status = message["status"]
                    span.note({"http.response.status_code": status})
                    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                        span.failed(str(status))
                await send(message)

            await self._app(scope, receive, watched)
