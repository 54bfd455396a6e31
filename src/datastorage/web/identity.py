"""Who a request comes from, and what is answered to who is not let in. Called before the body is read."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from datastorage.domain.caller import Caller
from datastorage.errors import Unauthenticated, Unavailable
from datastorage.observability.labels import AuthenticationFailure
from datastorage.observability.metrics import count_authentication_failure
from datastorage.services.dependencies import Dependencies
from datastorage.web.authentication import Authentication
from datastorage.web.authentication.ways import NO_CREDENTIAL
from datastorage.web.graphql_request import Unreadable
from datastorage.web.graphql_response import JSON, failed, negotiated

ACTOR_HEADER: Final = "x-actor"
# The same whatever was wrong, and whatever the ways are.
CHALLENGE: Final = {"www-authenticate": 'Bearer realm="datastorage"'}
_ACTOR: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+=-]{0,254}")


async def authenticate(request: Request) -> Caller:
    """The caller, with the actor it declares in `X-Actor` (kept beside the authenticated one).

    Errors: Unauthenticated, Unavailable; `not_let_in` answers them.
    """
    state = request.app.state
    authentication: Authentication = state.authentication
    deps: Dependencies = state.deps
    address = None if request.client is None else request.client.host
    try:
        known = await authentication.caller(request)
    except Unauthenticated as refusal:
        missing = refusal.reason == NO_CREDENTIAL
        count_authentication_failure(
            AuthenticationFailure.MISSING if missing else AuthenticationFailure.REFUSED
        )
        deps.trail.turned_away(address, refusal.reason)
        raise
    except Unavailable:
        count_authentication_failure(AuthenticationFailure.UNAVAILABLE)
        raise
    declared = request.headers.get(ACTOR_HEADER)
    if declared is not None and not _ACTOR.fullmatch(declared):
        declared = None
    return Caller(known.principal, known.rights, known.scope, declared, address, deps.trail.denied)


async def not_let_in(request: Request, error: Unauthenticated | Unavailable) -> Response:
    """The answer to who is not known, or cannot be known now."""
    try:
        media = negotiated(request.headers.get("accept", ""))
    except Unreadable:
        media = JSON
    if isinstance(error, Unauthenticated):
        return failed(str(error), "UNAUTHENTICATED", 401, media, CHALLENGE)
    return failed(str(error), "UNAVAILABLE", 503, media, retryable=True)
