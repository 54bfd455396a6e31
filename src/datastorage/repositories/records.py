"""Rows of the audit tables, and of the event log, within a caller's scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic

from sqlalchemy import ColumnElement, Row, Select, func, select

from datastorage.db.database import ReadSession, WriteSession
from datastorage.domain.caller import Scope
from datastorage.domain.filters import Filter
from datastorage.domain.kind import R, RecordKind
from datastorage.domain.paging import PageRequest, total_order
from datastorage.repositories.bulk import arrays
from datastorage.repositories.filters import clause
from datastorage.repositories.keyset import beyond, ordered
from datastorage.repositories.record_tables import table_of
from datastorage.repositories.scope import visible


class Records(Generic[R]):
    """What a caller can read of one kind of record."""

    def __init__(self, session: ReadSession | WriteSession, scope: Scope, kind: RecordKind[R]) -> None:
        self._session, self._scope, self._kind = session, scope, kind
        self._home = table_of(kind)
        self._table = self._home.table

    def visible(self) -> Select[Any]:
        """The start of every read: only rows within the scope."""
        return select(*self._home.record_columns).where(visible(self._table, self._scope))

    async def by_id(self, row_id: int) -> R | None:
        """The audit with this number."""
        return await self._one(self.visible().where(self._table.c.id == row_id))

    async def by_key(self, key: str) -> R | None:
        """The audit with this natural key."""
        return await self._one(self.visible().where(self._home.key == key))

    async def by_ids(self, row_ids: Sequence[int]) -> dict[int, R]:
        """The audits with these numbers."""
        rows = await self._session.execute(self.visible().where(self._table.c.id.in_(row_ids)))
        return {row.id: self._record(row) for row in rows}

    async def by_keys(self, keys: Sequence[str]) -> dict[str, R]:
        """The audits with these natural keys."""
        records = await self._all(self.visible().where(self._home.key.in_(keys)))
        return {self._kind.key_of(record): record for record in records}

    async def page(self, request: PageRequest) -> tuple[list[R], bool]:
        """One page of a filtered, ordered list, and whether more lies beyond it. Errors: BadCursor."""
        statement = self.visible().where(clause(self._kind, request.where, self._scope))
        if request.position is not None:
            statement = statement.where(
                beyond(self._table, request.order, request.position, backward=request.backward)
            )
        statement = statement.order_by(*ordered(self._table, request.order, backward=request.backward))
        found = await self._all(statement.limit(request.rows + 1))
        nodes = found[: request.rows]  # the extra row only tells that there is more
        if request.backward:
            nodes.reverse()
        return nodes, len(found) > request.rows

    async def newest(self, where: Filter, rows_max: int) -> list[int]:
        """Numbers of the newest matching audits."""
        statement = select(self._table.c.id).where(matching(self._kind, where, self._scope))
        newest_first = ordered(self._table, total_order((), self._kind.newest_by), backward=False)
        return list(await self._session.scalars(statement.order_by(*newest_first).limit(rows_max)))

    async def count(self, where: Filter, rows_max: int | None) -> int:
        """How many rows match, counting no further than `rows_max`."""
        found = select(self._table.c.id).where(matching(self._kind, where, self._scope)).limit(rows_max)
        counted = await self._session.scalar(select(func.count()).select_from(found.subquery()))
        return int(counted or 0)

    async def _one(self, statement: Select[Any]) -> R | None:
        row = (await self._session.execute(statement)).one_or_none()
        return None if row is None else self._record(row)

    async def _all(self, statement: Select[Any]) -> list[R]:
        return [self._record(row) for row in await self._session.execute(statement)]

    def _record(self, row: Row[Any]) -> R:
        return self._kind.record(**row._mapping)  # noqa: SLF001 -- SQLAlchemy's public name for it


class RecordsWriter(Records[R]):
    """The same in a transaction that may write."""

    def __init__(self, session: WriteSession, scope: Scope, kind: RecordKind[R]) -> None:
        super().__init__(session, scope, kind)

    async def locked(self, row_id: int) -> R | None:
        """The audit with this number, which no other transaction may change until this one ends."""
        return await self._one(self.visible().where(self._table.c.id == row_id).with_for_update())

    async def locked_by_keys(self, keys: Sequence[str]) -> dict[str, R]:
        """The audits with these natural keys, locked in one order for all writers."""
        statement = self.visible().where(self._home.key.in_(keys)).order_by(self._table.c.id)
        return {self._kind.key_of(record): record for record in await self._all(statement.with_for_update())}

    async def add_many(self, rows: Sequence[Mapping[str, Any]]) -> list[R]:
        """Inserts the rows whose key is free, and returns just those. Scope is the caller's duty."""
        columns = self._home.inserted
        inserted = await self._session.execute(self._home.insert, arrays(rows, columns))
        return [self._record(row) for row in inserted]

    async def change(self, audit: R, hidden: Mapping[str, Any]) -> R:
        """Writes the changed fields of a locked audit, one version up; `hidden` are columns outside the record."""
        values = {
            f"new_{name}": hidden[name] if name in hidden else getattr(audit, name)
            for name in self._home.changed
        }
        row = (await self._session.execute(self._home.update, {**values, "row_id": audit.id})).one()
        return self._record(row)


def matching(kind: RecordKind[Any], where: Filter, scope: Scope) -> ColumnElement[bool]:
    """The rows that a caller's filter leaves, for repositories that join them."""
    table = table_of(kind).table
    return visible(table, scope) & clause(kind, where, scope)
