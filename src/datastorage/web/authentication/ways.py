"""The ways of authentication, tried in order. Called through `web.identity` before a request's body is read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, Protocol

from starlette.requests import Request

from datastorage.domain.caller import Caller
from datastorage.errors import Unauthenticated
from datastorage.limits import API_KEY_USE_NOTED_EVERY_S, CREDENTIAL_CHARS_MAX
from datastorage.services.background import running
from datastorage.web.headers import header

API_KEY_HEADER: Final = b"x-api-key"
NO_CREDENTIAL: Final = "no credential"
_BEARER: Final = "bearer "


class Way(Protocol):
    """One way."""

    async def caller(self, request: Request) -> Caller | None:
        """The caller; None if the request shows nothing of this kind. Errors: Unauthenticated, Unavailable."""


class Authentication:
    """All ways of one process."""

    def __init__(
        self,
        ways: Sequence[Way],
        close: Callable[[], Awaitable[None]],
        note_use: Callable[[], Awaitable[None]],
    ) -> None:
        self._ways, self._close, self._note_use = ways, close, note_use

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Notes now and then which keys are used; closes connections in the end."""
        rest = partial(asyncio.sleep, API_KEY_USE_NOTED_EVERY_S)
        try:
            async with running("use of keys", self._note_use, rest):
                yield
        finally:
            await self._close()

    async def caller(self, request: Request) -> Caller:
        """The caller, by the first way that it shows a credential for. Errors: Unauthenticated, Unavailable."""
        for way in self._ways:
            caller = await way.caller(request)
            if caller is not None:
                return caller
        raise Unauthenticated(
            "a credential that nobody takes" if shows_credential(request) else NO_CREDENTIAL
        )


def bearer(request: Request) -> str | None:
    """The token that a request bears. Errors: Unauthenticated for one that no issuer would make."""
    shown = header(request, b"authorization")
    if shown is None or shown[: len(_BEARER)].lower() != _BEARER:
        return None
    return checked_length(shown[len(_BEARER) :].strip())


def checked_length(credential: str) -> str:
    """Errors: Unauthenticated."""
    if len(credential) > CREDENTIAL_CHARS_MAX:
        raise Unauthenticated("a credential that is too long")
    return credential


def shows_credential(request: Request) -> bool:
    """Whether it wants to be somebody: a bad credential never counts as none."""
    return any(header(request, name) is not None for name in (b"authorization", API_KEY_HEADER))
