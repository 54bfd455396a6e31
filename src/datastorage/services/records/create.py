"""Creating audits: validate, redact, embed, then one unit of work for all of them.

A create is idempotent by its natural key, see `replay`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError

from datastorage.db.faults import DATA_REFUSED, sqlstate
from datastorage.domain.caller import Caller, Right
from datastorage.domain.kind import R, RecordKind
from datastorage.domain.names import camel
from datastorage.domain.receipt import Receipt, Written
from datastorage.embedding import Vector
from datastorage.errors import DataStorageError, Forbidden, HeldBack, InvalidInput, Unavailable
from datastorage.services.dependencies import Dependencies
from datastorage.services.incident_text import IncidentText
from datastorage.services.records import events, incident_index
from datastorage.services.records.accounting import Outcome, accounted
from datastorage.services.records.prepared import Prepared, prepare
from datastorage.services.records.replay import Replayer
from datastorage.services.unit_of_work import UnitOfWork, failures_counted, unit_of_work

log = structlog.get_logger(__name__)


class NotAllOfThem(Exception):
    """A unit that was to be written as a whole or not at all has a refused item."""

    def __init__(self, outcomes: Sequence[Outcome[Any]]) -> None:
        super().__init__()
        self.outcomes = outcomes


async def create_record(
    deps: Dependencies, caller: Caller, kind: RecordKind[R], raw: Mapping[str, Any]
) -> Written[R]:
    """Stores one audit with its event and, for incidents, its vector.

    Errors: InvalidInput, Forbidden, RecordConflict, Unavailable.
    """
    (outcome,) = await create_records(deps, caller, kind, [raw])
    if isinstance(outcome, DataStorageError):
        raise outcome
    return outcome


async def create_records(
    deps: Dependencies,
    caller: Caller,
    kind: RecordKind[R],
    raws: Sequence[Mapping[str, Any]],
    *,
    atomic: bool = False,
) -> list[Outcome[R]]:
    """Stores many, each with its own outcome; a refused one does not hold up the others unless `atomic`.

    Errors: Forbidden (no right to write at all).
    """
    with accounted(kind, len(raws)) as tally:
        caller.require(Right.WRITE)
        prepared = [_prepared(deps, caller, kind, raw) for raw in raws]
        ready = [item for item in prepared if isinstance(item, Prepared)]
        if atomic and len(ready) < len(prepared):
            outcomes: list[Outcome[R]] = [_held_back(item) for item in prepared]
        else:
            written = iter(await _written(deps, caller, kind, ready, atomic=atomic))
            outcomes = [next(written) if isinstance(item, Prepared) else item for item in prepared]
        tally.outcomes = outcomes
    return outcomes


async def _written(
    deps: Dependencies, caller: Caller, kind: RecordKind[R], items: Sequence[Prepared], *, atomic: bool
) -> list[Outcome[R]]:
    """The outcome of each item; an outage is the outcome of all of them."""
    try:
        with failures_counted():
            return await _write_or_split(deps, caller, kind, items, atomic=atomic)
    except Unavailable as outage:
        return [outage for _ in items]


def _prepared(
    deps: Dependencies, caller: Caller, kind: RecordKind[R], raw: Mapping[str, Any]
) -> Prepared | DataStorageError:
    try:
        return prepare(kind, caller, deps.redactor, raw)
    except (InvalidInput, Forbidden) as refusal:
        return refusal


def _held_back(outcome: Prepared | Written[R] | DataStorageError) -> DataStorageError:
    if isinstance(outcome, DataStorageError):
        return outcome
    return HeldBack("not stored, since another item of this atomic batch was refused")


async def _write_or_split(
    deps: Dependencies, caller: Caller, kind: RecordKind[R], items: Sequence[Prepared], *, atomic: bool
) -> list[Outcome[R]]:
    """Writes all at once; data that PostgreSQL refuses sends the batch through one by one."""
    if not items:
        return []
    vectors = await incident_index.vectors_for(deps, [item.draft for item in items])
    ids = await deps.ids[kind.type_name].take(len(items))
    try:
        return await _write(deps, caller, kind, dict(zip(ids, items, strict=True)), vectors, atomic=atomic)
    except NotAllOfThem as refused:
        return [_held_back(outcome) for outcome in refused.outcomes]
    except DBAPIError as error:
        if atomic or len(items) == 1 or not sqlstate(error).startswith(DATA_REFUSED):
            raise
    return [await _write_alone(deps, caller, kind, item) for item in items]


async def _write_alone(deps: Dependencies, caller: Caller, kind: RecordKind[R], item: Prepared) -> Outcome[R]:
    """One item of a batch that PostgreSQL refused as a whole; its own refusal must not stop the others."""
    try:
        return (await _write_or_split(deps, caller, kind, [item], atomic=False))[0]
    except DBAPIError as error:
        if not sqlstate(error).startswith(DATA_REFUSED):
            raise
        log.exception("record_refused_by_the_database", kind=kind.type_name, key=kind.key_of(item.draft))
        return InvalidInput.single(camel(kind.key), "names a record that the database refuses")


async def _write(
    deps: Dependencies,
    caller: Caller,
    kind: RecordKind[R],
    items: Mapping[int, Prepared],
    vectors: Mapping[bytes, Vector],
    *,
    atomic: bool,
) -> list[Outcome[R]]:
    async with unit_of_work(deps, caller) as work:
        texts = await incident_index.texts_under_lock(work, [item.draft for item in items.values()])
        rows = [_row(kind, row_id, item.draft, texts) for row_id, item in items.items()]
        rows.sort(key=lambda row: row[kind.key])  # one lock order for all writers
        inserted = {record.id: record for record in await work.audits(kind).add_many(rows)}
        retold = await _store_beside(work, caller, kind, list(inserted.values()), texts, vectors)
        pending = await incident_index.unindexed(
            work, retold | {text.hash for text in texts.values()}, vectors
        )
        repeated = [item.draft for row_id, item in items.items() if row_id not in inserted]
        replayer = await Replayer.load(deps, caller, kind, work, repeated)
        outcomes: list[Outcome[R]] = []
        for row_id, item in items.items():
            if row_id in inserted:
                text = texts.get(kind.key_of(item.draft))
                waits = not pending.isdisjoint(retold if text is None else {text.hash})
                outcomes.append(_stored(deps, inserted[row_id], item, pending=waits))
            else:
                outcomes.append(replayer.outcome(item))
        if atomic and any(isinstance(outcome, DataStorageError) for outcome in outcomes):
            raise NotAllOfThem(outcomes)
        await work.commit()
    return outcomes


async def _store_beside(
    work: UnitOfWork,
    caller: Caller,
    kind: RecordKind[R],
    inserted: Sequence[R],
    texts: Mapping[str, IncidentText],
    vectors: Mapping[bytes, Vector],
) -> set[bytes]:
    """Events and vectors of new records; returns the hashes of the remediations that they gave a new text."""
    if not inserted:
        return set()
    await work.events.add_many([events.created(kind, record, caller) for record in inserted])
    hashes = {texts[kind.key_of(record)].hash for record in inserted if kind.key_of(record) in texts}
    await incident_index.store_vectors(work, hashes, vectors)
    return await incident_index.retell(work, inserted, vectors)


def _stored(deps: Dependencies, record: R, item: Prepared, *, pending: bool) -> Written[R]:
    similarity = incident_index.similarity(deps, pending=pending)
    return Written(record, Receipt(replayed=False, similarity=similarity, redactions=item.redactions))


def _row(kind: RecordKind[R], row_id: int, draft: Any, texts: Mapping[str, IncidentText]) -> dict[str, Any]:
    row = {name: getattr(draft, name) for name in kind.draft_fields}
    text = texts.get(row[kind.key])
    return {**row, "id": row_id} if text is None else {**row, "id": row_id, "content_hash": text.hash}
