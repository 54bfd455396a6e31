"""What creates and upserts differ in: how an item is prepared, and what becomes of it when its key is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from datastorage.domain.caller import Caller
from datastorage.embedding import Vector
from datastorage.services.dependencies import Dependencies
from datastorage.services.records.accounting import Outcome
from datastorage.services.records.prepared import Prepared
from datastorage.services.unit_of_work import UnitOfWork

Item = TypeVar("Item", bound=Prepared)


class Manner(Protocol[Item]):
    """One way of storing items, whoever sends them."""

    def prepare(self, deps: Dependencies, caller: Caller, raw: Mapping[str, Any]) -> Item:
        """An item ready to be written. Errors: InvalidInput, Forbidden."""

    def may_insert(self, item: Item) -> bool:
        """Whether it may lead to a new record."""

    async def expected(self, deps: Dependencies, items: Sequence[Item]) -> Sequence[Any]:
        """Drafts or records with the texts that storing one caller's items will probably lead to."""

    async def taken(
        self, deps: Dependencies, work: UnitOfWork, items: Sequence[Item], vectors: Mapping[bytes, Vector]
    ) -> Sequence[Outcome[Any]]:
        """The outcomes of items, each of another key, that were not inserted."""
