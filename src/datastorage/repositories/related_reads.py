"""Pages of what belongs to others: one for each of many parents, in one statement and one round trip."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Integer, String, column, func, literal, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from datastorage.db.compiled_statement import CompiledStatement, Slot
from datastorage.db.row_pool import RowPool
from datastorage.domain.caller import Scope
from datastorage.domain.kind import Wanted
from datastorage.domain.paging import Order, PageRequest
from datastorage.domain.relation import Relation
from datastorage.limits import STATEMENT_SHAPES_MAX
from datastorage.repositories.keyset import beyond_values, ordered
from datastorage.repositories.record_reads import Reading, page_of, place_in
from datastorage.repositories.record_rows import RecordRows
from datastorage.repositories.record_tables import table_of
from datastorage.repositories.relations import BELONGINGS
from datastorage.repositories.scope import visible

_KEYS: Final = (
    func.unnest(literal([Slot(1)], ARRAY(String)))
    .table_valued(column("key", String))
    .render_derived(name="parents")
)


class RelatedReads:
    """What belongs to what, within a caller's scope; of each record what is `wanted`, or everything."""

    def __init__(self, rows: RowPool, scope: Scope, wanted: Wanted = None) -> None:
        self._rows, self._scope, self._wanted = rows, scope, wanted

    async def pages(
        self, relation: Relation, keys: Sequence[str], request: PageRequest
    ) -> dict[str, tuple[list[Any], bool]]:
        """One page for each key, and whether more lies beyond it. Errors: BadCursor."""
        values: list[Any] = [request.rows + 1, keys]
        position = place_in(BELONGINGS[relation].kind.type_name, request, values)
        statement, shape = _pages(
            relation, self._scope, request.order, position, request.backward, self._wanted
        )
        found: dict[str, list[Any]] = defaultdict(list)
        record, last = shape.record, len(shape.columns)
        for row in await self._rows.fetch(statement.text, statement.arguments(values)):
            found[row[last]].append(record(row))
        return {key: page_of(found.get(key, []), request) for key in keys}


@lru_cache(STATEMENT_SHAPES_MAX)
def _pages(
    relation: Relation,
    scope: Scope,
    order: Order,
    position: tuple[Slot | None, ...] | None,
    backward: bool,
    wanted: Wanted,
) -> Reading:
    belonging = BELONGINGS[relation]
    table = table_of(belonging.kind).table
    shape = RecordRows(belonging.kind.type_name, wanted, (term.column for term in order))
    page = (
        select(*shape.columns)
        .where(belonging.belongs_to(_KEYS.c.key, scope), visible(table, scope))
        .order_by(*ordered(table, order, backward=backward))
        .limit(literal(Slot(0), Integer))
    )
    if position is not None:
        page = page.where(beyond_values(table, order, position, backward=backward))
    rows = page.lateral("page")
    statement = select(*rows.c, _KEYS.c.key.label("parent_key")).join(rows, true())
    return CompiledStatement(statement.select_from(_KEYS)), shape
