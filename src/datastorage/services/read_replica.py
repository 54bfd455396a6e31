"""Looks at the read replica now and then: how far it is behind, and whether it is one. Started by the lifespan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from datastorage.db.database import Database
from datastorage.db.faults import reason
from datastorage.db.replica import Lag, Replica
from datastorage.errors import DataStorageError, Unavailable
from datastorage.limits import REPLICA_LOOK_S_MAX, REPLICA_LOOK_S_MIN
from datastorage.observability.metrics import show_replica
from datastorage.services.background import running

_PRIMARY = text(
    "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint AS written,"
    " (SELECT system_identifier FROM pg_control_system()) AS system"
)
_REPLICA = text(
    "SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint AS replayed,"
    " (SELECT system_identifier FROM pg_control_system()) AS system"
)

log = structlog.get_logger(__name__)


@asynccontextmanager
async def watching_replica(database: Database) -> AsyncIterator[None]:
    """Keeps it in use while it is fresh enough; without one there is nothing to do."""
    if database.replica is None:
        yield
        return
    watch = _Watch(database, database.replica)
    async with running("read replica", watch.look, watch.rest):
        yield


class _Watch:
    def __init__(self, database: Database, replica: Replica) -> None:
        self._database, self._replica, self._lag = database, replica, Lag()
        self._served: bool | None = None  # as was told last
        look_s = replica.lag_max_s / 4
        self._look_s = min(REPLICA_LOOK_S_MAX, max(REPLICA_LOOK_S_MIN, look_s))

    async def look(self) -> None:
        """One look at both servers."""
        try:
            async with asyncio.timeout(self._replica.lag_max_s):
                self._replica.seen(await self._behind_s())
        except (DataStorageError, TimeoutError) as error:
            self._replica.lost(str(error) or "it does not answer")
        except SQLAlchemyError as error:
            self._replica.lost(reason(error))
        self._tell()

    async def rest(self) -> None:
        """Often enough to notice well before it is too stale."""
        await asyncio.sleep(self._look_s)

    async def _behind_s(self) -> float:
        clock = asyncio.get_running_loop()
        begun_s = clock.time()  # what is written meanwhile must not count as replayed later than it was
        async with self._database.probe() as session:
            primary = (await session.execute(_PRIMARY)).one()
        self._lag.wrote(begun_s, primary.written)
        async with self._replica.reader.connection() as session:
            found = (await session.execute(_REPLICA)).one()
        if found.replayed is None:
            raise Unavailable("it is no replica")
        if found.system != primary.system:
            raise Unavailable("it is the replica of another server")
        return self._lag.behind_s(clock.time(), found.replayed)

    def _tell(self) -> None:
        served = self._replica.serves
        show_replica(served)
        if served is self._served:
            return
        if served:
            log.info("read_replica_in_use")
        else:
            log.warning("read_replica_out_of_use", reason=self._replica.reason)
        self._served = served
