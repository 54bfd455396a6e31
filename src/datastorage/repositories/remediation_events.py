"""Rows of remediation_event. Written beside the rows they tell of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, Text, any_, delete, literal, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY

from datastorage.db.database import WriteSession
from datastorage.domain.enums import EventKind, SubjectKind
from datastorage.domain.event import EVENT, RemediationEvent
from datastorage.models import remediation_event as table
from datastorage.repositories.bulk import arrays, insert_rows
from datastorage.repositories.record_tables import table_of

INSERTED: Final = (
    "remediation_request_id",
    "subject_kind",
    "subject_key",
    "version",
    "kind",
    "actor",
    "declared_actor",
    "namespace",
    "cluster_name",
    "changes",
)
_HOME: Final = table_of(EVENT)
_INSERT: Final = insert_rows(table, INSERTED)
_INSERT_ONE: Final = _INSERT.returning(*_HOME.record_columns)
# Spelled out, since the partial index of versions asks for it.
_LED_TO_A_VERSION: Final = table.c.kind.in_(
    [literal_column(f"'{kind}'") for kind in (EventKind.CREATED, EventKind.PHASE_CHANGED, EventKind.UPDATED)]
)


class RemediationEvents:
    """The log of one transaction."""

    def __init__(self, session: WriteSession) -> None:
        self._session = session

    async def add_many(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Appends events; the database adds time and transaction."""
        await self._session.execute(_INSERT, arrays(events, INSERTED))

    async def add(self, event: Mapping[str, Any]) -> RemediationEvent:
        """Appends one event, and returns it as it was recorded."""
        row = (await self._session.execute(_INSERT_ONE, arrays([event], INSERTED))).one()
        return _event(row)

    async def last_feedback(
        self, request_id: str, similar_to: str, actor: str, declared_actor: str | None
    ) -> RemediationEvent | None:
        """What somebody last said of a pair of remediations."""
        statement = (
            select(*_HOME.record_columns)
            .where(
                table.c.remediation_request_id == request_id,
                table.c.subject_kind == SubjectKind.REMEDIATION,
                table.c.kind == EventKind.FEEDBACK_RECORDED,
                table.c.actor == actor,
                table.c.declared_actor.is_not_distinct_from(declared_actor),
                table.c.changes["similar_to"].astext == similar_to,
            )
            .order_by(table.c.recorded_at.desc(), table.c.id.desc())
            .limit(1)
        )
        row = (await self._session.execute(statement)).one_or_none()
        return None if row is None else _event(row)

    async def created(self, kind: SubjectKind, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What the records with these keys were created with."""
        statement = select(table.c.subject_key, table.c.changes).where(
            table.c.subject_kind == kind,
            table.c.subject_key.in_(keys),
            table.c.kind == EventKind.CREATED,
        )
        return {row.subject_key: row.changes for row in await self._session.execute(statement)}

    async def forget(self, kind: SubjectKind, keys: Sequence[str]) -> None:
        """Removes what was told of these records; that records of these keys were deleted before, stays told."""
        listed = any_(literal(list(keys), ARRAY(Text)))
        of_these = (table.c.subject_kind == kind) & (table.c.subject_key == listed)
        await self._session.execute(delete(table).where(of_these, _LED_TO_A_VERSION))
        if kind is SubjectKind.REMEDIATION:
            # Feedback leads to no version, so that the index of versions does not hold it.
            named = table.c.remediation_request_id == listed
            await self._session.execute(
                delete(table).where(of_these, named, table.c.kind != EventKind.DELETED)
            )


def _event(row: Row[Any]) -> RemediationEvent:
    return RemediationEvent(**row._mapping)  # noqa: SLF001 -- SQLAlchemy's public name for it
