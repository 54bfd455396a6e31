"""Parsers of single fields: what a client sent → the stored value, or why not.

Keys, names and enums are held to their grammar and the grammar alone decides; free text is evidence and is
kept, only cleaned of what no text needs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

import orjson

from datastorage import limits
from datastorage.errors import FaultReason
from datastorage.redaction import clean_text, looks_like_attack

# The driver takes these two for minus and plus infinity.
EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
LATEST: Final = datetime.max.replace(tzinfo=UTC)

Parser = Callable[[Any], Any]
E = TypeVar("E", bound=StrEnum)

RFC1123: Final = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+=-]*")
ACTION_TYPE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]*")
LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
TARGET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+=-]*(/[A-Za-z0-9][A-Za-z0-9._:@+=-]*){1,2}")


class Refused(Exception):
    """A value that a field does not take."""

    def __init__(self, reason: FaultReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def grammar(pattern: re.Pattern[str], chars_max: int, example: str, *, lower: bool = False) -> Parser:
    """Parser of a key or name that must match `pattern` as a whole."""

    def parse(value: Any) -> str:
        text = _string(value).strip()
        text = text.lower() if lower else text
        if not text:
            raise Refused(FaultReason.WHITESPACE_ONLY, "is empty or white space only")
        if len(text) > chars_max:
            raise Refused(
                FaultReason.LENGTH_EXCEEDED, f"has {len(text)} characters; at most {chars_max} are allowed"
            )
        if not pattern.fullmatch(text):
            reason = looks_like_attack(text) or FaultReason.INVALID
            raise Refused(reason, f"does not fit the format; expected something like {example!r}")
        return text

    return parse


def free_text(value: Any) -> str | None:
    """Evidence as sent, trimmed and without control characters; nothing left means no value."""
    text = clean_text(_string(value))
    size = len(text.encode())
    if size > limits.FREE_TEXT_BYTES_MAX:
        raise Refused(
            FaultReason.LENGTH_EXCEEDED, f"has {size} bytes; at most {limits.FREE_TEXT_BYTES_MAX} are allowed"
        )
    return text or None


def enumerated(kind: type[E]) -> Parser:
    """Parser of an enum member, in either case."""

    def parse(value: Any) -> E:
        if isinstance(value, kind):
            return value
        try:
            return kind(_string(value).strip().lower())
        except ValueError:
            names = ", ".join(member.name for member in kind)
            raise Refused(FaultReason.INVALID, f"is none of {names}") from None

    return parse


def moment(value: Any) -> datetime:
    """A time in UTC with microseconds; finer digits are cut, a time zone is needed."""
    try:
        parsed = value if isinstance(value, datetime) else datetime.fromisoformat(_string(value).strip())
    except ValueError:
        raise Refused(FaultReason.INVALID, "is no RFC 3339 time such as 2026-01-31T12:00:00Z") from None
    if parsed.tzinfo is None:
        raise Refused(FaultReason.INVALID, "lacks a time zone; write 2026-01-31T12:00:00Z")
    try:
        instant = parsed.astimezone(UTC)
    except OverflowError:
        instant = LATEST
    if not EARLIEST < instant < LATEST:
        raise Refused(FaultReason.INVALID, "lies outside the years 1 to 9999")
    return instant


def json_object(bytes_max: int) -> Parser:
    """Parser of a JSON object of limited size and depth, its strings cleaned like free text."""

    def parse(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Refused(FaultReason.INVALID, "must be a JSON object")
        # First as sent: cleaning takes a hundred times longer, and seldom makes it much smaller.
        _check_json_bytes(value, bytes_max, CLEANING_SHORTENS)
        cleaned = _clean_json(value, limits.METADATA_DEPTH_MAX)
        _check_json_bytes(cleaned, bytes_max)
        return dict(cleaned)

    return parse


def boolean(value: Any) -> bool:
    """True or false, nothing that merely looks so."""
    if not isinstance(value, bool):
        raise Refused(FaultReason.INVALID, "must be true or false")
    return value


def integer(lowest: int, highest: int) -> Parser:
    """Parser of a whole number between two bounds."""

    def parse(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Refused(FaultReason.INVALID, "must be a whole number")
        if not lowest <= value <= highest:
            raise Refused(FaultReason.INVALID, f"must be between {lowest} and {highest}")
        return value

    return parse


def fraction(value: Any) -> float:
    """A number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(FaultReason.INVALID, "must be a number")
    if not 0 <= value <= 1:  # NaN too
        raise Refused(FaultReason.INVALID, "must be between 0 and 1")
    return float(value)


CLEANING_SHORTENS: Final = 4  # to no less than this part, for all we know

KEY_FIELD: Final = grammar(KEY, limits.KEY_CHARS_MAX, "rr-2026-0001")
PROVIDER_FIELD: Final = grammar(KEY, limits.PROVIDER_CHARS_MAX, "anthropic")
COUNT_FIELD: Final = integer(0, limits.BIGINT_MAX)
SMALL_COUNT_FIELD: Final = integer(0, limits.INT_MAX)
NAME_FIELD: Final = grammar(RFC1123, limits.NAME_CHARS_MAX, "payment-api")
ACTION_TYPE_FIELD: Final = grammar(ACTION_TYPE, limits.ACTION_TYPE_CHARS_MAX, "restart_pod")
ENVIRONMENT_FIELD: Final = grammar(LABEL, limits.ENVIRONMENT_CHARS_MAX, "production", lower=True)
TARGET_FIELD: Final = grammar(TARGET, limits.TARGET_RESOURCE_CHARS_MAX, "Deployment/payment-api")


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise Refused(FaultReason.INVALID, "must be a string")
    return value


def _check_json_bytes(value: Any, bytes_max: int, times: int = 1) -> None:
    try:
        size = len(orjson.dumps(value))
    except (TypeError, ValueError):
        raise Refused(
            FaultReason.INVALID,
            f"is nested deeper than {limits.METADATA_DEPTH_MAX} levels, or holds a number beyond the range of JSON",
        ) from None
    if size > bytes_max * times:
        raise Refused(
            FaultReason.LENGTH_EXCEEDED, f"has {size} bytes as JSON; at most {bytes_max} are allowed"
        )


def _clean_json(value: Any, depth_left: int) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise Refused(FaultReason.INVALID, "holds a number beyond the range of JSON")
    if not isinstance(value, dict | list):
        return value
    if depth_left == 0:
        raise Refused(FaultReason.INVALID, f"is nested deeper than {limits.METADATA_DEPTH_MAX} levels")
    if isinstance(value, list):
        return [_clean_json(item, depth_left - 1) for item in value]
    return {clean_text(str(key)): _clean_json(item, depth_left - 1) for key, item in value.items()}
