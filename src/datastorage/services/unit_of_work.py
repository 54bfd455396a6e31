"""One unit of work: a transaction that carries a record, its event and its vector, or nothing of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy.exc import DBAPIError

from datastorage.db.database import WriteSession
from datastorage.db.faults import connection_lost
from datastorage.domain.caller import EVERYWHERE, Caller, Scope
from datastorage.domain.enums import OutboxKind
from datastorage.domain.kind import R, RecordKind
from datastorage.errors import DataStorageError, Unavailable, WriteCollision
from datastorage.observability.labels import DualWriteFailure
from datastorage.observability.metrics import count_dualwrite_failure, count_dualwrite_success
from datastorage.repositories.incident_embeddings import IncidentEmbeddings
from datastorage.repositories.incident_lexical import IncidentLexical
from datastorage.repositories.incident_texts import IncidentTextsWriter
from datastorage.repositories.outbox import Outbox
from datastorage.repositories.records import RecordsWriter
from datastorage.repositories.remediation_events import RemediationEvents
from datastorage.repositories.selected_records import SelectedRecordsWriter
from datastorage.services.dependencies import Dependencies
from datastorage.services.mirroring.entries import MirrorEntries, enter_mirrored


class UnitOfWork:
    """The repositories of one transaction. Leaving it without `commit` rolls back."""

    def __init__(self, session: WriteSession, scope: Scope, deps: Dependencies) -> None:
        self._session, self._scope, self._deps = session, scope, deps
        self._model = model = deps.embedder.model
        self._without_vector: set[bytes] = set()
        self._mirrored: MirrorEntries | None = None
        self.events = RemediationEvents(session)
        self.embeddings = IncidentEmbeddings(session, model)
        self.lexical = IncidentLexical(session)
        self.texts = IncidentTextsWriter(session)
        self.outbox = Outbox(session, OutboxKind.EMBED, model)

    def audits(self, kind: RecordKind[R]) -> RecordsWriter[R]:
        """The audits of one kind within the caller's scope."""
        return RecordsWriter(self._session, self._scope, kind)

    def audits_anywhere(self, kind: RecordKind[R]) -> RecordsWriter[R]:
        """The audits of one kind whatever their scope; what is read so must not be told."""
        return RecordsWriter(self._session, EVERYWHERE, kind)

    def selected(self, kind: RecordKind[R]) -> SelectedRecordsWriter[R]:
        """The records of one kind that a selection means, within the caller's scope."""
        return SelectedRecordsWriter(self._session, self._scope, kind)

    def leave_over(self, hashes: Iterable[bytes]) -> None:
        """Has texts embedded later, should this unit be committed."""
        if self._model:
            self._without_vector.update(hashes)

    async def commit(self, units: int = 1) -> None:
        """Makes everything durable. Errors: Unavailable(outcome_unknown) if the connection breaks here."""
        if self._without_vector:  # last, in one order, so that no two writers wait for each other
            await self.outbox.put(self._without_vector)
        entries = await enter_mirrored(self._deps, self._session, self.embeddings)
        try:
            await self._session.commit()
        except DBAPIError as error:
            if not connection_lost(error):
                raise
            raise Unavailable(
                "the connection broke while committing; repeat the request to learn the outcome",
                outcome_unknown=True,
            ) from error
        count_dualwrite_success(units)
        if self._without_vector:
            self._deps.left_over.set()
        entries.committed()
        self._mirrored = entries

    async def mirrored(self) -> None:
        """Waits a moment for vectors to reach the second engine; call it when the connection is given back."""
        if self._mirrored is not None:
            await self._mirrored.delivered()


@asynccontextmanager
async def transaction(deps: Dependencies, scope: Scope) -> AsyncIterator[UnitOfWork]:
    """Opens a transaction. Errors: Unavailable, OperationTimeout."""
    async with deps.database.write() as session:
        yield UnitOfWork(session, scope, deps)


@asynccontextmanager
async def unit_of_work(deps: Dependencies, caller: Caller) -> AsyncIterator[UnitOfWork]:
    """A transaction for one caller, who waits a moment for the second engine. Errors: Unavailable, OperationTimeout."""
    async with transaction(deps, caller.scope) as work:
        yield work
    await work.mirrored()


@contextmanager
def failures_counted() -> Iterator[None]:
    """Counts why a unit of work, or what it needed beforehand, failed."""
    try:
        yield
    except BaseException as error:
        reason = _failure(error)
        if reason is not None:
            count_dualwrite_failure(reason)
        raise


def _failure(error: BaseException) -> DualWriteFailure | None:
    match error:
        case asyncio.CancelledError() | Unavailable(__cause__=asyncio.CancelledError()):
            return DualWriteFailure.CANCELED
        case WriteCollision():
            return DualWriteFailure.ROLLBACK
        case Unavailable():
            return DualWriteFailure.POSTGRESQL
        case DataStorageError():
            return None  # refused for the caller's own reason: conflict, transition, not found
        case DBAPIError():
            return DualWriteFailure.ROLLBACK
        case _:
            return DualWriteFailure.UNKNOWN
