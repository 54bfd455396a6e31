"""Records that belong to others, for dataloaders: many parents at once, one statement."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from datastorage.domain.caller import Caller, Right
from datastorage.domain.kind import R, RecordKind
from datastorage.domain.paging import Page, PageRequest
from datastorage.domain.relation import Relation
from datastorage.repositories.records import Records
from datastorage.repositories.relations import Relations
from datastorage.services.dependencies import Dependencies


async def related_pages(
    deps: Dependencies, caller: Caller, relation: Relation, keys: Sequence[str], request: PageRequest
) -> list[Page[Any]]:
    """The page of each key, in their order. Errors: Forbidden, BadCursor, Unavailable."""
    caller.require(Right.READ)
    async with deps.database.read() as session:
        pages = await Relations(session, caller.scope).pages(relation, sorted(set(keys)), request)
    return [Page(request, *pages[key], partial(_count, deps, caller, relation, key)) for key in keys]


async def records_by_key(
    deps: Dependencies, caller: Caller, kind: RecordKind[R], keys: Sequence[str]
) -> list[R | None]:
    """The record of each natural key, in their order; None where there is none to see."""
    caller.require(Right.READ)
    async with deps.database.read() as session:
        found = await Records(session, caller.scope, kind).by_keys(sorted(set(keys)))
    return [found.get(key) for key in keys]


async def _count(
    deps: Dependencies, caller: Caller, relation: Relation, key: str, rows_max: int | None
) -> int:
    async with deps.database.read() as session:
        return await Relations(session, caller.scope).count(relation, key, rows_max)
