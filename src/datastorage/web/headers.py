"""Reading one header of a request. Starlette's way makes an object of all of them first."""

from __future__ import annotations

from starlette.requests import Request


def header(request: Request, name: bytes) -> str | None:
    """The first header of that name (lower case)."""
    for each, value in request.scope["headers"]:
        if each == name:
            return value.decode("latin-1")  # type: ignore[no-any-return]
    return None
