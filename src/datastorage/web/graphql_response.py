"""GraphQL over HTTP, the way out: media type, status and body of an answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, Final

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from datastorage.graphql.compiled.execution import Result
from datastorage.web.accept import quality, weights
from datastorage.web.graphql_request import Unreadable
from datastorage.web.security_headers import ON_DATA

GRAPHQL_JSON: Final = "application/graphql-response+json"
JSON: Final = "application/json"
_SECURITY: Final = [(name.encode(), value.encode()) for name, value in ON_DATA.items()]
CODES: Final = "datastorage.codes"
"""Where in the scope the codes of all errors in an answer are put, for the log."""


@lru_cache(256)
def negotiated(accept: str) -> str:
    """The media type to answer with. Errors: Unreadable (406) when we have none that is acceptable."""
    wanted = weights(accept) or {JSON: 1.0}
    by_old, by_new = quality(JSON, wanted), quality(GRAPHQL_JSON, wanted)
    if not by_old and not by_new:
        raise Unreadable(406, f"answers come as {GRAPHQL_JSON} or {JSON}")
    # `*/*` takes either; a client that has not heard of the new type is better served with the old one.
    return GRAPHQL_JSON if by_new > by_old or (by_new == by_old and GRAPHQL_JSON in wanted) else JSON


def executed(result: Result, media: str, refusals: Collection[str]) -> Response:
    """The answer to an operation. Refused before it ran: no data, and 400 in the new media type.

    `refusals`: codes of errors that are part of its data.
    """
    body: dict[str, Any] = {}
    errors = result.errors or []
    never_ran = bool(errors) and result.data is None and all(error.path is None for error in errors)
    if errors:
        body["errors"] = [error.formatted for error in errors]
    if not never_ran:
        body["data"] = result.data
    if result.extensions:
        body["extensions"] = result.extensions
    status = _refusal_status(media) if never_ran else 200
    return JsonResponse(body, status, media, codes=codes_of(result, refusals))


def codes_of(result: Result, refusals: Collection[str]) -> list[str]:
    """The codes of all errors of an answer, each once."""
    return sorted({*refusals, *(str((error.extensions or {}).get("code")) for error in result.errors or ())})


def refused(message: str, media: str, code: str = "BAD_USER_INPUT") -> Response:
    """The answer to a request that can be read, for an operation that cannot be chosen or run."""
    return failed(message, code, _refusal_status(media), media)


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
    return JsonResponse(body, status, media, headers, codes=[code])


class JsonResponse(Response):
    """An answer that is ready to be sent. Times in it are written as the scalar DateTime writes them."""

    def __init__(
        self,
        body: Any,
        status: int,
        media: str,
        headers: Mapping[str, str] | None = None,
        *,
        codes: Collection[str] = (),
    ) -> None:
        self.status_code, self.background, self._codes = status, None, codes
        self.body = orjson.dumps(body, option=orjson.OPT_UTC_Z)
        # /graphql answers one GET with GraphiQL, JSON of either type or an error, as the client accepts.
        self.raw_headers = [
            (b"content-type", f"{media}; charset=utf-8".encode()),
            (b"content-length", b"%d" % len(self.body)),
            (b"vary", b"accept"),
            *_SECURITY,
        ]
        for name, value in (headers or {}).items():
            self.raw_headers.append((name.lower().encode("latin-1"), value.encode("latin-1")))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it, and leaves word of its errors."""
        if self._codes:
            scope[CODES] = self._codes
        await super().__call__(scope, receive, send)


def _refusal_status(media: str) -> int:
    """A client of the old media type takes any other status than 200 for an answer that is not GraphQL's."""
    return 400 if media == GRAPHQL_JSON else 200
