"""Storing many records in one unit of work: what creates and upserts share.

Validate, redact, embed, then one transaction for all of them. What the two differ in is their `Manner`: how an item
is prepared, and what becomes of it when its key is taken.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError

from datastorage.db.faults import DATA_REFUSED, sqlstate
from datastorage.domain.caller import Caller, Right
from datastorage.domain.kind import R, RecordKind
from datastorage.domain.names import camel
from datastorage.domain.receipt import Receipt, Written
from datastorage.embedding import Vector
from datastorage.errors import DataStorageError, Forbidden, HeldBack, InvalidInput, Unavailable
from datastorage.limits import PREPARED_INLINE_MAX
from datastorage.services.dependencies import Dependencies
from datastorage.services.incident_text import IncidentText
from datastorage.services.records import events, incident_index
from datastorage.services.records.accounting import Outcome, accounted
from datastorage.services.records.prepared import Prepared
from datastorage.services.records.repetition import repeated
from datastorage.services.unit_of_work import UnitOfWork, failures_counted, unit_of_work

log = structlog.get_logger(__name__)

Item = TypeVar("Item", bound=Prepared)


class Manner(Protocol[Item]):
    """What creates and upserts differ in."""

    def prepare(self, raw: Mapping[str, Any]) -> Item:
        """An item ready to be written. Errors: InvalidInput, Forbidden."""

    def may_insert(self, item: Item) -> bool:
        """Whether it may lead to a new record."""

    async def expected(self, items: Sequence[Item]) -> Sequence[Any]:
        """Drafts or records with the texts that storing the items will probably lead to."""

    async def taken(
        self, work: UnitOfWork, items: Sequence[Item], vectors: Mapping[bytes, Vector]
    ) -> Sequence[Outcome[Any]]:
        """The outcomes of items, each of another key, that were not inserted."""


class NotAllOfThem(Exception):
    """A unit that was to be written as a whole or not at all has a refused item."""

    def __init__(self, outcomes: Sequence[Outcome[Any]]) -> None:
        super().__init__()
        self.outcomes = outcomes


@dataclass(frozen=True, slots=True)
class Batch(Generic[R, Item]):
    """Items of one kind that are written together by one caller in one manner."""

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
            return self.manner.prepare(raw)
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
        vectors = await incident_index.vectors_for(self.deps, await self.manner.expected(items))
        ids = await self.deps.ids[self.kind.type_name].take(len(items))
        try:
            return await repeated(lambda: self._write(dict(zip(ids, items, strict=True)), vectors))
        except NotAllOfThem as refused:
            return [_held_back(outcome) for outcome in refused.outcomes]
        except DBAPIError as error:
            if self.atomic or len(items) == 1 or not sqlstate(error).startswith(DATA_REFUSED):
                raise
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

    async def _write(self, items: Mapping[int, Item], vectors: Mapping[bytes, Vector]) -> list[Outcome[R]]:
        found: dict[int, Outcome[R]] = {}
        async with unit_of_work(self.deps, self.caller) as work:
            for round_ in self._rounds(items):
                found |= await self._write_round(work, round_, vectors)
            outcomes = [found[row_id] for row_id in items]
            if self.atomic and any(isinstance(outcome, DataStorageError) for outcome in outcomes):
                raise NotAllOfThem(outcomes)
            await work.commit()
        return outcomes

    def _rounds(self, items: Mapping[int, Item]) -> Iterator[dict[int, Item]]:
        """Items of one key follow each other; later rounds have no keys, and so no locks, of their own."""
        seen: Counter[str] = Counter()
        rounds: list[dict[int, Item]] = []
        for row_id, item in items.items():
            key = self.kind.key_of(item.draft)
            if seen[key] == len(rounds):
                rounds.append({})
            rounds[seen[key]][row_id] = item
            seen[key] += 1
        return iter(rounds)

    async def _write_round(
        self, work: UnitOfWork, items: Mapping[int, Item], vectors: Mapping[bytes, Vector]
    ) -> dict[int, Outcome[R]]:
        """Items of different keys: inserts what is new, and leaves the rest to the manner."""
        texts = await incident_index.texts_under_lock(work, [item.draft for item in items.values()])
        new = {row_id: item for row_id, item in items.items() if self.manner.may_insert(item)}
        inserted = await self._insert(work, new, texts)
        pending = await self._store_beside(work, list(inserted.values()), texts, vectors)
        outcomes: dict[int, Outcome[R]] = {
            row_id: self._stored(record, items[row_id], pending=record.id in pending)
            for row_id, record in inserted.items()
        }
        rest = {row_id: item for row_id, item in items.items() if row_id not in inserted}
        if rest:
            taken = await self.manner.taken(work, list(rest.values()), vectors)
            outcomes |= dict(zip(rest, taken, strict=True))
        return outcomes

    async def _insert(
        self, work: UnitOfWork, items: Mapping[int, Item], texts: Mapping[str, IncidentText]
    ) -> dict[int, R]:
        if not items:
            return {}
        rows = [self._row(row_id, item.draft, texts) for row_id, item in items.items()]
        rows.sort(key=lambda row: str(row[self.kind.key]))  # one lock order for all writers
        return {record.id: record for record in await work.audits(self.kind).add_many(rows)}

    async def _store_beside(
        self,
        work: UnitOfWork,
        inserted: Sequence[R],
        texts: Mapping[str, IncidentText],
        vectors: Mapping[bytes, Vector],
    ) -> set[int]:
        """Events, words and vectors of new records; returns those whose text waits for its vector."""
        if not inserted:
            return set()
        await work.events.add_many([events.created(self.kind, record, self.caller) for record in inserted])
        await incident_index.store_words(work, inserted, texts)
        own = {
            record.id: texts[key].hash for record in inserted if (key := self.kind.key_of(record)) in texts
        }
        hashes = set(own.values())
        await incident_index.store_vectors(work, hashes, vectors)
        retold = await incident_index.retell(work, inserted, vectors)
        pending = await incident_index.unindexed(work, hashes | retold, vectors)
        told = {record.id: {own[record.id]} if record.id in own else retold for record in inserted}
        return {row_id for row_id, concerned in told.items() if not pending.isdisjoint(concerned)}

    def _stored(self, record: R, item: Item, *, pending: bool) -> Outcome[R]:
        similarity = incident_index.similarity(self.deps, pending=pending)
        return Written(record, Receipt(replayed=False, similarity=similarity, redactions=item.redactions))

    def _row(self, row_id: int, draft: Any, texts: Mapping[str, IncidentText]) -> dict[str, Any]:
        row = {"id": row_id, **{name: getattr(draft, name) for name in self.kind.draft_fields}}
        text = texts.get(row[self.kind.key])
        return row if text is None else {**row, "content_hash": text.hash}


def _held_back(outcome: Prepared | Written[R] | DataStorageError) -> DataStorageError:
    if isinstance(outcome, DataStorageError):
        return outcome
    return HeldBack("not stored, since another item of this atomic batch was refused")
