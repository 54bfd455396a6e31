"""Reading audits: one, a page, or how many."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from datastorage.db.database import ReadSession
from datastorage.domain.caller import Caller, Right
from datastorage.domain.filters import EVERYTHING, Filter, check_bounds
from datastorage.domain.kind import R, RecordKind, Wanted
from datastorage.domain.paging import Page, PageRequest
from datastorage.observability.labels import QueryOperation
from datastorage.observability.metrics import query_observed
from datastorage.repositories.record_reads import RecordReads
from datastorage.repositories.records import Records
from datastorage.services.dependencies import Dependencies


@dataclass(frozen=True, slots=True)
class RecordKey:
    """What names one audit: its number or its natural key, exactly one of them."""

    id: int | None = None
    key: str | None = None

    def describe(self, kind: RecordKind[R]) -> str:
        """For messages."""
        return f"id {self.id}" if self.key is None else f"{kind.argument} {self.key}"


async def get_record(
    deps: Dependencies, caller: Caller, kind: RecordKind[R], key: RecordKey, wanted: Wanted = None
) -> R | None:
    """One audit, or None; of it what is wanted. Errors: Forbidden, Unavailable."""
    caller.require(Right.READ)
    with query_observed(QueryOperation.GET):
        return await _found(RecordReads(deps.database.rows, caller.scope, kind, wanted), key)


async def list_records(
    deps: Dependencies, caller: Caller, kind: RecordKind[R], request: PageRequest, wanted: Wanted = None
) -> Page[R]:
    """A page; of its audits what is wanted. Errors: Forbidden, InvalidInput, BadCursor, Unavailable."""
    caller.require(Right.READ)
    check_bounds(request.where)
    operation = QueryOperation.LIST if request.where == EVERYTHING else QueryOperation.FILTER
    with query_observed(operation):
        nodes, more = await RecordReads(deps.database.rows, caller.scope, kind, wanted).page(request)
    return Page(request, nodes, more, partial(count_records, deps, caller, kind, request.where))


async def count_records(
    deps: Dependencies, caller: Caller, kind: RecordKind[R], where: Filter, rows_max: int | None
) -> int:
    """How many audits match, counting no further than `rows_max`. Errors: Forbidden, Unavailable."""
    caller.require(Right.READ)
    async with deps.database.read() as session:
        return await Records(session, caller.scope, kind).count(where, rows_max)


async def find(session: ReadSession, caller: Caller, kind: RecordKind[R], key: RecordKey) -> R | None:
    """The audit behind a key, within the caller's scope, in a session."""
    return await _found(Records(session, caller.scope, kind), key)


async def _found(audits: Records[R] | RecordReads[R], key: RecordKey) -> R | None:
    if key.key is not None:
        if "\x00" in key.key:  # PostgreSQL's text cannot hold it, and the statement would fail
            return None
        return await audits.by_key(key.key)
    return None if key.id is None else await audits.by_id(key.id)
