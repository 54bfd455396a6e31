"""What a connection answers by itself, where no request reaches the application."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import orjson

from datastorage.limits import REQUEST_HEAD_BYTES_MAX
from datastorage.web.security_headers import ON_DATA


def _answer(status: HTTPStatus, message: str, code: str, **details: object) -> tuple[bytes, bytes]:
    """Status line, and the rest: what stands between them differs by server."""
    body = orjson.dumps({"errors": [{"message": message, "extensions": {"code": code, **details}}]})
    headers = {
        "content-type": "application/json; charset=utf-8",
        "content-length": str(len(body)),
        "connection": "close",
        **ON_DATA,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {status.phrase}\r\n".encode(), lines.encode() + b"\r\n" + body


BROKEN: Final = _answer(HTTPStatus.BAD_REQUEST, "this is no HTTP request", "BAD_USER_INPUT")
HEAD_TOO_LARGE: Final = _answer(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    f"the head of the request is larger than {REQUEST_HEAD_BYTES_MAX} bytes; send long operations by POST",
    "BAD_USER_INPUT",
)
TOO_SLOW: Final = _answer(HTTPStatus.REQUEST_TIMEOUT, "the request took too long to arrive", "TIMEOUT")
TOO_MANY: Final = _answer(
    HTTPStatus.SERVICE_UNAVAILABLE, "too many connections are open; try again", "UNAVAILABLE", retryable=True
)
