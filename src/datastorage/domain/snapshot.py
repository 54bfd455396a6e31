"""A record as JSON: what a CREATED event holds, and what a repeated create is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from datastorage.domain.kind import RecordKind
from datastorage.domain.sameness import same


def snapshot(kind: RecordKind[Any], draft: Any) -> dict[str, Any]:
    """Every field of a draft or record that a client can send, by column name, in values that JSON knows."""
    return {name: json_value(getattr(draft, name)) for name in kind.input_fields}


def whole(record: Any) -> dict[str, Any]:
    """Every field of a stored record, by column name, in values that JSON knows."""
    return {name: json_value(getattr(record, name)) for name in record.__dataclass_fields__}


def differences(kind: RecordKind[Any], before: Any, after: Any) -> dict[str, dict[str, Any]]:
    """What an update changed: each field's old and new value."""
    old, new = snapshot(kind, before), snapshot(kind, after)
    return {name: {"old": old[name], "new": new[name]} for name in old if not same(old[name], new[name])}


def differing_fields(kind: RecordKind[Any], draft: Any, created: Mapping[str, Any]) -> list[str]:
    """Fields in which a repeated create differs from the first one."""
    return [name for name, value in snapshot(kind, draft).items() if not same(value, created.get(name))]


def json_value(value: Any) -> Any:
    """Times as ISO 8601; everything else is JSON already, enums being strings."""
    return value.isoformat() if isinstance(value, datetime) else value
