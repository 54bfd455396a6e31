"""Cursors: places in lists, written down.

A cursor is opaque to clients: a version byte, the ordered values of its row, and before them a fingerprint of
these values with the kind of record, filter and order that it belongs to, in base64url.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from datastorage.domain.filters import Filter
from datastorage.errors import BadCursor
from datastorage.limits import BIGINT_MAX, CURSOR_CHARS_MAX

if TYPE_CHECKING:
    from datastorage.domain.paging import Order

CURSOR_VERSION: Final = b"\x01"
FINGERPRINT_BYTES: Final = 8

Values = tuple[Any, ...]


class Cursors:
    """The cursors of one list: a cursor names a place in it, and means nothing in any other list."""

    def __init__(self, where: Filter, order: Order, of: str = "") -> None:
        self._columns = len(order)
        # repr is stable here: frozen dataclasses of strings, numbers, enums and times.
        self._list = hashlib.sha256(repr((of, where, order)).encode())

    def encode(self, values: Values) -> str:
        """An opaque cursor for the row with these ordered values."""
        return _text(self._payload(orjson.dumps(values)))

    def decode(self, cursor: str) -> Values:
        """The ordered values held by a cursor. Errors: BadCursor."""
        payload = _bytes(cursor)
        if payload[:1] != CURSOR_VERSION:
            raise BadCursor("the cursor was made by another release; start again without it")
        encoded = payload[1 + FINGERPRINT_BYTES :]
        if payload != self._payload(encoded):
            raise BadCursor(
                "the cursor belongs to another filter or order, or was altered; start again without it"
            )
        try:
            values = orjson.loads(encoded)
        except ValueError:
            raise unreadable() from None
        if not isinstance(values, list) or len(values) != self._columns:
            raise unreadable()
        return tuple(values)

    def _payload(self, values: bytes) -> bytes:
        fingerprint = self._list.copy()
        fingerprint.update(values)
        return CURSOR_VERSION + fingerprint.digest()[:FINGERPRINT_BYTES] + values


def unreadable() -> BadCursor:
    """The error for what no page of this service has carried."""
    return BadCursor("the cursor cannot be read; pass a cursor from pageInfo or edges unchanged")


def cursor_value(kind: type, value: Any, *, nullable: bool) -> Any:
    """A value held in a cursor, of the type of its column. Errors: BadCursor."""
    if value is None and nullable:
        return None
    if kind is datetime:
        return cursor_time(value)
    if isinstance(value, bool) is not (kind is bool) or not isinstance(value, kind):
        raise unreadable()
    if isinstance(value, int) and abs(value) > BIGINT_MAX:
        raise unreadable()
    if isinstance(value, str) and "\x00" in value:  # PostgreSQL's text cannot hold it
        raise unreadable()
    return value


def cursor_time(value: Any) -> datetime:
    """A time held in a cursor, in UTC. Errors: BadCursor."""
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise unreadable() from None
    raise unreadable()


def _text(payload: bytes) -> str:
    return base64.urlsafe_b64encode(payload).rstrip(b"=").decode()


def _bytes(cursor: str) -> bytes:
    if len(cursor) > CURSOR_CHARS_MAX:
        raise unreadable()
    try:
        payload = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise unreadable() from None
    if not payload or _text(payload) != cursor:  # one place, one cursor
        raise unreadable()
    return payload
