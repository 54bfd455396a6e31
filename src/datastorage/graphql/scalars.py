"""Scalars of the API and how they read and write values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from datastorage.limits import BIGINT_MAX

BigInt = NewType("BigInt", int)
JSONObject = NewType("JSONObject", dict)  # type: ignore[type-arg]
JSON = NewType("JSON", object)


def parse_big_int(value: Any) -> int:
    """A number, or its decimal digits in a string."""
    if isinstance(value, str):
        try:
            value = int(value)
        except ValueError:
            raise ValueError("BigInt must be a whole number") from None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("BigInt must be a whole number")  # noqa: TRY004 -- graphql-core wants ValueError
    if abs(value) > BIGINT_MAX:
        raise ValueError("BigInt must fit into 64 bits")
    return value


def parse_time(value: Any) -> datetime:
    """RFC 3339, with a time zone."""
    if not isinstance(value, str):
        raise ValueError("DateTime must be a string such as 2026-01-31T12:00:00Z")  # noqa: TRY004 -- as above
    try:
        moment = datetime.fromisoformat(value.strip())
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("DateTime must look like 2026-01-31T12:00:00Z") from None
    raise ValueError("DateTime needs a time zone, as in 2026-01-31T12:00:00Z")


def write_time(value: datetime) -> str:
    """RFC 3339 in UTC."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_json_object(value: Any) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise ValueError("JSONObject must be an object")  # noqa: TRY004 -- graphql-core wants ValueError
    return value


SCALARS: dict[object, ScalarDefinition] = {
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A whole number of up to 64 bits, as a JSON number; a string of digits is accepted.",
        serialize=int,
        parse_value=parse_big_int,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="A time with microseconds in UTC, RFC 3339: `2026-01-31T12:00:00.123456Z`. "
        "Input may use any offset; digits beyond microseconds are cut.",
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc3339",
        serialize=write_time,
        parse_value=parse_time,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value: object, list, string, number or boolean.",
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc8259",
    ),
    JSONObject: strawberry.scalar(
        name="JSONObject",
        description="A JSON object.",
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc8259",
        parse_value=parse_json_object,
    ),
}
