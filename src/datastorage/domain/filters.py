"""A filter as a value: a tree of conditions on records. Clauses are made of it in `repositories.filters`.

Logic has two values: a comparison with an absent (null) value is false, `ne` and `not_in` are true for it,
and `Not` turns false into true.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

import orjson

from datastorage.domain.relation import Relation
from datastorage.errors import InvalidInput
from datastorage.limits import (
    FILTER_CONDITIONS_MAX,
    FILTER_DEPTH_MAX,
    FILTER_JSON_BYTES_MAX,
    FILTER_PATH_KEYS_MAX,
    FILTER_VALUES_MAX,
    KEY_CHARS_MAX,
)
from datastorage.search import words


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


RANGES: Final = (Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; text comparisons by `contains` and `starts_with` ignore case."""

    column: str
    operator: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class JsonContains:
    """The JSON object of a column holds all of this one, at any depth; PostgreSQL's `@>`."""

    column: str
    json: str  # compact, keys sorted


@dataclass(frozen=True, slots=True)
class JsonCondition:
    """A comparison of what lies at a path; values of different JSON types are never greater or less.

    `path` goes from the outside in: keys of objects, places in lists counted from 0.
    `value` is JSON as text (for IN and NOT_IN a tuple of them); for IS_NULL whether nothing lies there.
    """

    column: str
    path: tuple[str, ...]
    operator: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class AllWords:
    """The incident's text has all of these words."""

    text: str


@dataclass(frozen=True, slots=True)
class Related:
    """At least one record that belongs to this one (or that this one belongs to) fits."""

    relation: Relation
    where: Filter


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


Leaf: TypeAlias = Condition | JsonContains | JsonCondition | AllWords
Filter: TypeAlias = Leaf | Related | AllOf | AnyOf | Not

EVERYTHING = AllOf()


def asks_for_nothing(where: Filter) -> bool:
    """Whether a filter has no condition at all, so that everything passes."""
    return isinstance(where, AllOf) and all(map(asks_for_nothing, where.parts))


def check_bounds(where: Filter) -> None:
    """Errors: InvalidInput for a filter that is too deep or too large, or that no stored value could fit."""
    conditions = 0
    for depth, part in _walk(where, 1):
        if depth > FILTER_DEPTH_MAX:
            raise _refused(f"is nested deeper than {FILTER_DEPTH_MAX} levels")
        if isinstance(part, AllOf | AnyOf | Not):
            continue
        conditions += 1
        if isinstance(part, AllWords):
            _check_words(part)
        elif isinstance(part, JsonContains):
            _check_json(part.json)
        elif isinstance(part, JsonCondition):
            _check_path(part)
        elif isinstance(part, Condition):
            _check_values(part.value)
    if conditions > FILTER_CONDITIONS_MAX:
        raise _refused(f"has more than {FILTER_CONDITIONS_MAX} conditions")


def _check_values(value: Any) -> None:
    values = value if isinstance(value, tuple) else (value,)
    if len(values) > FILTER_VALUES_MAX:
        raise _refused(f"lists more than {FILTER_VALUES_MAX} values in one `in`")
    if any(isinstance(value, str) and "\x00" in value for value in values):
        raise _refused("compares with text that contains NUL, which no stored text does")


def _check_words(part: AllWords) -> None:
    if len(part.text.encode(errors="replace")) > FILTER_JSON_BYTES_MAX:
        raise _refused(f"searches for a text of more than {FILTER_JSON_BYTES_MAX} bytes")
    if not words(part.text):
        raise _refused("searches for a text without any word in it")


def _check_path(part: JsonCondition) -> None:
    if not 1 <= len(part.path) <= FILTER_PATH_KEYS_MAX:
        raise _refused(f"has a path of {len(part.path)} keys; 1 to {FILTER_PATH_KEYS_MAX} are allowed")
    if any(len(key) > KEY_CHARS_MAX for key in part.path):
        raise _refused(f"has a path with a key of more than {KEY_CHARS_MAX} characters")
    _check_values(part.path)
    _check_values(part.value)
    for value in part.value if isinstance(part.value, tuple) else (part.value,):
        if isinstance(value, str):
            _check_json(value)


def _check_json(value: str) -> None:
    if len(value.encode()) > FILTER_JSON_BYTES_MAX:
        raise _refused(f"compares with JSON of more than {FILTER_JSON_BYTES_MAX} bytes")
    if "\\u0000" in value and _has_nul(orjson.loads(value)):
        raise _refused("compares with text that contains NUL, which no stored text does")


def _has_nul(value: Any) -> bool:
    if isinstance(value, dict):
        return any("\x00" in key or _has_nul(item) for key, item in value.items())
    if isinstance(value, list):
        return any(map(_has_nul, value))
    return isinstance(value, str) and "\x00" in value


def _refused(message: str) -> InvalidInput:
    return InvalidInput.single("filter", message)


def _walk(part: Filter, depth: int) -> Iterator[tuple[int, Filter]]:
    yield depth, part
    if isinstance(part, AllOf | AnyOf):
        for child in part.parts:
            yield from _walk(child, depth + 1)
    elif isinstance(part, Not):
        yield from _walk(part.part, depth + 1)
    elif isinstance(part, Related):
        yield from _walk(part.where, depth + 1)
