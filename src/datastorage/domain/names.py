"""Spellings of field names: snake_case inside, camelCase towards clients."""

from __future__ import annotations

import re
from functools import cache

_HUMP = re.compile(r"(?<!^)([A-Z])")


@cache
def camel(name: str) -> str:
    """`start_time` → `startTime`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def snake(name: str) -> str:
    """`startTime` → `start_time`."""
    return _HUMP.sub(r"_\1", name).lower()
