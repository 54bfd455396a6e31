"""What every resolver of one request has at hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import strawberry

from datastorage.domain.caller import Caller
from datastorage.errors import InvalidInput
from datastorage.graphql.loaders import Loaders
from datastorage.limits import SEARCHES_AT_ONCE, SEARCHES_MAX
from datastorage.services.dependencies import Dependencies


class Context:
    """The services' dependencies, the caller and its loaders; no session, since sibling fields interleave."""

    __slots__ = ("_searches", "_searching", "caller", "cost", "deadline", "deps", "loaders", "refusals")

    def __init__(self, deps: Dependencies, caller: Caller, deadline: float | None = None) -> None:
        self.deps, self.caller = deps, caller
        self.deadline = deadline  # when the request ends, by the clock of the loop
        self.cost: int | None = None  # of the operation, once it is measured
        self.loaders = Loaders(deps, caller)
        self.refusals: set[str] = set()  # codes of the errors that are results, for the log
        self._searches = 0
        self._searching: asyncio.Semaphore | None = None

    @asynccontextmanager
    async def search(self) -> AsyncIterator[None]:
        """Around each search: no dataloader can gather them, so one request may start so many only.

        Errors: InvalidInput.
        """
        self._searches += 1
        if self._searches > SEARCHES_MAX:
            raise InvalidInput.single("query", f"asks for more than {SEARCHES_MAX} searches in one request")
        if self._searching is None:
            self._searching = asyncio.Semaphore(SEARCHES_AT_ONCE)
        async with self._searching:
            yield

    def forget(self) -> None:
        """After a write: what was loaded before may no longer be so for the fields that follow."""
        self.loaders = Loaders(self.deps, self.caller)


Info: TypeAlias = strawberry.Info[Context, None]
