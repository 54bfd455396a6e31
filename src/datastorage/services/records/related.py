"""Records that belong to others, for dataloaders: many parents at once, one statement."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from datastorage.domain.caller import Caller, Right
from datastorage.domain.kind import R, RecordKind, Wanted
from datastorage.domain.paging import Page, PageRequest
from datastorage.domain.relation import Relation
from datastorage.repositories.record_reads import RecordReads
from datastorage.repositories.related_reads import RelatedReads
from datastorage.repositories.relations import Relations
from datastorage.services.dependencies import Dependencies


async def related_pages(
    deps: Dependencies,
    caller: Caller,
    relation: Relation,
    keys: Sequence[str],
    request: PageRequest,
    wanted: Wanted = None,
) -> list[Page[Any]]:
    """The page of each key, in their order; what is wanted of each record. Errors: Forbidden, BadCursor, Unavailable."""
    caller.require(Right.READ)
    reads = RelatedReads(deps.database.rows, caller.scope, wanted)
    pages = await reads.pages(relation, sorted(set(keys)), request)
    return [Page(request, *pages[key], partial(_count, deps, caller, relation, key)) for key in keys]


async def records_by_key(
    deps: Dependencies, caller: Caller, kind: RecordKind[R], keys: Sequence[str], wanted: Wanted = None
) -> list[R | None]:
    """The record of each natural key, in their order; None where there is none to see."""
    caller.require(Right.READ)
    found = await RecordReads(deps.database.rows, caller.scope, kind, wanted).by_keys(sorted(set(keys)))
    return [found.get(key) for key in keys]


async def _count(
    deps: Dependencies, caller: Caller, relation: Relation, key: str, rows_max: int | None
) -> int:
    async with deps.database.read() as session:
        return await Relations(session, caller.scope).count(relation, key, rows_max)
