"""A filter as a value: a tree of conditions on columns. Clauses are made of it in `repositories.filters`.

Logic has two values: a comparison with an absent (null) value is false, `ne` and `not_in` are true for it,
and `Not` turns false into true.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from datastorage.errors import InvalidInput
from datastorage.limits import FILTER_CONDITIONS_MAX, FILTER_DEPTH_MAX, FILTER_VALUES_MAX


class Operator(StrEnum):
    """Comparisons of one column with one value (or list of values)."""

    EQ = "eq"
    NE = "ne"
    IN = "in_"
    NOT_IN = "not_in"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    IS_NULL = "is_null"


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; text comparisons by `contains` and `starts_with` ignore case."""

    column: str
    operator: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class AllOf:
    """True when every part is; without parts, always."""

    parts: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True when at least one part is; without parts, never."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True when its part is not."""

    part: Filter


Filter: TypeAlias = Condition | AllOf | AnyOf | Not

EVERYTHING = AllOf()


def check_bounds(where: Filter) -> None:
    """Errors: InvalidInput when a filter is too deep, has too many conditions or values, or text with NUL."""
    conditions = 0
    for depth, part in _walk(where, 1):
        if depth > FILTER_DEPTH_MAX:
            raise InvalidInput.single("filter", f"is nested deeper than {FILTER_DEPTH_MAX} levels")
        if isinstance(part, Condition):
            conditions += 1
            _check_values(part.value if isinstance(part.value, tuple) else (part.value,))
    if conditions > FILTER_CONDITIONS_MAX:
        raise InvalidInput.single("filter", f"has more than {FILTER_CONDITIONS_MAX} conditions")


def _check_values(values: tuple[Any, ...]) -> None:
    if len(values) > FILTER_VALUES_MAX:
        raise InvalidInput.single("filter", f"lists more than {FILTER_VALUES_MAX} values in one `in`")
    if any(isinstance(value, str) and "\x00" in value for value in values):
        raise InvalidInput.single("filter", "compares with text that contains NUL, which no stored text does")


def _walk(part: Filter, depth: int) -> Iterator[tuple[int, Filter]]:
    yield depth, part
    if isinstance(part, AllOf | AnyOf):
        for child in part.parts:
            yield from _walk(child, depth + 1)
    elif isinstance(part, Not):
        yield from _walk(part.part, depth + 1)
