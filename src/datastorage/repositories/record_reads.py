"""Reads that every request waits for: single records, and pages of them. Each is one statement and one round trip.

SQLAlchemy writes the statement, once for each shape: kind, scope, filter without its values, order, direction and
columns. The rest is asyncpg's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Generic

from sqlalchemy import Integer, Select, literal, select

from datastorage.db.compiled_statement import CompiledStatement, Slot
from datastorage.db.row_pool import RowPool
from datastorage.domain.caller import Scope
from datastorage.domain.filters import Filter, Operator
from datastorage.domain.kind import R, RecordKind, Wanted
from datastorage.domain.paging import Order, PageRequest
from datastorage.limits import STATEMENT_SHAPES_MAX
from datastorage.repositories.comparisons import COMPARISONS
from datastorage.repositories.filter_shape import split
from datastorage.repositories.filters import clause
from datastorage.repositories.keyset import beyond_values, compared, ordered
from datastorage.repositories.record_rows import RecordRows
from datastorage.repositories.record_tables import RECORD_TABLES
from datastorage.repositories.scope import visible

Reading = tuple[CompiledStatement, RecordRows]


class RecordReads(Generic[R]):
    """What a caller can read of one kind of record; of each record what is `wanted`, or everything."""

    def __init__(self, rows: RowPool, scope: Scope, kind: RecordKind[R], wanted: Wanted = None) -> None:
        self._rows, self._scope, self._kind, self._wanted = rows, scope, kind, wanted

    async def by_id(self, row_id: int) -> R | None:
        """The record with this number."""
        return await self._one("id", row_id)

    async def by_key(self, key: str) -> R | None:
        """The record with this natural key."""
        return await self._one(self._kind.key, key)

    async def by_keys(self, keys: Sequence[str]) -> dict[str, R]:
        """The records with these natural keys."""
        reading = _by_keys(self._kind.type_name, self._scope, self._wanted)
        return {self._kind.key_of(record): record for record in await self._read(reading, [keys])}

    async def page(self, request: PageRequest) -> tuple[list[R], bool]:
        """One page of a filtered, ordered list, and whether more lies beyond it. Errors: BadCursor."""
        values: list[Any] = [request.rows + 1]  # the extra row only tells that there is more
        where = split(request.where, values)
        position = place_in(self._kind.type_name, request, values)
        reading = _page(
            self._kind.type_name, self._scope, where, request.order, position, request.backward, self._wanted
        )
        return page_of(await self._read(reading, values), request)

    async def _one(self, column: str, value: Any) -> R | None:
        found = await self._read(_by(self._kind.type_name, self._scope, column, self._wanted), [value])
        return found[0] if found else None

    async def _read(self, reading: Reading, values: Sequence[Any]) -> list[R]:
        statement, shape = reading
        record = shape.record
        return [record(row) for row in await self._rows.fetch(statement.text, statement.arguments(values))]


def place_in(type_name: str, request: PageRequest, values: list[Any]) -> tuple[Slot | None, ...] | None:
    """The shape of a page's position; its values are appended. Errors: BadCursor."""
    if request.position is None:
        return None
    held = compared(RECORD_TABLES[type_name].table, request.order, request.position)
    first = len(values)
    values += held
    return tuple(None if value is None else Slot(first + place) for place, value in enumerate(held))


def page_of(found: list[Any], request: PageRequest) -> tuple[list[Any], bool]:
    """The rows of a page in the order of the list, and whether there is more."""
    nodes = found[: request.rows]
    return (nodes[::-1] if request.backward else nodes), len(found) > request.rows


@lru_cache(STATEMENT_SHAPES_MAX)
def _page(
    type_name: str,
    scope: Scope,
    where: Filter,
    order: Order,
    position: tuple[Slot | None, ...] | None,
    backward: bool,
    wanted: Wanted,
) -> Reading:
    home = RECORD_TABLES[type_name]
    rows = RecordRows(type_name, wanted, (term.column for term in order))
    statement = _visible(type_name, scope, rows).where(clause(home.kind, where, scope))
    if position is not None:
        statement = statement.where(beyond_values(home.table, order, position, backward=backward))
    statement = statement.order_by(*ordered(home.table, order, backward=backward))
    return CompiledStatement(statement.limit(literal(Slot(0), Integer))), rows


@lru_cache(STATEMENT_SHAPES_MAX)
def _by(type_name: str, scope: Scope, column: str, wanted: Wanted) -> Reading:
    rows = RecordRows(type_name, wanted)
    named = RECORD_TABLES[type_name].table.c[column]
    return CompiledStatement(_visible(type_name, scope, rows).where(named == Slot(0))), rows


@lru_cache(STATEMENT_SHAPES_MAX)
def _by_keys(type_name: str, scope: Scope, wanted: Wanted) -> Reading:
    home = RECORD_TABLES[type_name]
    rows = RecordRows(type_name, wanted, (home.key.name,))
    among = COMPARISONS[Operator.IN](home.key, (Slot(0),))
    return CompiledStatement(_visible(type_name, scope, rows).where(among)), rows


def _visible(type_name: str, scope: Scope, rows: RecordRows) -> Select[Any]:
    return select(*rows.columns).where(visible(RECORD_TABLES[type_name].table, scope))
