"""The worker that keeps the second engine in step while the service runs. Started by the lifespan.

It works in two rows: what writers of this process hand over goes at once; what nobody holds is leased, by whichever
process comes first. So the engine is handed two batches at a time by each process, and no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from datastorage.errors import DataStorageError
from datastorage.limits import BACKFILL_BUSY_S, MIRROR_DELIVERY_S, MIRROR_FLUSH_S, MIRROR_POLL_S
from datastorage.services.background import running
from datastorage.services.dependencies import Dependencies
from datastorage.services.mirroring.mirror import Mirror


@asynccontextmanager
async def mirroring(deps: Dependencies) -> AsyncIterator[None]:
    """Delivers while the service runs, and at its end what writers handed over; without a second engine, nothing."""
    if not deps.second.configured:
        yield
        return
    at_once, leaser = AtOnce(deps), Leaser(deps)
    deps.deliveries.open = True
    try:
        async with (
            running("vector delivery", at_once.round, at_once.rest),
            running("vector mirror", leaser.round, leaser.rest),
        ):
            yield
    finally:
        deps.deliveries.open = False
        with suppress(TimeoutError, DataStorageError):  # it waits for another process
            async with asyncio.timeout(MIRROR_FLUSH_S):
                await at_once.round()


class AtOnce:
    """Delivers what writers of this process have just committed, as much as has piled up at a time."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps, self._mirror = deps, Mirror(deps)

    async def round(self) -> None:
        """Delivers everything that was handed over. Errors: Unavailable."""
        while batch := self._deps.deliveries.take(self._mirror.texts_max, 2 * MIRROR_DELIVERY_S):
            try:
                await self._mirror.deliver(frozenset().union(*(handed.hashes for handed in batch)))
            finally:
                for handed in batch:
                    handed.done.set()

    async def rest(self) -> None:
        """Until something is handed over."""
        await self._deps.deliveries.handed.wait()


class Leaser:
    """Delivers what was left over: while the engine was out of use, by commands, or by a process that died."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps, self._mirror = deps, Mirror(deps)
        self._was_busy = False

    async def round(self) -> None:
        """Works off what is due while it gets on. Errors: Unavailable."""
        self._was_busy = False
        while self._deps.second.available and (leased := await self._mirror.lease()):
            done = await self._mirror.deliver(leased)
            self._was_busy = done.busy > 0
            if not done.settled and not done.parked:
                break

    async def rest(self) -> None:
        """Until a writer wakes it, or for a while."""
        left_over = self._deps.deliveries.left_over
        with suppress(TimeoutError):
            async with asyncio.timeout(BACKFILL_BUSY_S if self._was_busy else MIRROR_POLL_S):
                await left_over.wait()
        left_over.clear()
