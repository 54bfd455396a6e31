"""Callers that were recognised a moment ago, by the hash of what they showed: most requests need no more than this.

A credential that many requests show at once is looked up once. What is remembered is forgotten soon, so that a
revocation is noticed; refusals are remembered apart, so that no flood of bad credentials drives out good ones.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

from datastorage.domain.caller import Caller
from datastorage.errors import Unauthenticated
from datastorage.limits import KNOWN_CALLERS_MAX, REFUSED_CREDENTIALS_MAX

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Recognised:
    """A caller, and for how many seconds that need not be asked again."""

    caller: Caller
    good_s: float


class KnownCallers:
    """What one way of authentication remembers; `look_up` is asked for the rest. Errors: those of `look_up`."""

    def __init__(
        self,
        look_up: Callable[[str], Awaitable[Recognised]],
        refused_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look_up, self._refused_s, self._clock = look_up, refused_s, clock
        self._known: dict[bytes, tuple[Caller, float]] = {}
        self._refused: dict[bytes, tuple[str, float]] = {}
        self._asking: dict[bytes, asyncio.Task[Caller]] = {}

    def remembered(self, credential: str) -> Caller | None:
        """Who shows this, if that was found out a moment ago."""
        known = self._known.get(_digest(credential))
        return known[0] if known is not None and self._clock() < known[1] else None

    async def caller(self, credential: str) -> Caller:
        """Who shows this. Errors: Unauthenticated, Unavailable."""
        digest = _digest(credential)
        known = self._known.get(digest)
        if known is not None and self._clock() < known[1]:
            return known[0]
        refused = self._refused.get(digest)
        if refused is not None and self._clock() < refused[1]:
            raise Unauthenticated(refused[0])
        asking = self._asking.get(digest)
        if asking is None:
            asking = self._asking[digest] = asyncio.ensure_future(self._asked(digest, credential))
            asking.add_done_callback(lambda task: self._asked_for(digest, task))
        return await asyncio.shield(asking)  # others may wait for the same

    async def _asked(self, digest: bytes, credential: str) -> Caller:
        started = self._clock()  # what is learned is as old as the question
        try:
            found = await self._look_up(credential)
        except Unauthenticated as refusal:
            self._known.pop(digest, None)
            _remember(
                self._refused, REFUSED_CREDENTIALS_MAX, digest, (refusal.reason, started + self._refused_s)
            )
            raise
        _remember(self._known, KNOWN_CALLERS_MAX, digest, (found.caller, started + found.good_s))
        return found.caller

    def _asked_for(self, digest: bytes, task: asyncio.Task[Caller]) -> None:
        del self._asking[digest]
        if not task.cancelled():
            task.exception()  # everybody who waited may be gone


def _digest(credential: str) -> bytes:
    return sha256(credential.encode()).digest()


def _remember(entries: dict[bytes, V], entries_max: int, key: bytes, value: V) -> None:
    """The oldest makes room."""
    entries.pop(key, None)
    while len(entries) >= entries_max:
        del entries[next(iter(entries))]
    entries[key] = value
