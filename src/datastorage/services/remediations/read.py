"""Reading remediation audits: one, a page, or how many."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from datastorage.db.database import ReadSession
from datastorage.domain.caller import Caller, Right
from datastorage.domain.filters import EVERYTHING, Filter, check_bounds
from datastorage.domain.paging import Page, PageRequest
from datastorage.domain.remediation import RemediationAudit
from datastorage.observability.metrics import QueryOperation, query_observed
from datastorage.repositories.remediation_audits import RemediationAudits
from datastorage.services.dependencies import Dependencies


@dataclass(frozen=True, slots=True)
class RemediationKey:
    """What names one remediation audit: its number or its request id, exactly one of them."""

    id: int | None = None
    request_id: str | None = None

    def describe(self) -> str:
        """For messages."""
        return f"id {self.id}" if self.request_id is None else f"requestId {self.request_id}"


async def get_remediation(deps: Dependencies, caller: Caller, key: RemediationKey) -> RemediationAudit | None:
    """One audit, or None. Errors: Forbidden, Unavailable."""
    caller.require(Right.READ)
    with query_observed(QueryOperation.GET):
        async with deps.database.read() as session:
            return await find(session, caller, key)


async def list_remediations(
    deps: Dependencies, caller: Caller, request: PageRequest
) -> Page[RemediationAudit]:
    """A page. Errors: Forbidden, InvalidInput, BadCursor, Unavailable."""
    caller.require(Right.READ)
    check_bounds(request.where)
    operation = QueryOperation.LIST if request.where == EVERYTHING else QueryOperation.FILTER
    with query_observed(operation):
        async with deps.database.read() as session:
            nodes, more = await RemediationAudits(session, caller.scope).page(request)
    return Page(request, nodes, more, partial(count_remediations, deps, caller, request.where))


async def count_remediations(deps: Dependencies, caller: Caller, where: Filter, rows_max: int | None) -> int:
    """How many audits match, counting no further than `rows_max`. Errors: Forbidden, Unavailable."""
    caller.require(Right.READ)
    async with deps.database.read() as session:
        return await RemediationAudits(session, caller.scope).count(where, rows_max)


async def find(session: ReadSession, caller: Caller, key: RemediationKey) -> RemediationAudit | None:
    """The audit behind a key, within the caller's scope."""
    audits = RemediationAudits(session, caller.scope)
    if key.request_id is not None:
        if "\x00" in key.request_id:  # PostgreSQL's text cannot hold it, and the statement would fail
            return None
        return await audits.by_request_id(key.request_id)
    return None if key.id is None else await audits.by_id(key.id)
