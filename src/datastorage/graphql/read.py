"""What the queries of all records share: from arguments to one record, or to a page of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from datastorage.domain.kind import R, RecordKind
from datastorage.domain.paging import Page, page_request
from datastorage.graphql.context import Info
from datastorage.graphql.filters import to_filter
from datastorage.graphql.input import record_key, to_order
from datastorage.graphql.selection import wanted
from datastorage.services.records import get_record, list_records


async def one(info: Info, kind: RecordKind[R], id: str | None, key: str | None) -> R | None:
    """The record with this global id or natural key."""
    named = record_key(kind, id, key)
    return await get_record(info.context.deps, info.context.caller, kind, named, wanted(info))


async def page(
    info: Info,
    kind: RecordKind[R],
    filter: Any,
    order_by: Sequence[Any] | None,
    *,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
) -> Page[R]:
    """One page of the records that a filter input leaves, in the order of the order inputs."""
    request = page_request(
        where=to_filter(filter),
        order=to_order(kind, order_by),
        first=first,
        after=after,
        last=last,
        before=before,
        of=kind.type_name,
    )
    return await list_records(info.context.deps, info.context.caller, kind, request, wanted(info))
