"""What a filter means, in plain Python: the yardstick for the SQL that is made of it."""

# ruff: noqa: PLR0911 -- one return for each meaning

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from datastorage.domain.filters import (
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
from datastorage.domain.relation import Relation
from datastorage.domain.remediation import RemediationAudit
from datastorage.search.terms import terms, words

COMPARED: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: operator.eq,
    Operator.NE: operator.ne,
    Operator.IN: lambda held, values: held in values,
    Operator.NOT_IN: lambda held, values: held not in values,
    Operator.GT: operator.gt,
    Operator.GTE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LTE: operator.le,
    Operator.CONTAINS: lambda held, value: value.lower() in held.lower(),
    Operator.STARTS_WITH: lambda held, value: held.lower().startswith(value.lower()),
    Operator.IS_NULL: lambda held, absent: (held is None) is absent,
}
TRUE_OF_NOTHING = (Operator.NE, Operator.NOT_IN, Operator.IS_NULL)  # the only ones that may hold for a null


@dataclass(repr=False)  # hypothesis would print it with every example
class World:
    """All records there are."""

    remediations: Sequence[Any] = ()
    analyses: Sequence[Any] = ()
    workflows: Sequence[Any] = ()
    executions: Sequence[Any] = ()
    text_of: Callable[[RemediationAudit], str] = field(default=lambda _: "")

    def related(self, record: Any, relation: Relation) -> list[Any]:
        """Who belongs to a record, or whom it belongs to."""
        mine = record.remediation_request_id
        match relation:
            case Relation.ANALYSES:
                return [one for one in self.analyses if one.remediation_request_id == mine]
            case Relation.WORKFLOWS:
                return [one for one in self.workflows if one.remediation_request_id == mine]
            case Relation.EXECUTIONS:
                own = {one.workflow_id for one in self.related(record, Relation.WORKFLOWS)}
                return [
                    one
                    for one in self.executions
                    if one.remediation_request_id == mine or one.workflow_id in own
                ]
            case Relation.REMEDIATION:
                return [one for one in self.remediations if one.remediation_request_id == mine]
            case Relation.EXECUTION_REMEDIATION:
                keys = (
                    {one.remediation_request_id for one in self.related(record, Relation.WORKFLOW)}
                    if mine is None
                    else {mine}
                )
                return [one for one in self.remediations if one.remediation_request_id in keys]
            case Relation.WORKFLOW:
                return [one for one in self.workflows if one.workflow_id == record.workflow_id]
            case _:
                return [one for one in self.executions if one.workflow_id == record.workflow_id]

    def holds(self, where: Filter, record: Any) -> bool:
        """Whether a record is kept."""
        match where:
            case AllOf(parts):
                return all(self.holds(part, record) for part in parts)
            case AnyOf(parts):
                return any(self.holds(part, record) for part in parts)
            case Not(part):
                return not self.holds(part, record)
            case Related(relation, inner):
                return any(self.holds(inner, other) for other in self.related(record, relation))
            case AllWords(text):
                return words(text) <= set(terms(self.text_of(record)))
            case JsonContains(column, json):
                return contained(orjson.loads(json), getattr(record, column))
            case JsonCondition():
                return _json_holds(where, getattr(record, where.column))
            case Condition(column, comparison, value):
                held = getattr(record, column)
                return (held is not None or comparison in TRUE_OF_NOTHING) and COMPARED[comparison](
                    held, value
                )


NOTHING = object()


def at(value: Any, path: Sequence[str]) -> Any:
    """What lies at a path, or NOTHING."""
    for key in path:
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.lstrip("-").isdigit() and -len(value) <= int(key) < len(value):
            value = value[int(key)]
        else:
            return NOTHING
    return value


def equal(one: Any, other: Any) -> bool:
    """Equality of JSON: true is not 1, but 1 is 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other


def contained(part: Any, whole: Any) -> bool:
    """PostgreSQL's containment below the top level."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            key in whole and contained(value, whole[key]) for key, value in part.items()
        )
    if isinstance(part, list):
        return isinstance(whole, list) and all(
            any(contained(wanted, held) for held in whole) for wanted in part
        )
    return not isinstance(whole, dict | list) and equal(part, whole)


def _json_holds(where: JsonCondition, value: Any) -> bool:
    held = at(value, where.path)
    if where.operator is Operator.IS_NULL:
        return (held is NOTHING) is where.value
    if where.operator in (Operator.IN, Operator.NOT_IN):
        among = held is not NOTHING and any(equal(held, orjson.loads(one)) for one in where.value)
        return among is (where.operator is Operator.IN)
    wanted = orjson.loads(where.value)
    if where.operator in (Operator.EQ, Operator.NE):
        same = held is not NOTHING and equal(held, wanted)
        return same is (where.operator is Operator.EQ)
    comparable = str if isinstance(wanted, str) else (int, float)
    if isinstance(held, bool) or not isinstance(held, comparable):
        return False
    assert where.operator in (*RANGES, Operator.CONTAINS, Operator.STARTS_WITH)
    return COMPARED[where.operator](held, wanted)
