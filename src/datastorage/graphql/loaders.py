"""Dataloaders: what the fields of many records ask for one by one is fetched together.

Made for one request, since what they remember is what one caller may see at one moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from strawberry.dataloader import DataLoader

from datastorage.domain.caller import Caller
from datastorage.domain.execution import ExecutionAudit
from datastorage.domain.kind import Record, RecordKind, Wanted
from datastorage.domain.paging import Page, PageRequest
from datastorage.domain.relation import Relation
from datastorage.domain.workflow import WORKFLOW
from datastorage.services.dependencies import Dependencies
from datastorage.services.records.related import records_by_key, related_pages

T = TypeVar("T")

REQUEST_ID: Final = "remediation_request_id"
NAMING_REQUEST: Final = (REQUEST_ID, "workflow_id")
"""What `Loaders.request_id` reads of a record."""


class Loaders:
    """The loaders of one request."""

    def __init__(self, deps: Dependencies, caller: Caller) -> None:
        self._deps, self._caller = deps, caller
        self._pages: dict[tuple[Relation, PageRequest, Wanted], DataLoader[str, Page[Any]]] = {}
        self._records: dict[tuple[str, Wanted], DataLoader[str, Any]] = {}

    async def page(
        self, relation: Relation, key: str, request: PageRequest, wanted: Wanted = None
    ) -> Page[Any]:
        """A page of what belongs to a record; one statement for all records that ask alike."""
        loader = self._pages.get((relation, request, wanted))
        if loader is None:

            async def load(keys: list[str]) -> list[Page[Any]]:
                return await self.pages(relation, keys, request, wanted)

            loader = self._pages[relation, request, wanted] = DataLoader(load)
        return await _loaded(loader, key)

    async def pages(
        self, relation: Relation, keys: Sequence[str], request: PageRequest, wanted: Wanted = None
    ) -> list[Page[Any]]:
        """The same of many records at once, each of which is asked about once."""
        return await related_pages(self._deps, self._caller, relation, keys, request, wanted)

    async def record(self, kind: RecordKind[Any], key: str, wanted: Wanted = None) -> Any:
        """A record by its natural key, or None."""
        loader = self._records.get((kind.type_name, wanted))
        if loader is None:

            async def load(keys: list[str]) -> list[Any]:
                return await self.records(kind, keys, wanted)

            loader = self._records[kind.type_name, wanted] = DataLoader(load)
        return await _loaded(loader, key)

    async def records(self, kind: RecordKind[Any], keys: Sequence[str], wanted: Wanted = None) -> list[Any]:
        """The records with these natural keys, or None in their places."""
        return await records_by_key(self._deps, self._caller, kind, keys, wanted)

    async def request_id(self, record: Record) -> str | None:
        """Which remediation a record belongs to; an execution may leave that to its workflow."""
        if record.remediation_request_id is not None or not isinstance(record, ExecutionAudit):
            return record.remediation_request_id
        workflow = await self.record(WORKFLOW, record.workflow_id, frozenset({REQUEST_ID}))
        return None if workflow is None else str(workflow.remediation_request_id)


async def _loaded(loader: DataLoader[str, T], key: str) -> T:
    """Others may wait for the same: cancelling one must not end all."""
    return await asyncio.shield(loader.load(key))
