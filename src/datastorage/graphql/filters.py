"""Filter inputs: comparisons that fit a type, and how an input becomes a filter value."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

import strawberry

from datastorage.domain.filters import EVERYTHING, AllOf, AnyOf, Condition, Filter, Not, Operator
from datastorage.domain.names import camel
from datastorage.errors import InvalidInput
from datastorage.graphql.enums import Phase, Severity, Status, WorkflowPhase
from datastorage.graphql.input import optional
from datastorage.graphql.scalars import BigInt

EQ, NE = "Equal to.", "Not equal to; true where there is no value."
IN, NOT_IN = "One of, at most 500.", "None of; true where there is no value."
GT, GTE, LT, LTE = "Greater than.", "Greater than or equal to.", "Less than.", "Less than or equal to."
CONTAINS, STARTS_WITH = "Contains, ignoring case.", "Starts with, ignoring case."
IS_NULL = "True: has no value. False: has one."


@strawberry.input(description="Comparisons of a name or key; all that are given must hold.")
class StringFilter:
    """Comparisons of a required string."""

    eq: str | None = optional(EQ)
    ne: str | None = optional(NE)
    in_: list[str] | None = optional(IN, name="in")
    not_in: list[str] | None = optional(NOT_IN)
    gt: str | None = optional(GT)
    gte: str | None = optional(GTE)
    lt: str | None = optional(LT)
    lte: str | None = optional(LTE)
    contains: str | None = optional(CONTAINS)
    starts_with: str | None = optional(STARTS_WITH)


@strawberry.input(description="Comparisons of an optional text; all that are given must hold.")
class TextFilter:
    """Comparisons of an optional text."""

    eq: str | None = optional(EQ)
    ne: str | None = optional(NE)
    in_: list[str] | None = optional(IN, name="in")
    not_in: list[str] | None = optional(NOT_IN)
    contains: str | None = optional(CONTAINS)
    starts_with: str | None = optional(STARTS_WITH)
    is_null: bool | None = optional(IS_NULL)


@strawberry.input(description="Comparisons of a phase; all that are given must hold.")
class PhaseFilter:
    """Comparisons of a phase."""

    eq: Phase | None = optional(EQ)
    ne: Phase | None = optional(NE)
    in_: list[Phase] | None = optional(IN, name="in")
    not_in: list[Phase] | None = optional(NOT_IN)


@strawberry.input(description="Comparisons of a status; all that are given must hold.")
class StatusFilter:
    """Comparisons of a status."""

    eq: Status | None = optional(EQ)
    ne: Status | None = optional(NE)
    in_: list[Status] | None = optional(IN, name="in")
    not_in: list[Status] | None = optional(NOT_IN)


@strawberry.input(description="Comparisons of a severity; all that are given must hold.")
class SeverityFilter:
    """Comparisons of a severity."""

    eq: Severity | None = optional(EQ)
    ne: Severity | None = optional(NE)
    in_: list[Severity] | None = optional(IN, name="in")
    not_in: list[Severity] | None = optional(NOT_IN)


@strawberry.input(description="Comparisons of a workflow's phase; all that are given must hold.")
class WorkflowPhaseFilter:
    """Comparisons of a workflow's phase."""

    eq: WorkflowPhase | None = optional(EQ)
    ne: WorkflowPhase | None = optional(NE)
    in_: list[WorkflowPhase] | None = optional(IN, name="in")
    not_in: list[WorkflowPhase] | None = optional(NOT_IN)


@strawberry.input(description="Comparison of a yes or no.")
class BooleanFilter:
    """Comparison of a boolean."""

    eq: bool | None = optional(EQ)


@strawberry.input(description="Comparisons of a fraction; all that are given must hold.")
class FloatFilter:
    """Comparisons of a number with decimals."""

    eq: float | None = optional(EQ)
    ne: float | None = optional(NE)
    gt: float | None = optional(GT)
    gte: float | None = optional(GTE)
    lt: float | None = optional(LT)
    lte: float | None = optional(LTE)


@strawberry.input(description="Comparisons of a time; all that are given must hold.")
class DateTimeFilter:
    """Comparisons of a time."""

    eq: datetime | None = optional(EQ)
    ne: datetime | None = optional(NE)
    gt: datetime | None = optional("Later than.")
    gte: datetime | None = optional("At or later than.")
    lt: datetime | None = optional("Earlier than.")
    lte: datetime | None = optional("At or earlier than.")
    is_null: bool | None = optional(IS_NULL)


@strawberry.input(description="Comparisons of a count; all that are given must hold.")
class IntFilter:
    """Comparisons of a number of 32 bits."""

    eq: int | None = optional(EQ)
    ne: int | None = optional(NE)
    in_: list[int] | None = optional(IN, name="in")
    not_in: list[int] | None = optional(NOT_IN)
    gt: int | None = optional(GT)
    gte: int | None = optional(GTE)
    lt: int | None = optional(LT)
    lte: int | None = optional(LTE)


@strawberry.input(description="Comparisons of a number; all that are given must hold.")
class BigIntFilter:
    """Comparisons of a whole number."""

    eq: BigInt | None = optional(EQ)
    ne: BigInt | None = optional(NE)
    in_: list[BigInt] | None = optional(IN, name="in")
    not_in: list[BigInt] | None = optional(NOT_IN)
    gt: BigInt | None = optional(GT)
    gte: BigInt | None = optional(GTE)
    lt: BigInt | None = optional(LT)
    lte: BigInt | None = optional(LTE)
    is_null: bool | None = optional(IS_NULL)


def to_filter(given: Any) -> Filter:
    """A record's filter input as a value: `and`, `or`, `not` and its columns, all of which must hold.

    Errors: InvalidInput, for a null where a comparison needs a value.
    """
    if given is None or given is strawberry.UNSET:
        return EVERYTHING
    parts: list[Filter] = []
    for field in dataclasses.fields(given):
        value = getattr(given, field.name)
        if value is strawberry.UNSET or value is None:
            continue
        if field.name == "and_":
            parts.extend(to_filter(part) for part in value)
        elif field.name == "or_":
            parts.append(AnyOf(tuple(to_filter(part) for part in value)))
        elif field.name == "not_":
            parts.append(Not(to_filter(value)))
        else:
            parts.extend(_conditions(field.name, value))
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _conditions(column: str, comparisons: Any) -> list[Condition]:
    found = []
    for field in dataclasses.fields(comparisons):
        value = getattr(comparisons, field.name)
        if value is strawberry.UNSET:
            continue
        if value is None:
            raise InvalidInput.single("filter", f"compares {camel(column)} with null; use isNull")
        found.append(
            Condition(column, Operator(field.name), tuple(value) if isinstance(value, list) else value)
        )
    return found
