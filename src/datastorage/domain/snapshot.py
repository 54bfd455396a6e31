"""A record as JSON: what a CREATED event holds, and what a repeated create is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from datastorage.domain.remediation import INPUT_FIELDS, RemediationDraft


def snapshot(draft: RemediationDraft) -> dict[str, Any]:
    """Every field a client can send, by column name, in values that JSON knows."""
    return {name: json_value(getattr(draft, name)) for name in INPUT_FIELDS}


def differences(before: RemediationDraft, after: RemediationDraft) -> dict[str, dict[str, Any]]:
    """What an update changed: each field's old and new value."""
    old, new = snapshot(before), snapshot(after)
    return {name: {"old": old[name], "new": new[name]} for name in INPUT_FIELDS if old[name] != new[name]}


def differing_fields(draft: RemediationDraft, created: Mapping[str, Any]) -> list[str]:
    """Fields in which a repeated create differs from the first one."""
    return [name for name, value in snapshot(draft).items() if value != created.get(name)]


def json_value(value: Any) -> Any:
    """Times as ISO 8601; everything else is JSON already, enums being strings."""
    return value.isoformat() if isinstance(value, datetime) else value
