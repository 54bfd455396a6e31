"""Reads HTTP: the data of an answer, or the exception that fits what came instead."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

import httpx

from datastorage.client.errors import (
    DataStorageError,
    Forbidden,
    RequestTooLarge,
    Unavailable,
    UnexpectedAnswer,
)
from datastorage.client.refusals import failed

_LATER: Final = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
# What did not even leave cannot have been done.
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_BROKEN_OFF: Final = (*_NEVER_SENT, httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError)
_EXCERPT_CHARS_MAX: Final = 200
_TOO_LARGE: Final = "the request body is too large"


def data_of(response: httpx.Response, *, writes: bool) -> dict[str, Any]:
    """The data of a GraphQL answer. Errors: any DataStorageError."""
    answer = _json(response)
    errors, data = _errors(answer), answer.get("data")
    if response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        raise RequestTooLarge(errors[0].get("message", _TOO_LARGE) if errors else _TOO_LARGE)
    if errors:
        raise failed(errors, data, _retry_after_s(response))
    if isinstance(data, dict):
        return data
    raise _no_graphql(response, writes=writes)


def unreached(failure: httpx.HTTPError, url: str, *, writes: bool) -> DataStorageError:
    """The exception for a request that got no answer."""
    message = f"no answer from {url}: {str(failure) or type(failure).__name__}"
    if isinstance(failure, _BROKEN_OFF):
        return Unavailable(message, outcome_unknown=writes and not isinstance(failure, _NEVER_SENT))
    return UnexpectedAnswer(message)


def _no_graphql(response: httpx.Response, *, writes: bool) -> DataStorageError:
    status = response.status_code
    message = f"{response.url} answered {status}: {response.text[:_EXCERPT_CHARS_MAX].strip()}"
    if status in _LATER:
        # A gateway that gave up waiting does not know what the service went on to do.
        unknown = writes and status in {HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}
        code = "RATE_LIMITED" if status == HTTPStatus.TOO_MANY_REQUESTS else "UNAVAILABLE"
        wait_s = _retry_after_s(response)
        return Unavailable(message, code=code, outcome_unknown=unknown, retry_after_s=wait_s)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return Forbidden(
            message, code="UNAUTHENTICATED" if status == HTTPStatus.UNAUTHORIZED else "FORBIDDEN"
        )
    return UnexpectedAnswer(message, status=status)


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _errors(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The errors of a GraphQL answer; a proxy may call something else so."""
    given = answer.get("errors")
    return given if isinstance(given, list) and all(isinstance(error, dict) for error in given) else []


def _retry_after_s(response: httpx.Response) -> float | None:
    """Seconds to wait, from a header that has seconds or a date; None where it says nothing of use."""
    given = response.headers.get("retry-after", "").strip()
    try:
        wait_s = float(given)
    except ValueError:
        try:
            wait_s = (parsedate_to_datetime(given) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return max(wait_s, 0.0) if math.isfinite(wait_s) else None
