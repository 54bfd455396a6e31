"""Rows of outbox: texts that wait for something. They carry no caller's data, so no scope.

A writer puts its entry in the transaction that makes it needed, and holds one that stands already FOR KEY SHARE, as
`incident_embeddings` does with vectors: who takes an entry away locks it first, skipping those that are held, and
looks whether it is needed in a statement of its own, which sees every writer that relied on it. Nobody who leases
or takes away entries waits for a writer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    CursorResult,
    Float,
    LargeBinary,
    bindparam,
    cast,
    column,
    delete,
    exists,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from datastorage.db.database import ReadSession, WriteSession
from datastorage.domain.enums import OutboxKind
from datastorage.limits import BACKFILL_FAULT_CHARS_MAX, BACKFILL_RETRY_S_MAX, BACKFILL_RETRY_S_MIN
from datastorage.models import incident_embedding, remediation_audit
from datastorage.models import outbox as table

_c = table.c
_NOW: Final = func.clock_timestamp()
_HASHES: Final = (
    func.unnest(bindparam("hashes", type_=ARRAY(LargeBinary)))
    .table_valued(column("content_hash", LargeBinary))
    .render_derived(name="given")
)
_HAS_VECTOR: Final = exists().where(
    incident_embedding.c.content_hash == _c.content_hash, incident_embedding.c.model == _c.model
)
_IN_USE: Final = exists().where(remediation_audit.c.content_hash == _c.content_hash)
_FREE: Final = _c.leased_until.is_(None) | (_c.leased_until < _NOW)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many texts wait, how many of these somebody is at, and how many are not tried any more."""

    waiting: int
    leased: int
    parked: int


@dataclass(frozen=True, slots=True)
class Parked:
    """A text that is not tried any more."""

    content_hash: bytes
    attempts: int
    fault: str
    request_id: str | None  # of one of its incidents


class Outbox:
    """The entries of one kind for one model."""

    def __init__(self, session: WriteSession, kind: OutboxKind, model: str) -> None:
        self._session, self._kind, self._model = session, kind, model
        self._ours = (_c.kind == kind) & (_c.model == model)

    async def put(self, hashes: Iterable[bytes], lease_s: float | None = None) -> set[bytes]:
        """Sees to it that these texts have an entry when this transaction ends; returns whose is new.

        With `lease_s` new ones are leased to the writer, as `lease` does.
        """
        missing, new = set(hashes), set[bytes]()
        while missing:  # an entry that stood can be gone again before it is held
            given = {"hashes": sorted(missing)}  # one lock order for all writers
            new |= set(await self._session.scalars(self._insert(lease_s), given))
            missing -= new
            if missing:
                missing -= await self._held(missing)
        return new

    async def lease(self, rows_max: int, lease_s: float) -> list[bytes]:
        """Texts that are due, longest due first; nobody else is given them until the lease ends."""
        due = (
            select(_c.content_hash)
            .where(self._ours, _c.parked_at.is_(None), _c.not_before <= _NOW, _FREE)
            .order_by(_c.not_before)
            .limit(rows_max)
            .with_for_update(skip_locked=True, key_share=True)
            .cte("due")  # evaluated once, so that no more than these are locked
        )
        statement = (
            update(table)
            .where(self._ours, _c.content_hash.in_(select(due.c.content_hash)))
            .values(leased_until=_NOW + _seconds(lease_s), attempts=_c.attempts + 1)
            .returning(_c.content_hash)
        )
        return list(await self._session.scalars(statement))

    async def postpone(self, hashes: Iterable[bytes], delay_s: float | None = None) -> None:
        """Lets entries wait: so long, or longer with every attempt, and not all equally long."""
        backoff = func.least(
            BACKFILL_RETRY_S_MAX, BACKFILL_RETRY_S_MIN * func.power(2.0, func.least(_c.attempts, 20) - 1)
        ) * (0.5 + func.random() / 2)
        delay = backoff if delay_s is None else delay_s
        await self._change(hashes, leased_until=None, not_before=_NOW + _seconds(delay))

    async def park(self, faults: Mapping[bytes, str]) -> None:
        """Has texts not tried any more, and says why."""
        for content_hash in sorted(faults):
            fault = faults[content_hash][:BACKFILL_FAULT_CHARS_MAX] or "refused"
            await self._change([content_hash], leased_until=None, parked_at=_NOW, fault=fault)

    async def hurry(self, *, parked: bool) -> None:
        """Makes what waits for its next attempt due; with `parked` also what is not tried any more."""
        kept = self._ours if parked else self._ours & _c.parked_at.is_(None)
        await self._session.execute(
            update(table).where(kept).values(not_before=_NOW, parked_at=None, fault=None)
        )

    async def remove_done(self, hashes: Iterable[bytes]) -> int:
        """Removes the entries of texts that have their vector, or that no incident has; returns how many."""
        held = await self._free(hashes, self._ours)
        return await self._remove(held, self._ours & (_HAS_VECTOR | ~_IN_USE))

    async def remove_mirrored(self, present: Iterable[bytes], absent: Iterable[bytes]) -> int:
        """Removes the entries of texts that (still) have a vector, or none; returns how many."""
        kept = await self._remove(await self._free(present, self._ours), self._ours & _HAS_VECTOR)
        return kept + await self._remove(await self._free(absent, self._ours), self._ours & ~_HAS_VECTOR)

    async def remove_unneeded(self, hashes: Iterable[bytes] | None = None) -> None:
        """Removes entries, for every model, of texts that no incident has any more; of all without hashes."""
        kind = _c.kind == self._kind
        held = await self._free(hashes, kind & ~_IN_USE if hashes is None else kind)
        await self._remove(held, kind & ~_IN_USE)

    async def remove_all(self) -> None:
        """Removes every entry of this model that nobody holds."""
        await self._remove(await self._free(None, self._ours), self._ours)

    def _insert(self, lease_s: float | None) -> Any:
        values = {
            "kind": bindparam("kind", self._kind, _c.kind.type),
            "model": bindparam("model", self._model),
            "content_hash": _HASHES.c[0],
        }
        if lease_s is not None:
            values |= {"leased_until": _NOW + _seconds(lease_s), "attempts": literal(1)}
        return (
            insert(table)
            .from_select(list(values), select(*values.values()))
            .on_conflict_do_nothing(index_elements=["kind", "model", "content_hash"])
            .returning(_c.content_hash)
        )

    async def _held(self, hashes: Iterable[bytes]) -> set[bytes]:
        statement = select(_c.content_hash).where(self._ours, _c.content_hash.in_(set(hashes)))
        return set(await self._session.scalars(statement.with_for_update(read=True, key_share=True)))

    async def _free(self, hashes: Iterable[bytes] | None, where: Any) -> list[bytes]:
        hashes = None if hashes is None else set(hashes)
        if hashes == set():
            return []
        chosen = where if hashes is None else where & _c.content_hash.in_(hashes)
        return list(
            await self._session.scalars(
                select(_c.content_hash).where(chosen).with_for_update(skip_locked=True)
            )
        )

    async def _remove(self, hashes: list[bytes], where: Any) -> int:
        if not hashes:
            return 0
        done: CursorResult[Any] = await self._session.execute(
            delete(table).where(_c.content_hash.in_(hashes), where)
        )
        return done.rowcount

    async def _change(self, hashes: Iterable[bytes], **values: Any) -> None:
        wanted = set(hashes)
        if wanted:
            await self._session.execute(
                update(table).where(self._ours, _c.content_hash.in_(wanted)).values(**values)
            )


async def waiting(session: ReadSession, kind: OutboxKind, model: str) -> Waiting:
    """How many entries there are."""
    parked = _c.parked_at.is_not(None)
    statement = select(
        func.count().filter(~parked).label("waiting"),
        func.count().filter(~parked & ~_FREE).label("leased"),
        func.count().filter(parked).label("parked"),
    ).where(_c.kind == kind, _c.model == model)
    row = (await session.execute(statement)).one()
    return Waiting(row.waiting, row.leased, row.parked)


async def parked(session: ReadSession, kind: OutboxKind, model: str, rows_max: int) -> list[Parked]:
    """What is not tried any more, newest first."""
    request_id = (
        select(remediation_audit.c.remediation_request_id)
        .where(remediation_audit.c.content_hash == _c.content_hash)
        .order_by(remediation_audit.c.start_time.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        select(_c.content_hash, _c.attempts, _c.fault, request_id.label("request_id"))
        .where(_c.kind == kind, _c.model == model, _c.parked_at.is_not(None))
        .order_by(_c.parked_at.desc())
        .limit(rows_max)
    )
    rows = await session.execute(statement)
    return [Parked(row.content_hash, row.attempts, row.fault, row.request_id) for row in rows]


def _seconds(seconds: Any) -> Any:
    return func.make_interval(0, 0, 0, 0, 0, 0, cast(seconds, Float))
