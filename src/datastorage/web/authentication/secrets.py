"""Ways by what only the caller has: API keys and tokens."""

from __future__ import annotations

from starlette.requests import Request

from datastorage.domain.caller import Caller
from datastorage.services.access.key_secrets import MARK
from datastorage.services.access.known_callers import KnownCallers
from datastorage.services.access.tokens import claims_unverified
from datastorage.web.authentication.ways import API_KEY_HEADER, bearer, checked_length
from datastorage.web.headers import header

SERVICE_ACCOUNT: str = "system:serviceaccount:"


class ByApiKey:
    """A key of ours, as bearer token or in `X-API-Key`."""

    def __init__(self, known: KnownCallers) -> None:
        self._known = known

    async def caller(self, request: Request) -> Caller | None:
        """As `Way`."""
        secret = header(request, API_KEY_HEADER)
        if secret is not None:
            return await self._known.caller(checked_length(secret))
        secret = bearer(request)
        return await self._known.caller(secret) if secret is not None and secret.startswith(MARK) else None


class ByToken:
    """A token that names the configured issuer."""

    def __init__(self, known: KnownCallers, issuer: str) -> None:
        self._known, self._issuer = known, issuer

    async def caller(self, request: Request) -> Caller | None:
        """As `Way`."""
        token = bearer(request)
        if token is None:
            return None
        remembered = self._known.remembered(token)
        if remembered is not None:
            return remembered
        issuer = claims_unverified(token).get("iss")
        is_ours = isinstance(issuer, str) and issuer.rstrip("/") == self._issuer
        return await self._known.caller(token) if is_ours else None


class ByServiceAccount:
    """A token that names a ServiceAccount."""

    def __init__(self, known: KnownCallers) -> None:
        self._known = known

    async def caller(self, request: Request) -> Caller | None:
        """As `Way`."""
        token = bearer(request)
        if token is None:
            return None
        remembered = self._known.remembered(token)
        if remembered is not None:
            return remembered
        subject = claims_unverified(token).get("sub")
        is_ours = isinstance(subject, str) and subject.startswith(SERVICE_ACCOUNT)
        return await self._known.caller(token) if is_ours else None
