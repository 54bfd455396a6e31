"""Ids reserved in blocks, so that a row knows its id before it is written."""

from __future__ import annotations

import asyncio
from collections import deque

from sqlalchemy import Sequence, func, select

from datastorage.db.database import Database
from datastorage.limits import ID_BLOCK_ROWS


class Identifiers:
    """Ids of one table for one process; ids of a block that is not used up are lost, which is fine."""

    def __init__(self, database: Database, table: str) -> None:
        self._database = database
        self._sequence = Sequence(f"{table}_id_seq")
        self._free: deque[int] = deque()
        self._lock = asyncio.Lock()

    async def take(self, count: int) -> list[int]:
        """Ids nobody else has. Errors: Unavailable, OperationTimeout."""
        async with self._lock:
            if len(self._free) < count:
                self._free.extend(await self._reserve(max(ID_BLOCK_ROWS, count - len(self._free))))
            return [self._free.popleft() for _ in range(count)]

    async def _reserve(self, count: int) -> list[int]:
        statement = select(self._sequence.next_value()).select_from(func.generate_series(1, count))
        async with self._database.read() as session:
            return list(await session.scalars(statement))
