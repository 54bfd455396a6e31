"""GraphQL over HTTP, the way in: what a request asks, or why it cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request

from datastorage.limits import REQUEST_BODY_BYTES_MAX


class Unreadable(Exception):
    """A request that is no GraphQL request."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers or {}


@dataclass(frozen=True, slots=True)
class Operation:
    """What is to be executed."""

    query: str
    variables: dict[str, Any] | None
    name: str | None
    extensions: dict[str, Any] | None


async def read_operation(request: Request) -> Operation:
    """The operation in a GET's parameters or a POST's JSON body. Errors: Unreadable."""
    if request.method == "GET":
        return _operation(
            {
                "query": request.query_params.get("query"),
                "operationName": request.query_params.get("operationName") or None,
                "variables": _parameter(request, "variables"),
                "extensions": _parameter(request, "extensions"),
            }
        )
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise Unreadable(415, "send the operation as JSON with content-type application/json")
    return _operation(_json(await _body(request), "the body"))


async def _body(request: Request) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > REQUEST_BODY_BYTES_MAX:
            raise Unreadable(
                413, f"the body is larger than {REQUEST_BODY_BYTES_MAX} bytes", {"connection": "close"}
            )
        chunks.append(chunk)
    return b"".join(chunks)


def _operation(parameters: Any) -> Operation:
    if isinstance(parameters, list):
        raise Unreadable(400, "batches are not supported; send one operation")
    if not isinstance(parameters, dict):
        raise Unreadable(400, "the body must be a JSON object with a query")
    query, name = parameters.get("query"), parameters.get("operationName")
    variables, extensions = parameters.get("variables"), parameters.get("extensions")
    if not isinstance(query, str) or not query.strip():
        raise Unreadable(400, "query must be a string with a GraphQL document")
    if name is not None and not isinstance(name, str):
        raise Unreadable(400, "operationName must be a string")
    for label, value in (("variables", variables), ("extensions", extensions)):
        if value is not None and not isinstance(value, dict):
            raise Unreadable(400, f"{label} must be an object")
    return Operation(query, variables, name, extensions)


def _parameter(request: Request, name: str) -> Any:
    value = request.query_params.get(name)
    return _json(value, name) if value else None


def _json(data: bytes | str, what: str) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Unreadable(400, f"{what} cannot be read as JSON: {error}") from None
