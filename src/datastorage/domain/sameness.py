"""Whether two values are the same to a client: JSON knows true from 1, Python does not."""

from __future__ import annotations

from typing import Any


def same(left: Any, right: Any) -> bool:
    """Equal, and true or false only to itself; 1 and 1.0 are the same number."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)
