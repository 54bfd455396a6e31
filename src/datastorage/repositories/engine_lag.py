"""Texts whose vector the engine beside PostgreSQL may not know rightly yet. Called by the search."""

from __future__ import annotations

from sqlalchemy import select

from datastorage.db.database import ReadSession
from datastorage.domain.enums import OutboxKind
from datastorage.models import outbox


async def hashes_not_mirrored(session: ReadSession, model: str, rows_max: int) -> set[bytes]:
    """Texts that wait to be delivered to the engine, parked ones included; some of them, if they are more."""
    statement = (
        select(outbox.c.content_hash)
        .where(outbox.c.kind == OutboxKind.MIRROR, outbox.c.model == model)
        .limit(rows_max)
    )
    return set(await session.scalars(statement))
