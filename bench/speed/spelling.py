"""Peers spell the same values differently: enums, big numbers, times. Here each has one spelling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final


def _moment(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat()


SPELLED: Final[Mapping[str, Callable[[str], Any]]] = MappingProxyType(
    {
        **dict.fromkeys(("phase", "status", "severity"), str.upper),
        **dict.fromkeys(("startTime", "time"), _moment),
        **dict.fromkeys(("databaseId", "durationMs"), int),
    }
)


def normal(value: Any, name: str = "") -> Any:
    """An answer in one spelling; `name` is the field that the value is of."""
    match value:
        case dict():
            return {key: normal(inner, key) for key, inner in value.items() if key != "__typename"}
        case list():
            return [normal(inner, name) for inner in value]
        case str() if name in SPELLED:
            return SPELLED[name](value)
        case float():
            return round(value, 3)
    return value
