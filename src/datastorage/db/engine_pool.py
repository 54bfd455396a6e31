"""The pool of one kind of session: SQLAlchemy's, with how many have a connection and how many wait for one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from datastorage.db.faults import connecting, translated


@dataclass(frozen=True, slots=True)
class PoolUse:
    """How many connections there may be, how many are in use, and how many callers wait for one."""

    size: int
    in_use: int
    waiting: int


class EnginePool:
    """At most `size` connections of one engine."""

    def __init__(self, engine: AsyncEngine, size: int, *, driver_keeps_time: bool = False) -> None:
        self._engine, self._size, self._driver_keeps_time = engine, size, driver_keeps_time
        self._waiting = 0

    @property
    def use(self) -> PoolUse:
        """Figures for the gauges."""
        in_use: int = self._engine.pool.checkedout()  # type: ignore[attr-defined]
        return PoolUse(self._size, in_use, self._waiting)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A pooled connection; giving it back rolls back what was not committed, also when cancelled.

        Errors: Unavailable, OperationTimeout.
        """
        with translated(driver_keeps_time=self._driver_keeps_time):
            async with AsyncExitStack() as stack:
                yield await self._acquired(stack)

    async def close(self) -> None:
        """Closes every connection."""
        await self._engine.dispose()

    async def _acquired(self, stack: AsyncExitStack) -> AsyncConnection:
        self._waiting += 1
        try:
            with connecting():
                return await stack.enter_async_context(self._engine.connect())
        finally:
            self._waiting -= 1
