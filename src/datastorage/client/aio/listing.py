"""Lists that are read page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from datastorage.client.aio.connection import AsyncConnection
from datastorage.client.generated.records import PageInfo
from datastorage.client.operation import Count, Query

N_co = TypeVar("N_co", covariant=True)


class Page(Protocol[N_co]):
    """Rows, and where they lie in the list."""

    @property
    def nodes(self) -> Sequence[N_co]:
        """The rows."""
        ...

    @property
    def page_info(self) -> PageInfo:
        """Whether more follow, and the cursor to go on from."""
        ...


class AsyncListing(Generic[N_co]):
    """All rows of a list, fetched while they are iterated over; each iteration asks anew."""

    def __init__(
        self,
        connection: AsyncConnection,
        pages: Query[Page[N_co]],
        count: Count,
        variables: Mapping[str, Any],
        *,
        page_size: int,
        after: str | None,
    ) -> None:
        self._connection, self._pages, self._count = connection, pages, count
        self._variables, self._page_size, self._after = variables, page_size, after

    async def pages(self) -> AsyncIterator[Page[N_co]]:
        """Page by page; to go on another day, keep `page_info.end_cursor` and give it as `after`."""
        after = self._after
        while True:
            variables = {**self._variables, "first": self._page_size, "after": after}
            page = await self._connection.run(self._pages, variables)
            yield page
            if not page.page_info.has_next_page:
                return
            after = page.page_info.end_cursor

    async def __aiter__(self) -> AsyncIterator[N_co]:
        async for page in self.pages():
            for node in page.nodes:
                yield node

    async def total_count(self, *, cap: int | None = None) -> int:
        """Rows in the whole list, counted no further than `cap`."""
        return await self._connection.run(self._count, {**self._variables, "cap": cap})
