"""Order and page: keyset pagination as values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from datastorage.domain.cursor import Cursors, Values
from datastorage.domain.filters import Filter
from datastorage.errors import InvalidInput
from datastorage.limits import ORDER_TERMS_MAX, PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX

R = TypeVar("R")


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
    of: str = (
        ""  # what the list holds: cursors of other lists are refused, even with the same filter and order
    )


def page_request(
    *,
    where: Filter,
    order: Order,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
    of: str = "",
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
    position = None if cursor is None else Cursors(where, order, of).decode(cursor)
    return PageRequest(where, order, rows, backward, position, of)


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
        return Cursors(self.request.where, self.request.order, self.request.of)

    def _values(self, node: R) -> Values:
        return tuple(getattr(node, term.column) for term in self.request.order)
