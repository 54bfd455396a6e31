"""The access audit on its way: noted down in memory, written in batches beside the requests.

Nothing waits for it. What cannot be written is kept and tried again; beyond a bound it is dropped and counted.
Requests that were not let in are counted together while they wait, so that a flood of them stays small.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

import structlog

from datastorage.db.database import Database
from datastorage.domain.access import Access, AccessOutcome
from datastorage.domain.caller import Caller
from datastorage.errors import DataStorageError
from datastorage.limits import (
    ACCESS_ENTRIES_AT_ONCE,
    ACCESS_ENTRIES_WAITING_MAX,
    ACCESS_FLUSH_EVERY_S,
)
from datastorage.observability.log_context import told
from datastorage.observability.metrics import ACCESS_AUDIT_DROPPED
from datastorage.repositories import access_audit
from datastorage.services.background import running
from datastorage.settings import AccessAudit

FIELD: Final[ContextVar[str | None]] = ContextVar("accessed_field", default=None)
"""The root field being answered, for denials below it."""

log = structlog.get_logger(__name__)


class AccessTrail:
    """What was noted down and not written yet, in one process."""

    def __init__(self, records: AccessAudit = AccessAudit.DENIALS) -> None:
        self.of_mutations = records is not AccessAudit.DENIALS
        self.of_queries = records is AccessAudit.ALL
        self._waiting: deque[Access] = deque()
        self._unauthenticated: dict[tuple[str | None, str], Access] = {}

    def denied(self, caller: Caller, reason: str) -> None:
        """Notes that a caller may not do what it asked for."""
        self.note(caller, AccessOutcome.DENIED, reason=reason)

    def note(
        self,
        caller: Caller,
        outcome: AccessOutcome,
        *,
        field: str | None = None,
        subject: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Notes what became of one access."""
        self._add(
            Access(
                at=datetime.now(UTC),
                outcome=outcome,
                principal=caller.principal,
                declared_actor=caller.declared_actor,
                address=caller.address,
                request_id=_bound("request_id", 128),
                operation=_bound("operation", 255),
                field=field or FIELD.get(),
                subject=_cut(subject, 255),
                reason=_cut(reason, 255),
            )
        )

    def turned_away(self, address: str | None, reason: str) -> None:
        """Notes that a request was not let in; the same again from there is counted, not listed."""
        place = (address, reason)
        earlier = self._unauthenticated.get(place)
        if earlier is not None:
            self._unauthenticated[place] = replace(earlier, times=earlier.times + 1)
        elif self._full:
            ACCESS_AUDIT_DROPPED.inc()
        else:
            self._unauthenticated[place] = Access(
                at=datetime.now(UTC),
                outcome=AccessOutcome.UNAUTHENTICATED,
                address=address,
                request_id=_bound("request_id", 128),
                reason=_cut(reason, 255),
            )

    async def write(self, database: Database) -> None:
        """Writes what waits. Errors: Unavailable; then it goes on waiting."""
        self._waiting.extend(self._unauthenticated.values())
        self._unauthenticated.clear()
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), ACCESS_ENTRIES_AT_ONCE))]
            try:
                async with database.write() as session:
                    await access_audit.append(session, batch)
                    await session.commit()
            except BaseException:
                self._waiting.extendleft(reversed(batch))
                raise

    @property
    def waiting(self) -> int:
        """How many entries wait."""
        return len(self._waiting) + len(self._unauthenticated)

    @property
    def _full(self) -> bool:
        return self.waiting >= ACCESS_ENTRIES_WAITING_MAX

    def _add(self, access: Access) -> None:
        if self._full:
            ACCESS_AUDIT_DROPPED.inc()
        else:
            self._waiting.append(access)


@asynccontextmanager
async def writing_trail(trail: AccessTrail, database: Database) -> AsyncIterator[None]:
    """Writes the trail while the service runs, and what is left at its end."""
    rest = partial(asyncio.sleep, ACCESS_FLUSH_EVERY_S)
    try:
        async with running("access audit", partial(trail.write, database), rest):
            yield
    finally:
        try:
            await trail.write(database)
        except DataStorageError as error:
            ACCESS_AUDIT_DROPPED.inc(trail.waiting)
            log.error("access_audit_lost", entries=trail.waiting, reason=str(error))  # noqa: TRY400 -- expected


def _bound(name: str, chars_max: int) -> str | None:
    value = told().get(name)
    return _cut(str(value), chars_max) if value is not None else None


def _cut(text: str | None, chars_max: int) -> str | None:
    """What a column holds: no NUL, and no half of a character."""
    if text is None:
        return None
    return text.replace("\x00", "").encode(errors="replace").decode()[:chars_max]
