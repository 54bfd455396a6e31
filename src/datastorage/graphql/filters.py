"""How the filter input of a record becomes a filter value."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any, Final

import orjson
import strawberry

from datastorage.domain.filters import (
    EVERYTHING,
    RANGES,
    AllOf,
    AllWords,
    AnyOf,
    Condition,
    Filter,
    JsonCondition,
    JsonContains,
    Not,
    Operator,
    Related,
)
from datastorage.domain.names import camel
from datastorage.domain.relation import Relation
from datastorage.errors import InvalidInput
from datastorage.graphql.comparisons import IDFilter, JSONFilter, JSONPathFilter
from datastorage.graphql.node import number_of
from datastorage.limits import FILTER_JSON_BYTES_MAX

# Fields of filter inputs that lead to other records, by their Python names.
RELATIONS: Final = {
    "AiAnalysisAuditFilter": {"remediation": Relation.REMEDIATION},
    "ExecutionAuditFilter": {"remediation": Relation.EXECUTION_REMEDIATION, "workflow": Relation.WORKFLOW},
    "RemediationAuditFilter": {
        "analyses": Relation.ANALYSES,
        "workflows": Relation.WORKFLOWS,
        "executions": Relation.EXECUTIONS,
    },
    "WorkflowAuditFilter": {"remediation": Relation.REMEDIATION, "steps": Relation.WORKFLOW_EXECUTIONS},
}
NEGATED: Final = {"none": False, "every": True}  # quantifiers that deny, and whether they deny the opposite


def to_filter(given: Any) -> Filter:
    """A record's filter input as a value: everything that is given must hold.

    Errors: InvalidInput, for a null where a comparison needs a value.
    """
    if given is None or given is strawberry.UNSET:
        return EVERYTHING
    parts = [part for name, value in _given(given) for part in _parts(type(given).__name__, name, value)]
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _parts(input_name: str, name: str, value: Any) -> Iterator[Filter]:
    """What one field of a filter input asks for."""
    relation = RELATIONS[input_name].get(name)
    if value is None:
        return  # a variable that a dashboard left empty asks for nothing
    if relation is not None:
        yield from _related(relation, value)
    elif name == "and_":
        yield from map(to_filter, value)
    elif name == "or_":
        yield AnyOf(tuple(map(to_filter, value)))
    elif name == "not_":
        yield Not(to_filter(value))
    elif name == "text":
        yield AllWords(value)
    elif isinstance(value, JSONFilter):
        yield from _json(name, value)
    else:
        yield from _conditions(input_name.removesuffix("Filter"), name, value)


def _related(relation: Relation, value: Any) -> Iterator[Filter]:
    if type(value).__name__ in RELATIONS:  # one record
        yield Related(relation, to_filter(value))
        return
    for quantifier, where in _given(value):
        if where is None:
            continue
        fits = to_filter(where)
        if quantifier == "some":
            yield Related(relation, fits)
        else:
            yield Not(Related(relation, Not(fits) if NEGATED[quantifier] else fits))


def _conditions(type_name: str, field: str, comparisons: Any) -> Iterator[Condition]:
    column = "id" if field == "database_id" else field
    for name, value in _compared(field, comparisons):
        compared = tuple(value) if isinstance(value, list) else value
        if isinstance(comparisons, IDFilter):
            compared = _numbers(type_name, compared)
        yield Condition(column, Operator(name), compared)


def _numbers(type_name: str, ids: Any) -> Any:
    if isinstance(ids, tuple):
        return tuple(number_of(one, type_name) for one in ids)
    return number_of(ids, type_name)


def _json(column: str, given: JSONFilter) -> Iterator[Filter]:
    for name, value in _compared(column, given):
        if name == "contains":
            yield JsonContains(column, _canonical(value))
        else:
            for comparisons in value:
                yield from _json_conditions(column, comparisons)


def _json_conditions(column: str, comparisons: JSONPathFilter) -> Iterator[JsonCondition]:
    path = tuple(comparisons.path)
    for name, value in _compared(column, comparisons):
        if name == "path":
            continue
        if name == "exists":
            yield JsonCondition(column, path, Operator.IS_NULL, not value)
            continue
        operator = Operator(name)
        if operator in RANGES and (isinstance(value, bool) or not isinstance(value, int | float | str)):
            raise InvalidInput.single(
                "filter", f"{name} compares {camel(column)} with neither number nor string"
            )
        encoded = (
            tuple(map(_canonical, value)) if isinstance(value, list) and name in _LISTS else _canonical(value)
        )
        yield JsonCondition(column, path, operator, encoded)


_LISTS: Final = (Operator.IN, Operator.NOT_IN)


def _canonical(value: Any) -> str:
    """Compact JSON; the same for the same value, so that cursors know their filter again."""
    try:
        if isinstance(value, dict | list) and len(orjson.dumps(value)) > FILTER_JSON_BYTES_MAX:
            raise InvalidInput.single(
                "filter", f"compares with JSON of more than {FILTER_JSON_BYTES_MAX} bytes"
            )
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
    except (TypeError, ValueError):
        raise InvalidInput.single("filter", "compares with what is no JSON, or nested too deeply") from None


def _compared(field: str, comparisons: Any) -> Iterator[tuple[str, Any]]:
    instead = "exists" if isinstance(comparisons, JSONFilter | JSONPathFilter) else "isNull"
    for name, value in _given(comparisons):
        if value is None:
            raise InvalidInput.single("filter", f"compares {camel(field)} with null; use {instead}")
        yield name, value


def _given(given: Any) -> Iterator[tuple[str, Any]]:
    """The fields of an input that the client sent."""
    for field in dataclasses.fields(given):
        value = getattr(given, field.name)
        if value is not strawberry.UNSET:
            yield field.name, value
