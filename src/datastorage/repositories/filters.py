"""A filter value as one SQL clause with bound parameters. What belongs to a record is looked for in subqueries."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Table,
    and_,
    false,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from datastorage.domain.caller import Scope
from datastorage.domain.filters import (
    AllOf,
    AllWords,
    AnyOf,
    Condition,
    Filter,
    JsonCondition,
    JsonContains,
    Leaf,
    Not,
    Related,
)
from datastorage.domain.kind import RecordKind
from datastorage.models import incident_lexical
from datastorage.repositories.comparisons import COMPARISONS
from datastorage.repositories.filter_relations import LINKS
from datastorage.repositories.json_filters import contains_json, json_condition
from datastorage.repositories.record_tables import table_of
from datastorage.repositories.scope import visible
from datastorage.search import term_number, words

Clause = ColumnElement[bool]


def clause(kind: RecordKind[Any], where: Filter, scope: Scope) -> Clause:
    """The records of a kind for which the filter is true; within the scope, as far as it looks at others."""
    match where:
        case Related():
            return _related(kind, where, scope)
        case AllOf(parts):
            return and_(true(), *(clause(kind, part, scope) for part in parts))
        case AnyOf(parts):
            return or_(false(), *(clause(kind, part, scope) for part in parts))
        case Not(part):
            return clause(kind, part, scope).is_not(true())  # null counts as false, so its negation is true
        case _:
            return _own(table_of(kind).table, where)


def clause_on(table: Table, where: Filter) -> Clause | None:
    """The same for a table that repeats some of a record's columns; None if the filter looks at others."""
    match where:
        case Condition() if where.column in table.c:
            return _own(table, where)
        case AllOf(parts) | AnyOf(parts):
            clauses = [clause_on(table, part) for part in parts]
            together = [part for part in clauses if part is not None]
            if len(together) < len(clauses):
                return None
            return and_(true(), *together) if isinstance(where, AllOf) else or_(false(), *together)
        case Not(part):
            inner = clause_on(table, part)
            return None if inner is None else inner.is_not(true())
        case _:
            return None


def _own(table: Table, where: Leaf) -> Clause:
    """A condition on the record itself."""
    match where:
        case Condition(column, operator, value):
            return COMPARISONS[operator](table.c[column], value)
        case JsonContains(column, json):
            return contains_json(table.c[column], json)
        case JsonCondition():
            return json_condition(table.c[where.column], where)
        case AllWords(text):
            return table.c.id.in_(_with_words(text))


def _with_words(text: str) -> Any:
    numbers = sorted({term_number(word) for word in words(text)})
    has_all = incident_lexical.c.terms.contains(literal(numbers, ARRAY(Integer)))
    return select(incident_lexical.c.audit_id).where(has_all)


def _related(kind: RecordKind[Any], where: Related, scope: Scope) -> Clause:
    link = LINKS[kind.type_name, where.relation]
    other = table_of(link.kind).table
    return link.among(visible(other, scope) & clause(link.kind, where.where, scope), scope)
