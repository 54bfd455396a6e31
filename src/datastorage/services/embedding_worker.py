"""The worker that finds missing vectors while the service runs; each process has one. Started by the lifespan."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from datastorage.limits import BACKFILL_BUSY_S, BACKFILL_GATHER_S, BACKFILL_POLL_S, BACKFILL_SCAN_EVERY_S
from datastorage.observability.metrics import EMBEDDING_BACKLOG, EMBEDDING_PARKED
from datastorage.services.background import running
from datastorage.services.dependencies import Dependencies
from datastorage.services.embedding_backfill import Backfill, Round

log = structlog.get_logger(__name__)


@asynccontextmanager
async def backfilling(deps: Dependencies) -> AsyncIterator[None]:
    """Finds missing vectors while the service runs; without a provider there are none to find."""
    if deps.embedder.provider is None:
        yield
        return
    worker = Worker(deps)
    async with running("embedding backfill", worker.round, worker.rest):
        yield


class Worker:
    """Works off the backlog, woken by writes that left a text over, and otherwise now and then."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps, self._backfill = deps, Backfill(deps)
        self._scanned_at = -BACKFILL_SCAN_EVERY_S
        self._shown, self._shown_at = (0, 0), 0.0
        self._was_busy = False

    async def round(self) -> None:
        """Works off what there is. Errors: Unavailable, OperationTimeout."""
        self._was_busy = False
        await self._look_around()
        self._was_busy = (await self._work()).busy > 0

    async def rest(self) -> None:
        """Until a write wakes it; a writer that held a text will soon have done."""
        left_over = self._deps.left_over
        try:
            async with asyncio.timeout(BACKFILL_BUSY_S if self._was_busy else BACKFILL_POLL_S):
                await left_over.wait()
        except TimeoutError:
            return
        await asyncio.sleep(BACKFILL_GATHER_S)
        left_over.clear()

    async def _look_around(self) -> None:
        now = time.monotonic()
        if now - self._scanned_at >= BACKFILL_SCAN_EVERY_S:
            await self._backfill.find()
            self._scanned_at = now

    async def _work(self) -> Round:
        """Rounds while they get on; returns the last one."""
        done = Round()
        while not self._deps.embedder.rests:
            done = await self._backfill.round()
            if not done.settled and not done.parked:
                break
            if time.monotonic() - self._shown_at >= BACKFILL_POLL_S:
                await self._show()
        await self._show()
        return done

    async def _show(self) -> None:
        """Sets the gauges, and tells once when a backlog begins, ends, or has texts that are given up."""
        state = await self._backfill.waiting()
        EMBEDDING_BACKLOG.set(state.waiting)
        EMBEDDING_PARKED.set(state.parked)
        waiting, parked = self._shown
        if bool(state.waiting) is not bool(waiting) or state.parked != parked:
            log.info("embedding_backlog", waiting=state.waiting, parked=state.parked)
        self._shown, self._shown_at = (state.waiting, state.parked), time.monotonic()
