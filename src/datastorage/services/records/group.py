"""Units of records of one kind, written together in one transaction as statements of many rows. Called by the queue."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from datastorage.domain.caller import EVERYWHERE
from datastorage.domain.kind import R, RecordKind
from datastorage.domain.receipt import Receipt, Written
from datastorage.errors import DataStorageError
from datastorage.services.dependencies import Dependencies
from datastorage.services.incident_text import IncidentText
from datastorage.services.records import events, incident_index
from datastorage.services.records.accounting import Outcome
from datastorage.services.records.incident_index import Told
from datastorage.services.records.manner import Manner
from datastorage.services.records.prepared import Prepared
from datastorage.services.unit_of_work import UnitOfWork, transaction


class NotAllOfThem(Exception):
    """A unit that was to be written as a whole or not at all has a refused item."""

    def __init__(self, outcomes: Sequence[Outcome[Any]]) -> None:
        super().__init__()
        self.outcomes = outcomes


@dataclass(frozen=True, slots=True, eq=False)
class RecordUnit(Generic[R]):
    """What one caller stores at once, by the numbers that new records will have."""

    kind: RecordKind[R]
    manner: Manner[Any]
    items: Mapping[int, Prepared]
    told: Told
    alone: bool  # one refused item takes back all of them

    @property
    def keys(self) -> Collection[str]:
        """Natural keys."""
        return {self.kind.key_of(item.draft) for item in self.items.values()}

    @property
    def rows(self) -> int:
        """How many records."""
        return len(self.items)


@dataclass(frozen=True, slots=True)
class Stored(Generic[R]):
    """What became of a unit, and the transaction that it was committed in."""

    outcomes: list[Outcome[R]]
    work: UnitOfWork


class RecordLane(Generic[R]):
    """Writes units of one kind."""

    def __init__(self, deps: Dependencies, kind: RecordKind[R]) -> None:
        self._deps, self._kind = deps, kind

    def __eq__(self, other: object) -> bool:
        """Units of the same kind go together."""
        return isinstance(other, RecordLane) and self._kind is other._kind and self._deps is other._deps

    def __hash__(self) -> int:
        """As equality has it."""
        return hash(self._kind.type_name)

    async def write(self, units: Sequence[RecordUnit[R]]) -> list[Stored[R]]:
        """The outcomes of each unit. Errors: NotAllOfThem, for a unit that is alone."""
        async with transaction(self._deps, EVERYWHERE) as work:
            found = await _Group(self._deps, self._kind, work, units).outcomes()
            stored = [Stored([found[number] for number in unit.items], work) for unit in units]
            for unit, of_unit in zip(units, stored, strict=True):
                if unit.alone and any(isinstance(outcome, DataStorageError) for outcome in of_unit.outcomes):
                    raise NotAllOfThem(of_unit.outcomes)
            await work.commit(len(units))
        return stored


class _Group(Generic[R]):
    """Units on their way through one transaction."""

    def __init__(
        self,
        deps: Dependencies,
        kind: RecordKind[R],
        work: UnitOfWork,
        units: Sequence[RecordUnit[R]],
    ) -> None:
        self._deps, self._kind, self._work = deps, kind, work
        self._items = {number: item for unit in units for number, item in unit.items.items()}
        self._manners = {number: unit.manner for unit in units for number in unit.items}
        self._told = Told.together(unit.told for unit in units)

    async def outcomes(self) -> dict[int, Outcome[R]]:
        """What became of each item, by its number."""
        found: dict[int, Outcome[R]] = {}
        for round_ in self._rounds():
            found |= await self._write_round(round_)
        return found

    def _rounds(self) -> list[dict[int, Prepared]]:
        """Items of one key follow each other; later rounds have no keys, and so no locks, of their own."""
        seen: Counter[str] = Counter()
        rounds: list[dict[int, Prepared]] = []
        for number, item in self._items.items():
            key = self._kind.key_of(item.draft)
            if seen[key] == len(rounds):
                rounds.append({})
            rounds[seen[key]][number] = item
            seen[key] += 1
        return rounds

    async def _write_round(self, items: Mapping[int, Prepared]) -> dict[int, Outcome[R]]:
        """Items of different keys: inserts what is new, and leaves the rest to their manners."""
        drafts = [item.draft for item in items.values()]
        texts = await incident_index.texts_under_lock(self._work, drafts, self._told)
        inserted = await self._insert(items, texts)
        pending = await self._store_beside(list(inserted.values()), texts)
        outcomes: dict[int, Outcome[R]] = {
            number: self._stored(record, items[number], pending=number in pending)
            for number, record in inserted.items()
        }
        rest: dict[Manner[Any], list[int]] = defaultdict(list)
        for number in items:
            if number not in inserted:
                rest[self._manners[number]].append(number)
        for manner, numbers in rest.items():
            of_manner = [items[number] for number in numbers]
            taken = await manner.taken(self._deps, self._work, of_manner, self._told.vectors)
            outcomes |= dict(zip(numbers, taken, strict=True))
        return outcomes

    async def _insert(self, items: Mapping[int, Prepared], texts: Mapping[str, IncidentText]) -> dict[int, R]:
        rows = [
            self._row(number, item.draft, texts)
            for number, item in items.items()
            if self._manners[number].may_insert(item)
        ]
        if not rows:
            return {}
        rows.sort(key=lambda row: str(row[self._kind.key]))  # one lock order for all writers
        return {record.id: record for record in await self._work.audits(self._kind).add_many(rows)}

    async def _store_beside(self, inserted: Sequence[R], texts: Mapping[str, IncidentText]) -> set[int]:
        """Events, words and vectors of new records; returns those whose text waits for its vector."""
        if not inserted:
            return set()
        work, vectors = self._work, self._told.vectors
        await work.events.add_many(
            [events.created(self._kind, record, self._items[record.id].caller) for record in inserted]
        )
        await incident_index.store_words(work, inserted, texts)
        told = {
            record.id: texts[key].hash for record in inserted if (key := self._kind.key_of(record)) in texts
        }
        await incident_index.store_vectors(work, set(told.values()), vectors)
        told |= await incident_index.retell(work, inserted, vectors)
        pending = await incident_index.unindexed(work, set(told.values()), vectors)
        return {number for number, content_hash in told.items() if content_hash in pending}

    def _stored(self, record: R, item: Prepared, *, pending: bool) -> Outcome[R]:
        similarity = incident_index.similarity(self._deps, pending=pending)
        return Written(record, Receipt(replayed=False, similarity=similarity, redactions=item.redactions))

    def _row(self, number: int, draft: Any, texts: Mapping[str, IncidentText]) -> dict[str, Any]:
        row = {"id": number, **{name: getattr(draft, name) for name in self._kind.draft_fields}}
        text = texts.get(row[self._kind.key])
        return row if text is None else {**row, "content_hash": text.hash}
