"""GraphQL over HTTP, the way out: media type, status and body of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from starlette.responses import Response
from strawberry.types import ExecutionResult

from datastorage.web.accept import quality, weights
from datastorage.web.graphql_request import Unreadable

GRAPHQL_JSON: Final = "application/graphql-response+json"
JSON: Final = "application/json"


def negotiated(accept: str) -> str:
    """The media type to answer with. Errors: Unreadable (406) when we have none that is acceptable."""
    wanted = weights(accept) or {JSON: 1.0}
    by_old, by_new = quality(JSON, wanted), quality(GRAPHQL_JSON, wanted)
    if not by_old and not by_new:
        raise Unreadable(406, f"answers come as {GRAPHQL_JSON} or {JSON}")
    # `*/*` takes either; a client that has not heard of the new type is better served with the old one.
    return GRAPHQL_JSON if by_new > by_old or (by_new == by_old and GRAPHQL_JSON in wanted) else JSON


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
    message: str,
    code: str,
    status: int,
    media: str,
    headers: Mapping[str, str] | None = None,
    **details: object,
) -> Response:
    """The answer to a request that was not executed."""
    body = {"errors": [{"message": message, "extensions": {"code": code, **details}}]}
    return _response(body, status, media, headers)


def _response(body: Any, status: int, media: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers=headers, media_type=f"{media}; charset=utf-8")
