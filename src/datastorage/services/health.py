"""Whether this process can serve: checked for probes on demand, and in the background for the gauges."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import DBAPIError

from datastorage.db.database import Database
from datastorage.db.migrations import schema_state
from datastorage.errors import DataStorageError, SchemaNotReady
from datastorage.observability.metrics import DATABASE_UP, show_pool
from datastorage.services.background import running
from datastorage.services.second_engine import SecondEngine

WATCH_EVERY_S = 5.0
CHECK_TIMEOUT_S = 0.8  # a probe must have its answer within a second

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of being ready."""

    name: str
    good: bool
    detail: str


_ANSWERS = Check("database", good=True, detail="answers")
_SILENT = Check("database", good=False, detail="does not answer")
_UNKNOWN = Check("schema", good=False, detail="unknown")
_UNREADABLE = Check("schema", good=False, detail="cannot be read")


class Health:
    """The state that probes report."""

    def __init__(
        self,
        database: Database,
        revive: Callable[[], None] | None = None,
        second: SecondEngine | None = None,
    ) -> None:
        self._database, self._revive = database, revive  # revive: starts a database that is ours to keep
        self._second = second
        self.draining = False
        self._was_up = True

    async def readiness(self) -> list[Check]:
        """Every condition of being ready, with what is wrong."""
        return [
            *await self._database_checks(),
            Check("accepting", not self.draining, "shutting down" if self.draining else "yes"),
            *self._engine_checks(),
            *self._replica_checks(),
        ]

    def _replica_checks(self) -> list[Check]:
        """Where queries are answered; never a reason to be unready either."""
        replica = self._database.replica
        if replica is None:
            return []
        detail = "in use" if replica.serves else f"out of use, the primary answers: {replica.reason}"
        return [Check("read_replica", good=True, detail=detail)]

    def _engine_checks(self) -> list[Check]:
        """What the second engine is doing; never a reason to be unready, since PostgreSQL serves without it."""
        if self._second is None or not self._second.configured:
            return []
        if self._second.available:
            detail = f"in use, but {reason}" if (reason := self._second.reason) else "in use"
            return [Check("vector_engine", good=True, detail=detail)]
        since = self._second.since.isoformat(timespec="seconds")
        detail = f"out of use since {since}, PostgreSQL serves alone: {self._second.reason}"
        return [Check("vector_engine", good=True, detail=detail)]

    async def _database_checks(self) -> list[Check]:
        answers = False
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S), self._database.probe() as session:
                answers = True
                state = await schema_state(session)
        except SchemaNotReady as error:
            log.warning("not_ready", answers=answers, reason=str(error.__cause__))
        except (DataStorageError, TimeoutError):
            answers = False
        except DBAPIError as error:  # it refuses us, or lets us read nothing
            log.warning("not_ready", answers=answers, reason=str(error.orig))
        else:
            return [_ANSWERS, Check("schema", state.good, state.describe())]
        return [_ANSWERS, _UNREADABLE] if answers else [_SILENT, _UNKNOWN]

    def watching(self) -> AbstractAsyncContextManager[None]:
        """Keeps the gauges of database and pool current."""
        return running("health", self._look, lambda: asyncio.sleep(WATCH_EVERY_S))

    async def _look(self) -> None:
        reason = await self._outage()
        is_up = reason is None
        if is_up is not self._was_up:
            log.warning("database_changed", up=is_up, reason=reason)
            self._was_up = is_up
        DATABASE_UP.set(is_up)
        for pool, use in self._database.pools().items():
            show_pool(pool, use.size, use.in_use, use.waiting)
        if not is_up:
            await self._try_to_revive()

    async def _try_to_revive(self) -> None:
        if self._revive is None or self.draining:
            return
        try:
            await asyncio.to_thread(self._revive)
        except Exception as error:  # noqa: BLE001 -- the next round tries again, and watching must go on
            log.warning("database_not_revived", reason=str(error))

    async def _outage(self) -> str | None:
        """Why the database cannot be used; None while it can."""
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S * 3):
                await self._database.ping()
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is an outage, and watching must go on
            return str(error) or "no answer"
        return None
