"""Comparisons of a value, one input for each type of column. `graphql.filters` makes conditions of them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from datastorage.graphql.enums import Phase, Severity, Status, WorkflowPhase
from datastorage.graphql.input import optional, required
from datastorage.graphql.scalars import JSON, BigInt, JSONObject

EQ, NE = "Equal to.", "Not equal to; true where there is no value."
IN, NOT_IN = "One of, at most 500.", "None of; true where there is no value."
GT, GTE, LT, LTE = "Greater than.", "Greater than or equal to.", "Less than.", "Less than or equal to."
CONTAINS, STARTS_WITH = "Contains, ignoring case.", "Starts with, ignoring case."
IS_NULL = "True: has no value. False: has one."


@strawberry.input(description="Comparisons of global ids; all that are given must hold.")
class IDFilter:
    """Comparisons of a record's own id."""

    eq: strawberry.ID | None = optional(EQ)
    ne: strawberry.ID | None = optional(NE)
    in_: list[strawberry.ID] | None = optional(IN, name="in")
    not_in: list[strawberry.ID] | None = optional(NOT_IN)


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
    ne: bool | None = optional(NE)


@strawberry.input(description="Comparisons of a fraction; all that are given must hold.")
class FloatFilter:
    """Comparisons of a number with decimals."""

    eq: float | None = optional(EQ)
    ne: float | None = optional(NE)
    in_: list[float] | None = optional(IN, name="in")
    not_in: list[float] | None = optional(NOT_IN)
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


@strawberry.input(
    description="Comparisons of what lies at a path in a JSON object; all that are given must hold. Numbers "
    "compare with numbers and strings with strings; a value of another type is neither greater nor less."
)
class JSONPathFilter:
    """Comparisons of one value inside a JSON column."""

    path: list[str] = required(
        'Keys from the outside in; a place in a list counts from 0: `["alerts", "0", "name"]`.'
    )
    eq: JSON | None = optional(EQ)
    ne: JSON | None = optional("Not equal to; true where nothing lies there.")
    in_: list[JSON] | None = optional(IN, name="in")
    not_in: list[JSON] | None = optional("None of; true where nothing lies there.")
    gt: JSON | None = optional(GT)
    gte: JSON | None = optional(GTE)
    lt: JSON | None = optional(LT)
    lte: JSON | None = optional(LTE)
    contains: str | None = optional("Is a string that contains this, ignoring case.")
    starts_with: str | None = optional("Is a string that starts with this, ignoring case.")
    exists: bool | None = optional("True: something lies there, be it null. False: nothing does.")


@strawberry.input(description="Conditions on a JSON object; all that are given must hold.")
class JSONFilter:
    """Conditions on a JSON column."""

    contains: JSONObject | None = optional(
        'Holds all of this, at any depth: `{team: "shop"}`. The metadata of remediations are indexed for it.'
    )
    path: list[JSONPathFilter] | None = optional(
        "Comparisons of single values inside, all of which must hold."
    )
