"""Comparisons of what lies at a path in a JSON column; path and values are bound parameters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Numeric, Text, and_, any_, case, collate, false, func, literal, true
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from datastorage.domain.filters import RANGES, JsonCondition, Operator
from datastorage.repositories.comparisons import COMPARISONS

Clause = ColumnElement[bool]

_PLACE: Final = re.compile(r"\s*[-+]?\d+\s*")  # a key that PostgreSQL would also take for a place in a list


def contains_json(column: Any, wanted: str) -> Clause:
    """The rows whose JSON holds all of this one."""
    return cast("Clause", column.contains(_json(wanted)))


def json_condition(column: Any, condition: JsonCondition) -> Clause:
    """The rows whose JSON compares so at the path; absent is neither equal, greater nor less."""
    path = literal(list(condition.path), ARRAY(Text()))
    held = column.op("#>", return_type=JSONB())(path)
    if condition.operator is Operator.EQ:
        return and_(_contained(column, condition), held == _json(condition.value))
    if condition.operator in _OF_ANY_TYPE:
        return _OF_ANY_TYPE[condition.operator](held, condition.value)
    compare, value = COMPARISONS[condition.operator], json.loads(condition.value)
    if isinstance(value, str):
        text = column.op("#>>", return_type=Text())(path)
        compared = collate(text, "C") if condition.operator in RANGES else text
        return _if(held, "string", compare(compared, value))
    number = sql_cast(literal(condition.value, Text()), Numeric())
    return _if(held, "number", compare(sql_cast(held, Numeric()), number))


_OF_ANY_TYPE: Final[Mapping[Operator, Callable[[Any, Any], Clause]]] = MappingProxyType(
    {
        Operator.NE: lambda held, value: held.is_distinct_from(_json(value)),
        Operator.IN: lambda held, values: held == any_(_jsons(values)),
        Operator.NOT_IN: lambda held, values: (held == any_(_jsons(values))).is_not(true()),
        Operator.IS_NULL: COMPARISONS[Operator.IS_NULL],
    }
)


def _if(held: Any, kind: str, compared: Clause) -> Clause:
    """CASE, because PostgreSQL is free to cast before it looks at the type, and that would be an error."""
    return case((func.jsonb_typeof(held) == kind, compared), else_=false())


def _contained(column: Any, condition: JsonCondition) -> Clause:
    """What equals at a path is also contained, and containment is what the index serves."""
    if any(_PLACE.fullmatch(key) for key in condition.path):
        return true()
    nested = json.loads(condition.value)
    for key in reversed(condition.path):
        nested = {key: nested}
    return contains_json(column, json.dumps(nested))


def _json(text: str) -> Any:
    return sql_cast(literal(text, Text()), JSONB())


def _jsons(texts: tuple[str, ...]) -> Any:
    return sql_cast(literal(list(texts), ARRAY(Text())), ARRAY(JSONB()))
