"""A filter without its values: filters of one shape share one statement. Called by `repositories.record_reads`.

Only values that SQL takes as they are become slots. Whatever decides how the SQL reads (a path, the words of a text,
the start of a key) stays in the shape, so that such filters share a statement with their equals only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from datastorage.db.compiled_statement import Slot
from datastorage.domain.filters import AllOf, AnyOf, Condition, Filter, Not, Related
from datastorage.repositories.comparisons import BOUND_AS_IT_IS, BOUND_AS_LIST


def split(where: Filter, values: list[Any]) -> Filter:
    """The shape of a filter; its values are appended to `values`, at the places that its slots name."""
    match where:
        case Condition(column, operator, value) if operator in BOUND_AS_IT_IS and value is not None:
            slot = Slot(len(values))
            values.append(value)
            return Condition(column, operator, slot)
        case Condition(column, operator, value) if operator in BOUND_AS_LIST:
            slot = Slot(len(values))
            values.append(value)
            return Condition(column, operator, (slot,))
        case AllOf(parts) | AnyOf(parts):
            return type(where)(tuple([split(part, values) for part in parts]))
        case Not(part):
            return Not(split(part, values))
        case Related():
            return replace(where, where=split(where.where, values))
        case _:
            return where
