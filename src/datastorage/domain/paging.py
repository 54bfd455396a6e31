"""Order, page and cursor: keyset pagination as values.

A cursor is opaque to clients: a version byte, the ordered values of its row, and before them a fingerprint of
these values with the filter and order that it belongs to, in base64url.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar

import orjson

from datastorage.domain.filters import Filter
from datastorage.errors import BadCursor, InvalidInput
from datastorage.limits import (
    BIGINT_MAX,
    CURSOR_CHARS_MAX,
    ORDER_TERMS_MAX,
    PAGE_ROWS_DEFAULT,
    PAGE_ROWS_MAX,
)

CURSOR_VERSION: Final = b"\x01"
FINGERPRINT_BYTES: Final = 8

R = TypeVar("R")
Values = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """One column of an order. Rows without a value come last unless `nulls_first`."""

    column: str
    descending: bool = False
    nulls_first: bool = False


Order = tuple[OrderTerm, ...]
NEWEST_FIRST: Final[Order] = (OrderTerm("start_time", descending=True), OrderTerm("id", descending=True))


def total_order(terms: Sequence[OrderTerm], newest_by: str = "start_time") -> Order:
    """The order asked for, newest first by default, made total by id: no row can be skipped or repeated.

    Errors: InvalidInput for too many or repeated columns.
    """
    if not terms:
        return OrderTerm(newest_by, descending=True), OrderTerm("id", descending=True)
    columns = [term.column for term in terms]
    if len(set(columns)) != len(columns):
        raise InvalidInput.single("orderBy", "names a column twice")
    if len(terms) > ORDER_TERMS_MAX:
        raise InvalidInput.single("orderBy", f"has more than {ORDER_TERMS_MAX} columns")
    if "id" in columns:
        return tuple(terms)
    return (*terms, OrderTerm("id", descending=terms[-1].descending))


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which rows of an ordered, filtered list are wanted."""

    where: Filter
    order: Order
    rows: int
    backward: bool = False
    position: Values | None = None  # ordered values of the row that the page starts after (or ends before)


def page_request(
    *,
    where: Filter,
    order: Order,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> PageRequest:
    """A page from the arguments of a Relay connection. Errors: InvalidInput, BadCursor."""
    if first is not None and last is not None:
        raise InvalidInput.single("first", "and last cannot be given together")
    if after is not None and before is not None:
        raise InvalidInput.single("after", "and before cannot be given together")
    backward = last is not None or (before is not None and first is None)
    if backward and after is not None:
        raise InvalidInput.single("last", "goes with before, not with after")
    if not backward and before is not None:
        raise InvalidInput.single("first", "goes with after, not with before")
    name, asked = ("last", last) if backward else ("first", first)
    rows = PAGE_ROWS_DEFAULT if asked is None else asked
    if not 1 <= rows <= PAGE_ROWS_MAX:
        raise InvalidInput.single(name, f"must be between 1 and {PAGE_ROWS_MAX}, got {rows}")
    cursor = before if backward else after
    position = None if cursor is None else Cursors(where, order).decode(cursor)
    return PageRequest(where, order, rows, backward, position)


@dataclass(frozen=True, slots=True)
class Edge(Generic[R]):
    """A row with its place in the list."""

    node: R
    cursor: str


@dataclass(frozen=True, slots=True)
class PageInfo:
    """Where the page lies in the list."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """One page of a list, with what is needed to ask for its neighbours and its size."""

    request: PageRequest
    nodes: Sequence[R]
    more: bool  # rows lie beyond the page in the direction of travel
    count: Callable[[int | None], Awaitable[int]]  # rows in the whole list, up to a cap

    @property
    def edges(self) -> list[Edge[R]]:
        """The rows with their cursors."""
        cursors = self._cursors()
        return [Edge(node, cursors.encode(self._values(node))) for node in self.nodes]

    @property
    def page_info(self) -> PageInfo:
        """Where this page lies. On the side it came from there is a neighbour if there was a cursor."""
        came_from = self.request.position is not None
        cursors = self._cursors()
        return PageInfo(
            has_next_page=came_from if self.request.backward else self.more,
            has_previous_page=self.more if self.request.backward else came_from,
            start_cursor=cursors.encode(self._values(self.nodes[0])) if self.nodes else None,
            end_cursor=cursors.encode(self._values(self.nodes[-1])) if self.nodes else None,
        )

    def _cursors(self) -> Cursors:
        return Cursors(self.request.where, self.request.order)

    def _values(self, node: R) -> Values:
        return tuple(getattr(node, term.column) for term in self.request.order)


class Cursors:
    """The cursors of one list: a cursor names a place in it, and means nothing in any other list."""

    def __init__(self, where: Filter, order: Order) -> None:
        self._columns = len(order)
        # repr is stable here: frozen dataclasses of strings, numbers, enums and times.
        self._list = hashlib.sha256(repr((where, order)).encode())

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
