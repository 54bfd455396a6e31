"""GraphQL over HTTP, the way out: media type, status and body of an answer."""

from __future__ import annotations

from typing import Any, Final

import orjson
from starlette.responses import Response
from strawberry.types import ExecutionResult

from datastorage.web.graphql_request import Unreadable

GRAPHQL_JSON: Final = "application/graphql-response+json"
JSON: Final = "application/json"


def negotiated(accept: str) -> str:
    """The media type to answer with. Errors: Unreadable (406) when we have none that is acceptable."""
    wanted = [part.partition(";")[0].strip() for part in accept.lower().split(",") if part.strip()]
    if GRAPHQL_JSON in wanted:
        return GRAPHQL_JSON
    if not wanted or any(media in wanted for media in (JSON, "application/*", "*/*")):
        return JSON
    raise Unreadable(406, f"answers come as {GRAPHQL_JSON} or {JSON}")


def executed(result: ExecutionResult, media: str) -> Response:
    """The answer to an operation. Refused before it ran: no data, and 400 in the new media type."""
    body: dict[str, Any] = {}
    refused = result.data is None and all(error.path is None for error in result.errors or [])
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
    if not (refused and result.errors):
        body["data"] = result.data
    if result.extensions:
        body["extensions"] = result.extensions
    return _response(body, 400 if refused and result.errors and media == GRAPHQL_JSON else 200, media)


def failed(
    message: str, code: str, status: int, media: str, headers: dict[str, str] | None = None
) -> Response:
    """The answer to a request that was not executed."""
    body = {"errors": [{"message": message, "extensions": {"code": code}}]}
    return _response(body, status, media, headers)


def _response(body: Any, status: int, media: str, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers=headers, media_type=f"{media}; charset=utf-8")
