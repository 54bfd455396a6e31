"""Relay connections: views of a page of any record."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import strawberry

from datastorage.domain import paging
from datastorage.errors import InvalidInput
from datastorage.graphql.arguments import Cap

T = TypeVar("T")


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    """Relay's PageInfo."""

    has_next_page: bool = strawberry.field(description="More rows follow this page.")
    has_previous_page: bool = strawberry.field(description="Rows precede this page.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first row; pass it as `before`.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last row; pass it as `after`.")

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Pages carry their own description."""
        return isinstance(value, paging.PageInfo)


@strawberry.type(description="A row with its place in the list.")
class Edge(Generic[T]):
    """Relay's edge."""

    node: T = strawberry.field(description="The row.")
    cursor: str = strawberry.field(description="Opaque place of the row, bound to order and filter.")


async def total_count(root: strawberry.Parent[paging.Page[Any]], cap: Cap = None) -> int:
    """Counts only when asked."""
    if cap is not None and cap < 1:
        raise InvalidInput.single("cap", "must be at least 1")
    return await root.count(cap)


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    """Relay's connection, with `nodes` as a short cut."""

    edges: list[Edge[T]] = strawberry.field(description="The rows of this page with their cursors.")
    nodes: list[T] = strawberry.field(description="The rows of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")
    total_count: int = strawberry.field(
        resolver=total_count,
        description="Rows in the whole list, counted only when asked for; "
        "with `cap`, counting stops there, which is faster on long lists.",
    )
