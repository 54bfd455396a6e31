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
from datastorage.graphql.scalars import BigInt


def op(description: str, name: str | None = None) -> Any:
    """An optional comparison."""
    return strawberry.field(default=strawberry.UNSET, name=name, description=description)


EQ, NE = "Equal to.", "Not equal to; true where there is no value."
IN, NOT_IN = "One of, at most 500.", "None of; true where there is no value."
GT, GTE, LT, LTE = "Greater than.", "Greater than or equal to.", "Less than.", "Less than or equal to."
CONTAINS, STARTS_WITH = "Contains, ignoring case.", "Starts with, ignoring case."
IS_NULL = "True: has no value. False: has one."


@strawberry.input(description="Comparisons of a name or key; all that are given must hold.")
class StringFilter:
    """Comparisons of a required string."""

    eq: str | None = op(EQ)
    ne: str | None = op(NE)
    in_: list[str] | None = op(IN, "in")
    not_in: list[str] | None = op(NOT_IN)
    gt: str | None = op(GT)
    gte: str | None = op(GTE)
    lt: str | None = op(LT)
    lte: str | None = op(LTE)
    contains: str | None = op(CONTAINS)
    starts_with: str | None = op(STARTS_WITH)


@strawberry.input(description="Comparisons of an optional text; all that are given must hold.")
class TextFilter:
    """Comparisons of an optional text."""

    eq: str | None = op(EQ)
    ne: str | None = op(NE)
    in_: list[str] | None = op(IN, "in")
    not_in: list[str] | None = op(NOT_IN)
    contains: str | None = op(CONTAINS)
    starts_with: str | None = op(STARTS_WITH)
    is_null: bool | None = op(IS_NULL)


@strawberry.input(description="Comparisons of a phase; all that are given must hold.")
class PhaseFilter:
    """Comparisons of a phase."""

    eq: Phase | None = op(EQ)
    ne: Phase | None = op(NE)
    in_: list[Phase] | None = op(IN, "in")
    not_in: list[Phase] | None = op(NOT_IN)


@strawberry.input(description="Comparisons of a status; all that are given must hold.")
class StatusFilter:
    """Comparisons of a status."""

    eq: Status | None = op(EQ)
    ne: Status | None = op(NE)
    in_: list[Status] | None = op(IN, "in")
    not_in: list[Status] | None = op(NOT_IN)


@strawberry.input(description="Comparisons of a severity; all that are given must hold.")
class SeverityFilter:
    """Comparisons of a severity."""

    eq: Severity | None = op(EQ)
    ne: Severity | None = op(NE)
    in_: list[Severity] | None = op(IN, "in")
    not_in: list[Severity] | None = op(NOT_IN)


@strawberry.input(description="Comparisons of a workflow's phase; all that are given must hold.")
class WorkflowPhaseFilter:
    """Comparisons of a workflow's phase."""

    eq: WorkflowPhase | None = op(EQ)
    ne: WorkflowPhase | None = op(NE)
    in_: list[WorkflowPhase] | None = op(IN, "in")
    not_in: list[WorkflowPhase] | None = op(NOT_IN)


@strawberry.input(description="Comparison of a yes or no.")
class BooleanFilter:
    """Comparison of a boolean."""

    eq: bool | None = op(EQ)


@strawberry.input(description="Comparisons of a fraction; all that are given must hold.")
class FloatFilter:
    """Comparisons of a number with decimals."""

    eq: float | None = op(EQ)
    ne: float | None = op(NE)
    gt: float | None = op(GT)
    gte: float | None = op(GTE)
    lt: float | None = op(LT)
    lte: float | None = op(LTE)


@strawberry.input(description="Comparisons of a time; all that are given must hold.")
class DateTimeFilter:
    """Comparisons of a time."""

    eq: datetime | None = op(EQ)
    ne: datetime | None = op(NE)
    gt: datetime | None = op("Later than.")
    gte: datetime | None = op("At or later than.")
    lt: datetime | None = op("Earlier than.")
    lte: datetime | None = op("At or earlier than.")
    is_null: bool | None = op(IS_NULL)


@strawberry.input(description="Comparisons of a count; all that are given must hold.")
class IntFilter:
    """Comparisons of a number of 32 bits."""

    eq: int | None = op(EQ)
    ne: int | None = op(NE)
    in_: list[int] | None = op(IN, "in")
    not_in: list[int] | None = op(NOT_IN)
    gt: int | None = op(GT)
    gte: int | None = op(GTE)
    lt: int | None = op(LT)
    lte: int | None = op(LTE)


@strawberry.input(description="Comparisons of a number; all that are given must hold.")
class BigIntFilter:
    """Comparisons of a whole number."""

    eq: BigInt | None = op(EQ)
    ne: BigInt | None = op(NE)
    in_: list[BigInt] | None = op(IN, "in")
    not_in: list[BigInt] | None = op(NOT_IN)
    gt: BigInt | None = op(GT)
    gte: BigInt | None = op(GTE)
    lt: BigInt | None = op(LT)
    lte: BigInt | None = op(LTE)
    is_null: bool | None = op(IS_NULL)


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
