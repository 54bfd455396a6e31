"""Storing what one caller sends: validated, redacted, embedded, then handed to the write queue as one unit."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic

import structlog
from sqlalchemy.exc import DBAPIError

from datastorage.db.faults import DATA_REFUSED, sqlstate
from datastorage.domain.caller import Caller, Right
from datastorage.domain.kind import R, RecordKind
from datastorage.domain.names import camel
from datastorage.domain.receipt import Written
from datastorage.errors import DataStorageError, Forbidden, HeldBack, InvalidInput, Unavailable
from datastorage.limits import PREPARED_INLINE_MAX
from datastorage.services.dependencies import Dependencies
from datastorage.services.records import incident_index
from datastorage.services.records.accounting import Outcome, accounted
from datastorage.services.records.group import NotAllOfThem, RecordLane, RecordUnit
from datastorage.services.records.manner import Item, Manner
from datastorage.services.records.prepared import Prepared
from datastorage.services.unit_of_work import failures_counted

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Batch(Generic[R, Item]):
    """Items of one kind that one caller stores in one manner."""

    deps: Dependencies
    caller: Caller
    kind: RecordKind[R]
    manner: Manner[Item]
    atomic: bool = False

    async def written(self, raws: Sequence[Mapping[str, Any]]) -> list[Outcome[R]]:
        """The outcome of each; a refused one does not hold up the others unless `atomic`.

        Errors: Forbidden (no right to write at all).
        """
        with accounted(self.kind, len(raws)) as tally:
            self.caller.require(Right.WRITE)
            prepared = await self._all_prepared(raws)
            ready = [item for item in prepared if not isinstance(item, DataStorageError)]
            if self.atomic and len(ready) < len(prepared):
                outcomes: list[Outcome[R]] = [_held_back(item) for item in prepared]
            else:
                done = iter(await self._written(ready))
                outcomes = [item if isinstance(item, DataStorageError) else next(done) for item in prepared]
            tally.outcomes = outcomes
        return outcomes

    async def _all_prepared(self, raws: Sequence[Mapping[str, Any]]) -> list[Item | DataStorageError]:
        """In a thread where there are many: redacting them takes long enough for others to notice."""

        def prepare() -> list[Item | DataStorageError]:
            return [self._prepared(raw) for raw in raws]

        return await asyncio.to_thread(prepare) if len(raws) > PREPARED_INLINE_MAX else prepare()

    def _prepared(self, raw: Mapping[str, Any]) -> Item | DataStorageError:
        try:
            return self.manner.prepare(self.deps, self.caller, raw)
        except (InvalidInput, Forbidden) as refusal:
            return refusal

    async def _written(self, items: Sequence[Item]) -> list[Outcome[R]]:
        """The outcome of each item; an outage is the outcome of all of them."""
        try:
            with failures_counted():
                return await self._write_or_split(items)
        except Unavailable as outage:
            return [outage for _ in items]

    async def _write_or_split(self, items: Sequence[Item]) -> list[Outcome[R]]:
        """Writes all at once; data that PostgreSQL refuses sends the batch through one by one."""
        if not items:
            return []
        told = await incident_index.told(self.deps, await self.manner.expected(self.deps, items))
        ids = await self.deps.ids[self.kind.type_name].take(len(items))
        unit = RecordUnit(self.kind, self.manner, dict(zip(ids, items, strict=True)), told, self.atomic)
        try:
            stored = await self.deps.writes.written(RecordLane(self.deps, self.kind), unit)
        except NotAllOfThem as refused:
            return [_held_back(outcome) for outcome in refused.outcomes]
        except DBAPIError as error:
            if self.atomic or len(items) == 1 or not sqlstate(error).startswith(DATA_REFUSED):
                raise
        else:
            await stored.work.mirrored()
            return stored.outcomes
        return [await self._write_alone(item) for item in items]

    async def _write_alone(self, item: Item) -> Outcome[R]:
        """One item of a batch that PostgreSQL refused as a whole; its own refusal must not stop the others."""
        try:
            return (await self._write_or_split([item]))[0]
        except DBAPIError as error:
            if not sqlstate(error).startswith(DATA_REFUSED):
                raise
            key = self.kind.key_of(item.draft)
            log.exception("record_refused_by_the_database", kind=self.kind.type_name, key=key)
            return InvalidInput.single(camel(self.kind.key), "names a record that the database refuses")


def _held_back(outcome: Prepared | Written[R] | DataStorageError) -> DataStorageError:
    if isinstance(outcome, DataStorageError):
        return outcome
    return HeldBack("not stored, since another item of this atomic batch was refused")
