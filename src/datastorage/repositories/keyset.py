"""Keyset pages: the order of a list, and the rows that lie beyond a position in it.

Severities are ordered by how severe they are; everything else by its own value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, and_, case, false, or_, tuple_
from sqlalchemy.sql.elements import UnaryExpression

from datastorage.domain.cursor import Values, cursor_value, unreadable
from datastorage.domain.enums import Severity
from datastorage.domain.paging import Order, OrderTerm

RANKS: Final[Mapping[str, dict[str, int]]] = MappingProxyType(
    {"severity": {severity.value: rank for rank, severity in enumerate(reversed(Severity))}}
)


def ordered(table: Table, order: Order, *, backward: bool) -> list[UnaryExpression[Any]]:
    """ORDER BY in the direction of travel."""
    return [_ordered(table, term, backward=backward) for term in order]


def _ordered(table: Table, term: OrderTerm, *, backward: bool) -> UnaryExpression[Any]:
    column, key = table.c[term.column], _key(table, term)
    expression = key.desc() if term.descending is not backward else key.asc()
    if not column.nullable:
        return expression
    return expression.nulls_first() if term.nulls_first is not backward else expression.nulls_last()


def compared(table: Table, order: Order, position: Values) -> list[Any]:
    """What the columns of an order are compared with at a position. Errors: BadCursor for values of a wrong type."""
    return [_value(table, term, value) for term, value in zip(order, position, strict=True)]


def beyond(table: Table, order: Order, position: Values, *, backward: bool) -> ColumnElement[bool]:
    """The rows after (or before) a position. Errors: BadCursor for values of a wrong type."""
    return beyond_values(table, order, compared(table, order, position), backward=backward)


def beyond_values(
    table: Table, order: Order, values: Sequence[Any], *, backward: bool
) -> ColumnElement[bool]:
    """The same for values that are `compared` already, or stand for such."""
    descending = {term.descending for term in order}
    if len(descending) == 1 and not any(table.c[term.column].nullable for term in order):
        row = tuple_(*(_key(table, term) for term in order))
        return row < tuple(values) if descending.pop() is not backward else row > tuple(values)
    steps = []
    equal: list[ColumnElement[bool]] = []
    for term, value in zip(order, values, strict=True):
        steps.append(and_(*equal, _past(table, term, value, backward=backward)))
        equal.append(_key(table, term).is_not_distinct_from(value))
    return or_(*steps)


def _past(table: Table, term: OrderTerm, value: Any, *, backward: bool) -> ColumnElement[bool]:
    """The rows that one column alone places beyond a value, absent values included."""
    column = table.c[term.column]
    nulls_first = term.nulls_first is not backward
    if value is None:
        return column.is_not(None) if nulls_first else false()
    key = _key(table, term)
    past = key < value if term.descending is not backward else key > value
    return or_(past, column.is_(None)) if column.nullable and not nulls_first else past


def _key(table: Table, term: OrderTerm) -> ColumnElement[Any]:
    """What a column is ordered by."""
    column = table.c[term.column]
    ranks = RANKS.get(term.column)
    return column if ranks is None else case(ranks, value=column)


def _value(table: Table, term: OrderTerm, value: Any) -> Any:
    column = table.c[term.column]
    held = cursor_value(column.type.python_type, value, nullable=bool(column.nullable))
    ranks = RANKS.get(term.column)
    if ranks is None:
        return held
    if held not in ranks:
        raise unreadable()
    return ranks[held]
