"""Fields that lead from a record to others: connections through the loaders, and single records."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import strawberry

from datastorage.domain.filters import EVERYTHING
from datastorage.domain.kind import RecordKind
from datastorage.domain.paging import Page, PageRequest, page_request, total_order
from datastorage.domain.relation import Relation
from datastorage.graphql.arguments import After, Before, First, Last
from datastorage.graphql.context import Info
from datastorage.graphql.loaders import NAMING_REQUEST, REQUEST_ID
from datastorage.graphql.selection import wanted
from datastorage.graphql.view import view


def connection(relation: Relation, description: str, *, key: str = REQUEST_ID, newest_by: str) -> Any:
    """A field with a page of what belongs to the record whose attribute `key` names it; newest first."""

    async def load(root: Any, info: Info, request: PageRequest) -> Page[Any]:
        parent = await named(info, root, key)
        if parent is None:
            return Page(request, (), more=False, count=_none)
        return await info.context.loaders.page(relation, parent, request, wanted(info))

    async def load_all(roots: Sequence[Any], info: Info, request: PageRequest) -> Sequence[Page[Any]]:
        parents = await _all_named(info, roots, key)
        known = sorted({parent for parent in parents if parent is not None})
        pages = await info.context.loaders.pages(relation, known, request, wanted(info)) if known else []
        found = dict(zip(known, pages, strict=True))
        nothing: Page[Any] = Page(request, (), more=False, count=_none)
        return [nothing if parent is None else found[parent] for parent in parents]

    return paged(
        load, description, newest_by=newest_by, of=relation.name, reads=_reads(key), load_all=load_all
    )


def paged(
    load: Callable[[Any, Info, PageRequest], Awaitable[Page[Any]]],
    description: str,
    *,
    newest_by: str,
    of: str,
    reads: Iterable[str] | None = None,
    load_all: Callable[[Sequence[Any], Info, PageRequest], Awaitable[Sequence[Page[Any]]]] | None = None,
) -> Any:
    """A field with the arguments of a connection, and the page that `load` has for them; newest first.

    `reads`: the attributes of its record that `load` needs. `load_all`: the same for many records.
    """

    def asked(first: int | None, after: str | None, last: int | None, before: str | None) -> PageRequest:
        order = total_order((), newest_by)
        return page_request(
            where=EVERYTHING, order=order, first=first, after=after, last=last, before=before, of=of
        )

    async def resolve(
        root: strawberry.Parent[Any],
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page[Any]:
        return await load(root, info, asked(first, after, last, before))

    if load_all is None:
        return view(resolve, description, reads=reads)

    async def resolve_all(
        roots: Sequence[Any],
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Sequence[Page[Any]]:
        return await load_all(roots, info, asked(first, after, last, before))

    return view(resolve, description, reads=reads, asks_all=resolve_all)


def single(kind: RecordKind[Any], key: str, description: str) -> Any:
    """A field with the record that the attribute `key` names; null until it arrives."""

    async def resolve(root: strawberry.Parent[Any], info: Info) -> Any:
        name = await named(info, root, key)
        return None if name is None else await info.context.loaders.record(kind, name, wanted(info))

    async def resolve_all(roots: Sequence[Any], info: Info) -> Sequence[Any]:
        names = await _all_named(info, roots, key)
        known = sorted({name for name in names if name is not None})
        records = await info.context.loaders.records(kind, known, wanted(info)) if known else []
        found = dict(zip(known, records, strict=True))
        return [None if name is None else found[name] for name in names]

    return view(resolve, description, reads=_reads(key), asks_all=resolve_all)


async def named(info: Info, root: Any, key: str = REQUEST_ID) -> str | None:
    """The key of what a record belongs to; an execution may belong to a remediation through its workflow."""
    name: str | None = getattr(root, key)
    return await info.context.loaders.request_id(root) if name is None and key == REQUEST_ID else name


async def _all_named(info: Info, roots: Sequence[Any], key: str) -> Sequence[str | None]:
    if key != REQUEST_ID or all(root.remediation_request_id is not None for root in roots):
        return [getattr(root, key) for root in roots]
    return await asyncio.gather(*(named(info, root, key) for root in roots))


def _reads(key: str) -> tuple[str, ...]:
    """What `named` reads."""
    return NAMING_REQUEST if key == REQUEST_ID else (key,)


async def _none(_cap: int | None) -> int:
    return 0
