"""Rows of access_audit. They tell of all namespaces at once, so no scope: services ask who may see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, func, select

from datastorage.db.database import ReadSession, WriteSession
from datastorage.domain.access import Access, AccessEntry
from datastorage.domain.filters import AllOf, Condition, Filter
from datastorage.domain.paging import PageRequest
from datastorage.models import access_audit as table
from datastorage.repositories.bulk import arrays, insert_rows
from datastorage.repositories.comparisons import COMPARISONS
from datastorage.repositories.keyset import beyond, ordered

INSERTED: Final = tuple(column.name for column in table.c if column.name != "id")
_INSERT: Final = insert_rows(table, INSERTED)


class AccessAudit:
    """What can be read of the access audit."""

    def __init__(self, session: ReadSession) -> None:
        self._session = session

    async def page(self, request: PageRequest) -> tuple[list[AccessEntry], bool]:
        """One page, and whether more lies beyond it. Errors: BadCursor."""
        statement = _kept(request.where)
        if request.position is not None:
            statement = statement.where(
                beyond(table, request.order, request.position, backward=request.backward)
            )
        statement = statement.order_by(*ordered(table, request.order, backward=request.backward))
        rows = (await self._session.execute(statement.limit(request.rows + 1))).all()
        entries = [_entry(row) for row in rows[: request.rows]]
        return (entries[::-1] if request.backward else entries), len(rows) > request.rows

    async def count(self, where: Filter, rows_max: int | None) -> int:
        """How many match, counting no further than `rows_max`."""
        found = _kept(where).limit(rows_max).subquery()
        return int(await self._session.scalar(select(func.count()).select_from(found)) or 0)


async def append(session: WriteSession, accesses: Sequence[Access]) -> None:
    """Adds entries."""
    rows = [asdict(access) | {"recorded_at": access.at} for access in accesses]
    await session.execute(_INSERT, arrays(rows, INSERTED))


def _kept(where: Filter) -> Select[Any]:
    return select(table).where(_clause(where))


def _clause(where: Filter) -> ColumnElement[bool]:
    match where:
        case Condition(column, operator, value):
            clause: ColumnElement[bool] = COMPARISONS[operator](table.c[column], value)
            return clause
        case AllOf(parts):
            return and_(True, *(_clause(part) for part in parts))  # noqa: FBT003 -- SQL's true
        case _:
            raise TypeError(f"{type(where).__name__} is no filter of the access audit")


def _entry(row: Row[Any]) -> AccessEntry:
    return AccessEntry(**row._mapping)  # noqa: SLF001 -- SQLAlchemy's public name for it
