"""Term statistics for the search: read from the database now and then, counted anew when they no longer fit.

They are never exact: counted at the latest once a twentieth was added, or after an hour, from a sample where
there are many incidents. Every process reads the same row, whoever counted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import DBAPIError

from datastorage.db.database import Database, ReadSession
from datastorage.errors import DataStorageError
from datastorage.limits import (
    STATISTICS_AGE_S_MAX,
    STATISTICS_CHECK_EVERY_S,
    STATISTICS_GROWTH_MAX,
)
from datastorage.repositories import term_statistics
from datastorage.search.term_statistics import UNKNOWN, TermStatistics

log = structlog.get_logger(__name__)


class TermStatisticsCache:
    """The statistics as this process last read them."""

    def __init__(self) -> None:
        self._read_at = -STATISTICS_CHECK_EVERY_S
        self._refreshed_at: datetime | None = None
        self._statistics = UNKNOWN

    async def current(self, session: ReadSession) -> TermStatistics:
        """The statistics, read anew if they may have changed."""
        now = time.monotonic()
        if now - self._read_at >= STATISTICS_CHECK_EVERY_S:
            self._read_at = now
            await self._read(session)
        return self._statistics

    async def _read(self, session: ReadSession) -> None:
        if (await term_statistics.standing(session)).refreshed_at == self._refreshed_at:
            return
        found = await term_statistics.stored(session)
        if found is not None:
            self._refreshed_at, self._statistics = found


async def refresh_if_due(database: Database) -> bool:
    """Counts the terms if the stored counts no longer fit; says whether it did. Errors: Unavailable."""
    async with database.primary() as session:
        state = await term_statistics.standing(session)
    if not state.due(datetime.now(UTC), STATISTICS_AGE_S_MAX, STATISTICS_GROWTH_MAX):
        return False
    async with database.write() as session:
        done = await term_statistics.refresh(session)
        await session.commit()
    return done


@asynccontextmanager
async def keeping_term_statistics(database: Database) -> AsyncIterator[None]:
    """Keeps the counts fitting while the service runs."""
    task = asyncio.create_task(_keep(database), name="term statistics")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _keep(database: Database) -> None:
    while True:
        try:
            await refresh_if_due(database)
        except (DataStorageError, DBAPIError) as error:
            log.warning("term_statistics_not_refreshed", reason=str(error))
        await asyncio.sleep(STATISTICS_CHECK_EVERY_S)
