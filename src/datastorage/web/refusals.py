"""What is answered to a request that is not executed, whatever stands in its way."""

from __future__ import annotations

from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from datastorage.errors import Forbidden, Unauthenticated, Unavailable
from datastorage.web.documents import DocumentMissing
from datastorage.web.graphql_request import Unreadable
from datastorage.web.graphql_response import failed, refused
from datastorage.web.identity import not_let_in

REFUSALS: Final = (
    Unauthenticated,
    Unavailable,
    Unreadable,
    DocumentMissing,
    Forbidden,
    ClientDisconnect,
)


async def refusal(request: Request, error: Exception, media: str) -> Response:
    """The answer to one of these."""
    match error:
        case Unreadable():
            return failed(str(error), "BAD_USER_INPUT", error.status, media, error.headers)
        case DocumentMissing():
            return refused(str(error), media, error.code)
        case Forbidden():
            return refused(str(error), media, "FORBIDDEN")
        case ClientDisconnect():  # nobody reads this answer, but it is logged as what it is
            return failed("the request broke off", "BAD_USER_INPUT", 400, media)
        case Unauthenticated() | Unavailable():
            return await not_let_in(request, error)
    raise error
