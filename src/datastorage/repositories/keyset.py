"""Keyset pages: the order of a list, and the rows that lie beyond a position in it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Table, and_, false, or_, tuple_
from sqlalchemy.sql.elements import UnaryExpression

from datastorage.domain.paging import Order, OrderTerm, Values, cursor_value


def ordered(table: Table, order: Order, *, backward: bool) -> list[UnaryExpression[Any]]:
    """ORDER BY in the direction of travel."""
    return [_ordered(table, term, backward=backward) for term in order]


def _ordered(table: Table, term: OrderTerm, *, backward: bool) -> UnaryExpression[Any]:
    column = table.c[term.column]
    expression = column.desc() if term.descending is not backward else column.asc()
    if not column.nullable:
        return expression
    return expression.nulls_first() if term.nulls_first is not backward else expression.nulls_last()


def beyond(table: Table, order: Order, position: Values, *, backward: bool) -> ColumnElement[bool]:
    """The rows after (or before) a position. Errors: BadCursor for values of a wrong type."""
    values = [_value(table, term, value) for term, value in zip(order, position, strict=True)]
    descending = {term.descending for term in order}
    if len(descending) == 1 and not any(table.c[term.column].nullable for term in order):
        row = tuple_(*(table.c[term.column] for term in order))
        return row < tuple(values) if descending.pop() is not backward else row > tuple(values)
    steps = []
    equal: list[ColumnElement[bool]] = []
    for term, value in zip(order, values, strict=True):
        steps.append(and_(*equal, _past(table, term, value, backward=backward)))
        equal.append(table.c[term.column].is_not_distinct_from(value))
    return or_(*steps)


def _past(table: Table, term: OrderTerm, value: Any, *, backward: bool) -> ColumnElement[bool]:
    """The rows that one column alone places beyond a value, absent values included."""
    column = table.c[term.column]
    nulls_first = term.nulls_first is not backward
    if value is None:
        return column.is_not(None) if nulls_first else false()
    past = column < value if term.descending is not backward else column > value
    return or_(past, column.is_(None)) if column.nullable and not nulls_first else past


def _value(table: Table, term: OrderTerm, value: Any) -> Any:
    column = table.c[term.column]
    return cursor_value(column.type.python_type, value, nullable=bool(column.nullable))
