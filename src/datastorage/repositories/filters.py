"""A filter value as one SQL clause with bound parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Table, Text, and_, any_, false, literal, or_, true
from sqlalchemy.dialects.postgresql import ARRAY

from datastorage.domain.filters import AllOf, AnyOf, Condition, Filter, Not, Operator

Column = ColumnElement[Any]
Clause = ColumnElement[bool]


def _one_of(column: Column, values: tuple[Any, ...]) -> Clause:
    """One array instead of a parameter per value: one statement for lists of any length, and no limit of theirs."""
    kind = Text() if column.type.python_type is str else column.type
    return column == any_(literal(list(values), ARRAY(kind)))


_CLAUSES: dict[Operator, Callable[[Column, Any], Clause]] = {
    Operator.EQ: lambda column, value: column == value,
    Operator.NE: lambda column, value: column.is_distinct_from(value),
    Operator.IN: _one_of,
    Operator.NOT_IN: lambda column, values: _one_of(column, values).is_not(true()),
    Operator.GT: lambda column, value: column > value,
    Operator.GTE: lambda column, value: column >= value,
    Operator.LT: lambda column, value: column < value,
    Operator.LTE: lambda column, value: column <= value,
    Operator.CONTAINS: lambda column, value: column.icontains(value, autoescape=True),
    Operator.STARTS_WITH: lambda column, value: column.istartswith(value, autoescape=True),
    Operator.IS_NULL: lambda column, absent: column.is_(None) if absent else column.is_not(None),
}


def clause(table: Table, where: Filter) -> Clause:
    """The rows of `table` for which the filter is true."""
    match where:
        case Condition(column, operator, value):
            return _CLAUSES[operator](table.c[column], value)
        case AllOf(parts):
            return and_(true(), *(clause(table, part) for part in parts))
        case AnyOf(parts):
            return or_(false(), *(clause(table, part) for part in parts))
        case Not(part):
            return clause(table, part).is_not(true())  # null counts as false, so its negation is true
