"""GraphQL over HTTP, the way in: what a request asks, or why it cannot be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import _lru_cache_wrapper, lru_cache
from typing import Any, Final, TypeVar

import orjson
from graphql import GraphQLError, OperationDefinitionNode, parse
from starlette.requests import ClientDisconnect, Request

from datastorage.limits import QUERY_CHARS_MAX
from datastorage.web.headers import header

_OPERATION: Final = re.compile(r"\b(query|mutation|subscription)\b(?:\s+([A-Za-z_]\w{0,99}))?", re.ASCII)

_SHA256: Final = re.compile("[0-9a-f]{64}", re.ASCII)
_ASKING: Final = ("query", "documentId", "extensions")

T = TypeVar("T")

KEPT_MAX: Final = 256  # documents, and values of headers, of which the same is not found out again
KEPT_CHARS_MAX: Final = 10_000
# A page of another origin can send a form or text without being asked, but neither of these.
_MEDIA: Final = {"application/json", "application/graphql+json"}
COST_HEADER: Final = b"x-show-cost"
_CHARSETS: Final = {"utf-8", "utf8", "us-ascii"}  # ASCII is part of UTF-8


class Unreadable(Exception):
    """A request that is no GraphQL request."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers or {}


@dataclass(frozen=True, slots=True)
class Operation:
    """What is to be executed."""

    query: str  # empty: the document is named by one of the last two
    variables: dict[str, Any] | None
    name: str | None
    extensions: dict[str, Any] | None
    document_id: str | None = None
    sha256: str | None = None

    @property
    def label(self) -> str:
        """What logs call it: `mutation StoreRemediation`, or `query` where it has no name."""
        return label_of(self.query, self.name)

    @property
    def is_ambiguous(self) -> bool:
        """Whether the document has several operations and none of them is named."""
        return _told(_is_ambiguous, self.query, self.name)


def label_of(query: str, name: str | None) -> str:
    """Kind and name of the operation."""
    return _told(_label, query, name)


def _told(about: _lru_cache_wrapper[T], query: str, name: str | None) -> T:
    """The same for the same document; long ones are not kept."""
    return (about if len(query) <= KEPT_CHARS_MAX else about.__wrapped__)(query, name)


@lru_cache(KEPT_MAX)
def _label(query: str, name: str | None) -> str:
    operations = [] if query.lstrip().startswith("{") else _OPERATION.findall(query)
    named = [(kind, operation) for kind, operation in operations if name in (None, operation)]
    return " ".join(filter(None, named[0])) if named else "query"


@lru_cache(KEPT_MAX)
def _is_ambiguous(query: str, name: str | None) -> bool:
    if name is not None or len(_OPERATION.findall(query)) < 2:  # noqa: PLR2004 -- several
        return False
    try:
        definitions = parse(query).definitions
    except (GraphQLError, RecursionError):
        return False  # execution tells what is wrong with it
    return sum(isinstance(definition, OperationDefinitionNode) for definition in definitions) > 1


def asks_something(request: Request) -> bool:
    """Whether a request without a body asks for an operation."""
    return any(name in request.query_params for name in _ASKING)


def wants_cost(request: Request) -> bool:
    """Whether the answer shall say what the operation costs."""
    return header(request, COST_HEADER) not in (None, "0", "false")


async def read_operation(request: Request, body_bytes_max: int) -> Operation:
    """The operation in a POST's JSON body or any other request's parameters. Errors: Unreadable."""
    if request.method != "POST":
        return _operation(
            {
                "query": request.query_params.get("query"),
                "documentId": request.query_params.get("documentId"),
                "operationName": request.query_params.get("operationName") or None,
                "variables": _parameter(request, "variables"),
                "extensions": _parameter(request, "extensions"),
            }
        )
    _check_content_type(header(request, b"content-type") or "")
    return _operation(_json(await _body(request, body_bytes_max), "the body"))


@lru_cache(KEPT_MAX)
def _check_content_type(content_type: str) -> None:
    media, *parameters = (part.strip() for part in content_type.lower().split(";"))
    if media not in _MEDIA:
        raise Unreadable(415, "send the operation as JSON with content-type application/json")
    for name, _, value in (parameter.partition("=") for parameter in parameters):
        if name == "charset" and value.strip('"') not in _CHARSETS:
            raise Unreadable(415, "send the operation as JSON in UTF-8")


async def _body(request: Request, bytes_max: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk, more = message.get("body", b""), message.get("more_body", False)
        size += len(chunk)
        if size > bytes_max:
            raise Unreadable(413, f"the body is larger than {bytes_max} bytes", {"connection": "close"})
        chunks.append(chunk)
    return b"".join(chunks)


def _operation(parameters: Any) -> Operation:
    if isinstance(parameters, list):
        raise Unreadable(400, "batches are not supported; send one operation")
    if not isinstance(parameters, dict):
        raise Unreadable(400, "the body must be a JSON object with a query")
    query, name = parameters.get("query"), parameters.get("operationName")
    variables, extensions = parameters.get("variables"), parameters.get("extensions")
    if name is not None and not isinstance(name, str):
        raise Unreadable(400, "operationName must be a string")
    for label, value in (("variables", variables), ("extensions", extensions)):
        if value is not None and not isinstance(value, dict):
            raise Unreadable(400, f"{label} must be an object")
    document_id, sha256 = parameters.get("documentId"), _sha256(extensions)
    if query is None and (document_id is not None or sha256 is not None):
        query = ""
    elif not isinstance(query, str) or not query.strip():
        raise Unreadable(400, "query must be a string with a GraphQL document")
    if len(query) > QUERY_CHARS_MAX:
        raise Unreadable(413, f"query has more than {QUERY_CHARS_MAX} characters; send values as variables")
    if document_id is not None and (query or not isinstance(document_id, str)):
        raise Unreadable(400, "documentId must be a string, without a query beside it")
    return Operation(query, variables, name, extensions, document_id, sha256)


def _sha256(extensions: dict[str, Any] | None) -> str | None:
    """The hash of the document, as Apollo's clients send it."""
    persisted = extensions.get("persistedQuery") if extensions else None
    if persisted is None:
        return None
    digest = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest) or persisted.get("version") != 1:
        raise Unreadable(400, "persistedQuery must have version 1 and a sha256Hash")
    return digest


def _parameter(request: Request, name: str) -> Any:
    value = request.query_params.get(name)
    return _json(value, name) if value else None


def _json(data: bytes | str, what: str) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Unreadable(400, f"{what} cannot be read as JSON: {error}") from None
