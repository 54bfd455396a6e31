"""Rows of remediation_event. Written beside the rows they tell of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import delete, select

from datastorage.db.database import WriteSession
from datastorage.domain.enums import EventKind, SubjectKind
from datastorage.models import remediation_event as table
from datastorage.repositories.bulk import arrays, insert_rows

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
_INSERT: Final = insert_rows(table, INSERTED)


class RemediationEvents:
    """The log of one transaction."""

    def __init__(self, session: WriteSession) -> None:
        self._session = session

    async def add_many(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Appends events; the database adds time and transaction."""
        await self._session.execute(_INSERT, arrays(events, INSERTED))

    async def created(self, kind: SubjectKind, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What the records with these keys were created with."""
        statement = select(table.c.subject_key, table.c.changes).where(
            table.c.subject_kind == kind,
            table.c.subject_key.in_(keys),
            table.c.kind == EventKind.CREATED,
        )
        return {row.subject_key: row.changes for row in await self._session.execute(statement)}

    async def forget(self, kind: SubjectKind, keys: Sequence[str]) -> None:
        """Removes everything that was told of these records."""
        await self._session.execute(
            delete(table).where(table.c.subject_kind == kind, table.c.subject_key.in_(keys))
        )
