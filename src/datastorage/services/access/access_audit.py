"""The access audit for administrators. It tells of all namespaces, so it is for callers without a scope only."""

from __future__ import annotations

from functools import partial

from datastorage.domain.access import AccessEntry
from datastorage.domain.caller import Caller, Right
from datastorage.domain.filters import Filter, check_bounds
from datastorage.domain.paging import Page, PageRequest
from datastorage.observability.labels import QueryOperation
from datastorage.observability.metrics import query_observed
from datastorage.repositories.access_audit import AccessAudit
from datastorage.services.dependencies import Dependencies


async def list_accesses(deps: Dependencies, caller: Caller, request: PageRequest) -> Page[AccessEntry]:
    """A page of it. Errors: Forbidden, InvalidInput, BadCursor, Unavailable."""
    caller.require_everywhere(Right.ADMIN)
    check_bounds(request.where)
    with query_observed(QueryOperation.FILTER):
        async with deps.database.read() as session:
            nodes, more = await AccessAudit(session).page(request)
    return Page(request, nodes, more, partial(_count, deps, request.where))


async def _count(deps: Dependencies, where: Filter, rows_max: int | None) -> int:
    async with deps.database.read() as session:
        return await AccessAudit(session).count(where, rows_max)
