"""Pages of lists that are held in memory: the same order, cursors and errors as pages of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from datastorage.domain.column_types import column_types
from datastorage.domain.cursor import Values, cursor_value
from datastorage.domain.kind import R, RecordKind
from datastorage.domain.paging import Order, OrderTerm, Page, PageRequest


def page_of(kind: RecordKind[R], rows: Sequence[R], request: PageRequest) -> Page[R]:
    """One page of these rows. Errors: BadCursor for values of a wrong type."""

    async def count(rows_max: int | None) -> int:
        return len(rows) if rows_max is None else min(rows_max, len(rows))

    beyond = in_order(rows, request.order)
    if request.position is not None:
        place = _place(kind, request.order, request.position)
        wanted = -1 if request.backward else 1
        beyond = [row for row in beyond if _side(row, request.order, place) == wanted]
    nodes = beyond[-request.rows :] if request.backward else beyond[: request.rows]
    return Page(request, nodes, len(beyond) > len(nodes), count)


def in_order(rows: Sequence[R], order: Order) -> list[R]:
    """The rows by each column in turn, from the least weighty to the weightiest."""
    ordered = list(rows)
    for term in reversed(order):
        ordered = _by(ordered, term)
    return ordered


def _by(rows: Sequence[R], term: OrderTerm) -> list[R]:
    absent = [row for row in rows if getattr(row, term.column) is None]
    present = [row for row in rows if getattr(row, term.column) is not None]
    present.sort(
        key=lambda row: getattr(row, term.column), reverse=term.descending
    )  # equal ones stay in order
    return absent + present if term.nulls_first else present + absent


def _place(kind: RecordKind[R], order: Order, position: Values) -> Values:
    types = column_types(kind.record)
    return tuple(
        cursor_value(types[term.column].ordered_as, value, nullable=types[term.column].nullable)
        for term, value in zip(order, position, strict=True)
    )


def _side(row: Any, order: Order, place: Values) -> int:
    """-1 before the place, 1 after it, 0 at it."""
    for term, there in zip(order, place, strict=True):
        here = getattr(row, term.column)
        if here == there:
            continue
        if here is None or there is None:
            first = here is None
            return -1 if first is term.nulls_first else 1
        return -1 if (here > there) is term.descending else 1
    return 0
