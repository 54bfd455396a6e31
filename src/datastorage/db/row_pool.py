"""Connections for the reads that every request waits for: one statement, one round trip, nothing in between.

Held by `db.database`, asked by the repositories of records. Plain asyncpg, since SQLAlchemy's own way costs more than
the statement; SQLAlchemy has written the statement all the same, see `db.compiled_statement`. Whoever waits longest
for a connection gets the next one: asyncpg's own pool is not fair, and resets a session that has nothing to reset.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg

from datastorage.db.engine_pool import PoolUse
from datastorage.db.faults import connecting, connection_lost, translated
from datastorage.errors import Unavailable

Connection = Any  # asyncpg has no types
Row = Any


class RowPool:
    """At most `size` connections, opened when needed and kept."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        *,
        size: int,
        acquire_timeout_s: float,
        driver_keeps_time: bool = False,
    ) -> None:
        self._connect, self._size, self._timeout_s = connect, size, acquire_timeout_s
        self._driver_keeps_time = driver_keeps_time
        self._idle: list[Connection] = []
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._open = 0

    @property
    def use(self) -> PoolUse:
        """Figures for the gauges."""
        waiting = sum(not place.done() for place in self._waiting)
        return PoolUse(self._size, self._open - len(self._idle), waiting)

    async def fetch(self, statement: str, arguments: Sequence[Any]) -> list[Row]:
        """The rows of one statement that only reads. Errors: Unavailable, OperationTimeout.

        A connection may have died while it was idle; then the statement is sent again, on another one.
        """
        with translated(driver_keeps_time=self._driver_keeps_time):
            connection, is_new = await self._acquired()
            try:
                return await connection.fetch(statement, *arguments)  # type: ignore[no-any-return]
            except (
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
                asyncpg.InternalClientError,
                OSError,
            ) as error:
                if is_new or not _died(error):
                    raise
                connection.terminate()
                self._forget_idle()
            finally:
                self._give_back(connection)
        return await self.fetch(statement, arguments)

    async def close(self) -> None:
        """Closes what is idle; nobody may be waiting any more."""
        idle, self._idle = self._idle, []
        self._open -= len(idle)
        for connection in idle:
            try:
                await connection.close(timeout=1)
            except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection.terminate()

    async def _acquired(self) -> tuple[Connection, bool]:
        """A connection, and whether it was opened just now."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection, False
            self._open -= 1
        if self._open >= self._size:
            handed = await self._handed_over()
            if handed is not None:
                return handed, False
        else:
            self._open += 1
        try:
            with connecting():
                return await self._connect(), True
        except BaseException:
            self._leave_place()
            raise

    async def _handed_over(self) -> Connection | None:
        """What somebody gives back; None for the right to open another."""
        place: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await place
        except BaseException as error:
            if place.done() and not place.cancelled():  # it came, but too late
                connection = place.result()
                self._leave_place() if connection is None else self._give_back(connection)
            if isinstance(error, TimeoutError):
                raise Unavailable("no database connection is free; try again") from error
            raise

    def _give_back(self, connection: Connection) -> None:
        if connection.is_closed():
            self._leave_place()
            return
        waiting = self._longest_waiting()
        if waiting is None:
            self._idle.append(connection)
        else:
            waiting.set_result(connection)

    def _leave_place(self) -> None:
        """One connection less, so that another may be opened."""
        waiting = self._longest_waiting()
        if waiting is None:
            self._open -= 1
        else:
            waiting.set_result(None)

    def _longest_waiting(self) -> asyncio.Future[Connection | None] | None:
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                return place
        return None

    def _forget_idle(self) -> None:
        """What broke one connection has most likely broken all of them."""
        idle, self._idle = self._idle, []
        self._open -= len(idle)
        for connection in idle:
            connection.terminate()


def _died(error: BaseException) -> bool:
    """Whether the connection is gone; asyncpg calls it an internal error if it has read the farewell, not yet the end."""
    return isinstance(error, asyncpg.InternalClientError) or connection_lost(error)
