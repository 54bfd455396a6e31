"""Who a request comes from, and what is answered to who is not let in. Called before the body is read."""

from __future__ import annotations

import re
from math import ceil
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from datastorage.domain.caller import Caller
from datastorage.errors import Throttled, Unauthenticated, Unavailable
from datastorage.limits import OVERLOADED_RETRY_AFTER_S
from datastorage.observability.labels import AuthenticationFailure
from datastorage.observability.metrics import count_authentication_failure
from datastorage.services.dependencies import Dependencies
from datastorage.services.rate_limits import RateLimits
from datastorage.web.authentication import Authentication
from datastorage.web.authentication.ways import NO_CREDENTIAL
from datastorage.web.client_address import charged
from datastorage.web.graphql_request import Unreadable
from datastorage.web.graphql_response import JSON, failed, negotiated
from datastorage.web.headers import header

ACTOR_HEADER: Final = b"x-actor"
# The same whatever was wrong, and whatever the ways are.
CHALLENGE: Final = {"www-authenticate": 'Bearer realm="datastorage"'}
_ACTOR: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+=-]{0,254}")


async def authenticate(request: Request) -> Caller:
    """The caller, with the actor it declares in `X-Actor` (kept beside the authenticated one).

    Where it comes from is charged before, and who it is after. Errors: Unauthenticated, Unavailable, Throttled;
    `not_let_in` answers them.
    """
    state = request.app.state
    authentication: Authentication = state.authentication
    deps: Dependencies = state.deps
    limits: RateLimits = state.rate_limits
    address = state.addresses.of(request)
    await limits.charge_address(charged(address))
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
    await limits.charge_principal(known.principal)
    declared = header(request, ACTOR_HEADER)
    if declared is not None and not _ACTOR.fullmatch(declared):
        declared = None
    return Caller(known.principal, known.rights, known.scope, declared, address, deps.trail.denied)


async def not_let_in(request: Request, error: Unauthenticated | Unavailable) -> Response:
    """The answer to who is not known, cannot be known now, or has to wait."""
    try:
        media = negotiated(header(request, b"accept") or "")
    except Unreadable:
        media = JSON
    if isinstance(error, Unauthenticated):
        return failed(str(error), "UNAUTHENTICATED", 401, media, CHALLENGE)
    if isinstance(error, Throttled):
        wait = {"retry-after": str(ceil(error.retry_after_s))}
        return failed(str(error), "RATE_LIMITED", 429, media, wait, retryable=True)
    wait = {"retry-after": str(OVERLOADED_RETRY_AFTER_S)}
    return failed(str(error), "UNAVAILABLE", 503, media, wait, retryable=True)
