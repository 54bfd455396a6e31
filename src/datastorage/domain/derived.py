"""What follows from other fields of a record."""

from __future__ import annotations

from datetime import datetime, timedelta

from datastorage.domain.form import Reading


def check_end(reading: Reading) -> None:
    """Adds a fault for an end before the start."""
    start, end = reading.values.get("start_time"), reading.values.get("end_time")
    if start is not None and end is not None and end < start:
        reading.refuse("end_time", "lies before startTime")


def duration_ms(start: datetime, end: datetime | None) -> int | None:
    """Whole milliseconds from start to end."""
    return None if end is None else (end - start) // timedelta(milliseconds=1)


def split_target(resource: str) -> dict[str, str | None]:
    """`Kind/name` or `namespace/Kind/name` as its columns."""
    *namespace, kind, name = resource.split("/")
    return {
        "target_kind": kind,
        "target_namespace": namespace[0] if namespace else None,
        "target_name": name,
    }
