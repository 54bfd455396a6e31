"""Sessions: short-lived connections to read, to read one snapshot, or to write, and one for maintenance.

A session is a SQLAlchemy connection under a name that says what it may be used for, so that the type
checker refuses a write through a read session. Reads run in autocommit: one statement, one round trip.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, NewType

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from datastorage.db.connections import create_engine, open_row_connection
from datastorage.db.engine_pool import EnginePool, PoolUse
from datastorage.db.pooler import refuse_pooler
from datastorage.db.replica import Replica
from datastorage.db.row_pool import RowPool
from datastorage.db.statement_spans import TracedRowPool, watch_statements
from datastorage.observability.labels import Pool
from datastorage.observability.spans import Spans
from datastorage.settings import Pooler, Settings

PROBE_CONNECTIONS: Final = 2  # a probe and the background check

ReadSession = NewType("ReadSession", AsyncConnection)
WriteSession = NewType("WriteSession", AsyncConnection)
MaintenanceSession = NewType("MaintenanceSession", AsyncConnection)


class Database:
    """The pools of one process: to read, to write, and two connections that nobody else can use up, for probes."""

    def __init__(
        self,
        rows: RowPool,
        reader: EnginePool,
        writer: EnginePool,
        prober: EnginePool,
        *,
        pooler: Pooler = Pooler.NONE,
        replica: Replica | None = None,
    ) -> None:
        self.primary_rows, self.replica = rows, replica
        self._reader, self._writer, self._prober, self._pooler = reader, writer, prober, pooler

    @classmethod
    def connect(
        cls, url: URL, settings: Settings, spans: Spans | None = None, read_url: URL | None = None
    ) -> Database:
        """Pools for this URL; no connection is opened yet. A third of them are for writes, a third for rows.

        With `spans` each statement of a traced request has one. A replica at `read_url` has pools for reads beside.
        """
        writers = max(2, (settings.pool_size - PROBE_CONNECTIONS) // 3)
        readers = settings.pool_size - PROBE_CONNECTIONS - writers
        for_rows = readers // 2
        driver_keeps_time = settings.database_pooler is Pooler.TRANSACTION

        def pool(
            size: int, statement_timeout_s: float, *, autocommit: bool = True, of: URL = url
        ) -> EnginePool:
            engine = create_engine(
                of,
                pool_size=size,
                acquire_timeout_s=settings.pool_acquire_timeout_s,
                # no statement outlives the request that waits for it
                statement_timeout_s=min(statement_timeout_s, settings.request_timeout_s),
                autocommit=autocommit,
                pooler=settings.database_pooler,
            )
            if spans is not None:
                watch_statements(engine, spans)
            return EnginePool(engine, size, driver_keeps_time=driver_keeps_time)

        def row_pool(of: URL) -> RowPool:
            rows = RowPool(
                partial(
                    open_row_connection,
                    of,
                    connect_timeout_s=settings.pool_acquire_timeout_s,
                    statement_timeout_s=min(settings.query_timeout_s, settings.request_timeout_s),
                    pooler=settings.database_pooler,
                ),
                size=for_rows,
                acquire_timeout_s=settings.pool_acquire_timeout_s,
                driver_keeps_time=driver_keeps_time,
            )
            return rows if spans is None else TracedRowPool(rows, spans)

        replica = None
        if read_url is not None:
            reader = pool(readers - for_rows, settings.query_timeout_s, of=read_url)
            replica = Replica(row_pool(read_url), reader, settings.database_read_lag_max_s)
        return cls(
            row_pool(url),
            pool(readers - for_rows, settings.query_timeout_s),
            pool(writers, settings.write_timeout_s, autocommit=False),
            pool(PROBE_CONNECTIONS, settings.query_timeout_s),
            pooler=settings.database_pooler,
            replica=replica,
        )

    @property
    def rows(self) -> RowPool:
        """For the reads that every request waits for."""
        return self.primary_rows if self.replica is None or not self.replica.wanted() else self.replica.rows

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadSession]:
        """A connection on which each statement stands alone. Errors: Unavailable, OperationTimeout."""
        async with self._for_reads().connection() as connection:
            yield ReadSession(connection)

    @asynccontextmanager
    async def primary(self) -> AsyncIterator[ReadSession]:
        """Like `read`, and sure to see what was committed a moment ago."""
        async with self._reader.connection() as connection:
            yield ReadSession(connection)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[ReadSession]:
        """A read-only transaction: all statements see the same rows, and SET LOCAL lasts."""
        async with self._for_reads().connection() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield ReadSession(connection)

    @asynccontextmanager
    async def export(self) -> AsyncIterator[ReadSession]:
        """Like `snapshot`, for as long as it takes whoever reads the export, pauses included."""
        async with self.snapshot() as session:
            for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                await session.execute(text(f"SET LOCAL {limit} = 0"))
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteSession]:
        """A transaction that is rolled back unless it is committed explicitly."""
        async with self._writer.connection() as connection:
            yield WriteSession(connection)

    @asynccontextmanager
    async def maintenance(self) -> AsyncIterator[MaintenanceSession]:
        """For index builds and the like, outside a transaction: statements take as long as they take.

        Errors: StartupError behind a pooler.
        """
        refuse_pooler(self._pooler, "this command")
        async with self._reader.connection() as connection:
            await connection.execute(text("SET statement_timeout = 0"))
            try:
                yield MaintenanceSession(connection)
            finally:
                if not connection.invalidated:
                    await connection.execute(text("RESET statement_timeout"))

    @asynccontextmanager
    async def probe(self) -> AsyncIterator[ReadSession]:
        """Like `read`, also while every other connection is in use."""
        async with self._prober.connection() as connection:
            yield ReadSession(connection)

    async def ping(self) -> None:
        """One round trip. Errors: Unavailable, OperationTimeout."""
        async with self.probe() as session:
            await session.execute(text("SELECT 1"))

    def _for_reads(self) -> EnginePool:
        return self._reader if self.replica is None or not self.replica.wanted() else self.replica.reader

    def pools(self) -> dict[Pool, PoolUse]:
        """How each pool is used, for the gauges."""
        of_replica = (
            {}
            if self.replica is None
            else {Pool.REPLICA_ROWS: self.replica.rows.use, Pool.REPLICA_READS: self.replica.reader.use}
        )
        return of_replica | {
            Pool.ROWS: self.primary_rows.use,
            Pool.READS: self._reader.use,
            Pool.WRITES: self._writer.use,
            Pool.PROBES: self._prober.use,
        }

    async def close(self) -> None:
        """Closes every pooled connection."""
        await self.primary_rows.close()
        for pool in (self._reader, self._writer, self._prober):
            await pool.close()
        if self.replica is not None:
            await self.replica.rows.close()
            await self.replica.reader.close()
