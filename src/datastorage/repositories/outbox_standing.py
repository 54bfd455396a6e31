"""How the outbox stands, over all kinds and models. For the gauges, and for the command that looks after it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import CursorResult, func, select, update

from datastorage.db.database import ReadSession, WriteSession
from datastorage.domain.enums import OutboxKind
from datastorage.models import outbox as table

_c = table.c
_NOW: Final = func.clock_timestamp()
_PARKED: Final = _c.parked_at.is_not(None)


@dataclass(frozen=True, slots=True)
class Backlog:
    """The entries of one kind and model: what waits, what of it somebody is at, and what is given up."""

    kind: OutboxKind
    model: str
    waiting: int
    leased: int
    parked: int
    oldest_age_s: float  # of what waits; 0 without any


async def backlogs(session: ReadSession) -> list[Backlog]:
    """Every kind and model that has entries, by name."""
    age = func.extract("epoch", _NOW - func.min(_c.created_at).filter(~_PARKED))
    statement = (
        select(
            _c.kind,
            _c.model,
            func.count().filter(~_PARKED).label("waiting"),
            func.count().filter(~_PARKED, _c.leased_until >= _NOW).label("leased"),
            func.count().filter(_PARKED).label("parked"),
            func.coalesce(func.greatest(age, 0), 0).label("oldest_age_s"),
        )
        .group_by(_c.kind, _c.model)
        .order_by(_c.kind, _c.model)
    )
    return [
        Backlog(row.kind, row.model, row.waiting, row.leased, row.parked, float(row.oldest_age_s))
        for row in await session.execute(statement)
    ]


async def make_due(session: WriteSession, kinds: Collection[OutboxKind]) -> int:
    """Has everything of these kinds tried at once, also what is given up; returns how many entries."""
    done: CursorResult[Any] = await session.execute(
        update(table)
        .where(_c.kind.in_(kinds), _PARKED | (_c.not_before > _NOW))
        .values(not_before=_NOW, parked_at=None, fault=None)
    )
    return done.rowcount
