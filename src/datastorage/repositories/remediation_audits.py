"""Rows of remediation_audit within a caller's scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, bindparam, delete, func, select, update

from datastorage.db.database import ReadSession, WriteSession
from datastorage.domain.caller import Scope
from datastorage.domain.filters import Filter
from datastorage.domain.paging import NEWEST_FIRST, PageRequest
from datastorage.domain.remediation import MUTABLE, RemediationAudit
from datastorage.models import remediation_audit as table
from datastorage.repositories.bulk import arrays, insert_rows
from datastorage.repositories.filters import clause
from datastorage.repositories.keyset import beyond, ordered
from datastorage.repositories.scope import visible

RECORD_COLUMNS: Final = tuple(column for column in table.c if column.name != "content_hash")
INSERTED: Final = tuple(
    column.name for column in table.c if column.name not in ("version", "created_at", "updated_at")
)
DERIVED: Final = ("duration_ms", "target_kind", "target_namespace", "target_name", "content_hash")

_INSERT: Final = (
    insert_rows(table, INSERTED)
    .on_conflict_do_nothing(index_elements=["remediation_request_id"])
    .returning(*RECORD_COLUMNS)
)
_UPDATE: Final = (
    update(table)
    .where(table.c.id == bindparam("row_id"))
    .values({name: bindparam(f"new_{name}") for name in (*MUTABLE, *DERIVED)})
    .values(version=table.c.version + 1, updated_at=func.clock_timestamp())
    .returning(*RECORD_COLUMNS)
)


class RemediationAudits:
    """What a caller can read and write of remediation audits."""

    def __init__(self, session: ReadSession | WriteSession, scope: Scope) -> None:
        self._session, self._scope = session, scope

    def visible(self) -> Select[Any]:
        """The start of every read: only rows within the scope."""
        return select(*RECORD_COLUMNS).where(visible(table, self._scope))

    async def by_id(self, row_id: int) -> RemediationAudit | None:
        """The audit with this number."""
        return await self._one(self.visible().where(table.c.id == row_id))

    async def by_request_id(self, request_id: str) -> RemediationAudit | None:
        """The audit of this remediation request."""
        return await self._one(self.visible().where(table.c.remediation_request_id == request_id))

    async def locked(self, row_id: int) -> RemediationAudit | None:
        """The audit with this number, which no other transaction may change until this one ends."""
        return await self._one(self.visible().where(table.c.id == row_id).with_for_update())

    async def by_ids(self, row_ids: Sequence[int]) -> dict[int, RemediationAudit]:
        """The audits with these numbers."""
        rows = await self._session.execute(self.visible().where(table.c.id.in_(row_ids)))
        return {row.id: _record(row) for row in rows}

    async def by_request_ids(self, request_ids: Sequence[str]) -> dict[str, RemediationAudit]:
        """The audits of these remediation requests."""
        rows = await self._session.execute(
            self.visible().where(table.c.remediation_request_id.in_(request_ids))
        )
        return {row.remediation_request_id: _record(row) for row in rows}

    async def page(self, request: PageRequest) -> tuple[list[RemediationAudit], bool]:
        """One page of a filtered, ordered list, and whether more lies beyond it. Errors: BadCursor."""
        statement = self.visible().where(clause(table, request.where))
        if request.position is not None:
            statement = statement.where(
                beyond(table, request.order, request.position, backward=request.backward)
            )
        statement = statement.order_by(*ordered(table, request.order, backward=request.backward))
        found = [_record(row) for row in await self._session.execute(statement.limit(request.rows + 1))]
        nodes = found[: request.rows]  # the extra row only tells that there is more
        if request.backward:
            nodes.reverse()
        return nodes, len(found) > request.rows

    async def newest(self, where: Filter, rows_max: int) -> list[int]:
        """Numbers of the newest matching audits."""
        statement = select(table.c.id).where(matching(where, self._scope))
        return list(
            await self._session.scalars(
                statement.order_by(*ordered(table, NEWEST_FIRST, backward=False)).limit(rows_max)
            )
        )

    async def count(self, where: Filter, rows_max: int | None) -> int:
        """How many rows match, counting no further than `rows_max`."""
        matching = select(table.c.id).where(visible(table, self._scope), clause(table, where)).limit(rows_max)
        counted = await self._session.scalar(select(func.count()).select_from(matching.subquery()))
        return int(counted or 0)

    async def add_many(self, rows: Sequence[Mapping[str, Any]]) -> list[RemediationAudit]:
        """Inserts the rows whose request id is free, and returns just those. Scope is the caller's duty."""
        inserted = await self._session.execute(_INSERT, arrays(rows, INSERTED))
        return [_record(row) for row in inserted]

    async def change(self, audit: RemediationAudit, content_hash: bytes) -> RemediationAudit:
        """Writes the changed fields of a locked audit, one version up."""
        values = {f"new_{name}": getattr(audit, name) for name in (*MUTABLE, *DERIVED[:-1])}
        values |= {"new_content_hash": content_hash, "row_id": audit.id}
        return _record((await self._session.execute(_UPDATE, values)).one())

    async def delete(self, request_ids: Sequence[str]) -> list[RemediationAudit]:
        """Deletes the visible audits of these remediation requests, and returns what they were."""
        statement = (
            delete(table)
            .where(visible(table, self._scope), table.c.remediation_request_id.in_(request_ids))
            .returning(*RECORD_COLUMNS)
        )
        return [_record(row) for row in await self._session.execute(statement)]

    async def _one(self, statement: Select[Any]) -> RemediationAudit | None:
        row = (await self._session.execute(statement)).one_or_none()
        return None if row is None else _record(row)


def matching(where: Filter, scope: Scope) -> ColumnElement[bool]:
    """The rows that a caller's filter leaves, for repositories that join them."""
    return visible(table, scope) & clause(table, where)


def _record(row: Row[Any]) -> RemediationAudit:
    return RemediationAudit(**row._mapping)  # noqa: SLF001 -- SQLAlchemy's public name for it
