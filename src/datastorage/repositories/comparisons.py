"""One column compared with one value, as SQL with bound parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, Text, and_, any_, false, func, literal, true
from sqlalchemy.dialects.postgresql import ARRAY

from datastorage.domain.filters import Operator

Column = ColumnElement[Any]
Clause = ColumnElement[bool]

# Columns whose grammar knows lower case only: their plain index serves comparisons that ignore case.
LOWER_CASE: Final = ("name", "namespace", "environment")


def _one_of(column: Column, values: tuple[Any, ...]) -> Clause:
    """One array instead of a parameter per value: one statement for lists of any length, and no limit of theirs."""
    kind = Text() if column.type.python_type is str else column.type
    return column == any_(literal(list(values), ARRAY(kind)))


def _starts_with(column: Column, prefix: str) -> Clause:
    """On keys a range, which an index serves whatever the plan; on free text a pattern."""
    if getattr(column.type, "collation", None) != "C":
        return column.istartswith(prefix, autoescape=True)
    if not prefix:
        return column.is_not(None)
    if not prefix.isascii():  # no key is
        return false()
    lowest = prefix.lower()
    beyond = lowest[:-1] + chr(ord(lowest[-1]) + 1)
    folded = column if column.name in LOWER_CASE else func.lower(column)
    return and_(folded >= lowest, folded < beyond)


COMPARISONS: Final[Mapping[Operator, Callable[[Any, Any], Clause]]] = MappingProxyType(
    {
        Operator.EQ: lambda column, value: column == value,
        Operator.NE: lambda column, value: column.is_distinct_from(value),
        Operator.IN: _one_of,
        Operator.NOT_IN: lambda column, values: _one_of(column, values).is_not(true()),
        Operator.GT: lambda column, value: column > value,
        Operator.GTE: lambda column, value: column >= value,
        Operator.LT: lambda column, value: column < value,
        Operator.LTE: lambda column, value: column <= value,
        Operator.CONTAINS: lambda column, value: column.icontains(value, autoescape=True),
        Operator.STARTS_WITH: _starts_with,
        Operator.IS_NULL: lambda column, absent: column.is_(None) if absent else column.is_not(None),
    }
)

# What becomes of the compared value: one parameter as it is, an array; whatever else depends on the value itself.
BOUND_AS_IT_IS: Final = frozenset(
    {Operator.EQ, Operator.NE, Operator.GT, Operator.GTE, Operator.LT, Operator.LTE}
)
BOUND_AS_LIST: Final = frozenset({Operator.IN, Operator.NOT_IN})
