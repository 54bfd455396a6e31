"""Whether this process can serve: checked for probes on demand, and in the background for the gauges."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

from datastorage.db.database import Database
from datastorage.db.migrations import schema_state
from datastorage.errors import DataStorageError
from datastorage.observability.metrics import DATABASE_UP, POOL_IN_USE, POOL_SIZE

WATCH_EVERY_S = 5.0
CHECK_TIMEOUT_S = 0.8  # a probe must have its answer within a second

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of being ready."""

    name: str
    good: bool
    detail: str


class Health:
    """The state that probes report."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.draining = False

    async def readiness(self) -> list[Check]:
        """Every condition of being ready, with what is wrong."""
        return [
            *await self._database_checks(),
            Check("accepting", not self.draining, "shutting down" if self.draining else "yes"),
        ]

    async def _database_checks(self) -> list[Check]:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S), self._database.read() as session:
                state = await schema_state(session)
        except (DataStorageError, TimeoutError):
            return [Check("database", False, "does not answer"), Check("schema", False, "unknown")]  # noqa: FBT003
        return [Check("database", True, "answers"), Check("schema", state.good, state.describe())]  # noqa: FBT003

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Keeps the gauges of database and pool current."""
        task = asyncio.create_task(self._watch(), name="health")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _watch(self) -> None:
        was_up = True
        while True:
            is_up = await self._answers()
            if is_up is not was_up:
                log.warning("database_changed", up=is_up)
                was_up = is_up
            use = self._database.pool_use()
            DATABASE_UP.set(is_up)
            POOL_SIZE.set(use.size)
            POOL_IN_USE.set(use.in_use)
            await asyncio.sleep(WATCH_EVERY_S)

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S * 3):
                await self._database.ping()
        except (DataStorageError, TimeoutError):
            return False
        return True
