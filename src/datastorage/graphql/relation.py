"""Fields that lead from a record to others: connections through the loaders, and single records."""

from __future__ import annotations

from typing import Any

import strawberry

from datastorage.domain.filters import EVERYTHING
from datastorage.domain.kind import RecordKind
from datastorage.domain.paging import Page, PageRequest, page_request, total_order
from datastorage.domain.relation import Relation
from datastorage.graphql.arguments import After, Before, First, Last
from datastorage.graphql.context import Info
from datastorage.graphql.view import view


def connection(
    relation: Relation, description: str, *, key: str = "remediation_request_id", newest_by: str
) -> Any:
    """A field with a page of what belongs to the record whose attribute `key` names it; newest first."""

    async def resolve(
        root: strawberry.Parent[Any],
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page[Any]:
        order = total_order((), newest_by)
        request = page_request(
            where=EVERYTHING, order=order, first=first, after=after, last=last, before=before
        )
        parent = getattr(root, key)
        return (
            _nothing(request)
            if parent is None
            else await info.context.loaders.page(relation, parent, request)
        )

    return view(resolve, description)


def single(kind: RecordKind[Any], key: str, description: str) -> Any:
    """A field with the record that the attribute `key` names; null until it arrives."""

    async def resolve(root: strawberry.Parent[Any], info: Info) -> Any:
        name = getattr(root, key)
        return None if name is None else await info.context.loaders.record(kind, name)

    return view(resolve, description)


def _nothing(request: PageRequest) -> Page[Any]:
    return Page(request, (), more=False, count=_none)


async def _none(_cap: int | None) -> int:
    return 0
