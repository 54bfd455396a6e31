"""Term statistics for the search: read from the database now and then, counted anew when they no longer fit.

They are never exact: counted at the latest once a twentieth was added, or after an hour if anything was written,
from a sample where there are many incidents. Every process reads the same row, whoever counted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import partial

from datastorage.db.database import Database, ReadSession
from datastorage.domain.caller import EVERYWHERE, Scope
from datastorage.limits import (
    SCOPE_STATISTICS_AGE_S_MAX,
    SCOPE_STATISTICS_KEPT_MAX,
    STATISTICS_AGE_S_MAX,
    STATISTICS_CHECK_EVERY_S,
    STATISTICS_GROWTH_MAX,
)
from datastorage.repositories import term_statistics
from datastorage.search.term_statistics import UNKNOWN, TermStatistics
from datastorage.services.background import running


class TermStatisticsCache:
    """The statistics as this process last read them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._reading = asyncio.Lock()
        self._read_at: float | None = None
        self._refreshed_at: datetime | None = None
        self._statistics = UNKNOWN
        self._of_scopes: dict[Scope, tuple[TermStatistics, float]] = {}

    async def current(self, session: ReadSession) -> TermStatistics:
        """The statistics, read anew if they may have changed; by one, while the others go on with what is known."""
        is_first = self._read_at is None
        if self._is_old() and (is_first or not self._reading.locked()):
            async with self._reading:
                if self._is_old():  # else it was read while this one waited
                    await self._read(session)
        return self._statistics

    async def seen_by(self, scope: Scope, session: ReadSession) -> TermStatistics:
        """The statistics of what a scope sees, which alone may weigh in what it is told."""
        if scope == EVERYWHERE:
            return await self.current(session)
        kept = self._of_scopes.get(scope)
        if kept is None or self._clock() - kept[1] >= SCOPE_STATISTICS_AGE_S_MAX:
            started = self._clock()
            kept = await term_statistics.within(session, scope), started
            self._of_scopes.pop(scope, None)
            while len(self._of_scopes) >= SCOPE_STATISTICS_KEPT_MAX:
                del self._of_scopes[next(iter(self._of_scopes))]
            self._of_scopes[scope] = kept
        return kept[0]

    def _is_old(self) -> bool:
        return self._read_at is None or self._clock() - self._read_at >= STATISTICS_CHECK_EVERY_S

    async def _read(self, session: ReadSession) -> None:
        now = self._clock()
        if (await term_statistics.standing(session)).refreshed_at != self._refreshed_at:
            found = await term_statistics.stored(session)
            if found is not None:
                self._refreshed_at, self._statistics = found
        self._read_at = now


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


def keeping_term_statistics(database: Database) -> AbstractAsyncContextManager[None]:
    """Keeps the counts fitting while the service runs."""
    rest = partial(asyncio.sleep, STATISTICS_CHECK_EVERY_S)
    return running("term statistics", partial(refresh_if_due, database), rest)
