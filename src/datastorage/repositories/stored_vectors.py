"""What readers may know of stored vectors: which texts have theirs, and what it is."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from datastorage.db.database import ReadSession
from datastorage.models import incident_embedding as table
from datastorage.models.halfvec import Vector


async def hashes_with_vector(session: ReadSession, model: str, hashes: Iterable[bytes]) -> set[bytes]:
    """Those of the hashes that have a vector of this model now; a delete may remove it any time."""
    statement = select(table.c.content_hash).where(
        table.c.content_hash.in_(set(hashes)), table.c.model == model
    )
    return set(await session.scalars(statement))


async def vectors_of(session: ReadSession, model: str, hashes: Iterable[bytes]) -> dict[bytes, Vector]:
    """The vectors of this model that texts have now, by their hashes."""
    statement = select(table.c.content_hash, table.c.vector).where(
        table.c.content_hash.in_(set(hashes)), table.c.model == model
    )
    return {row.content_hash: row.vector for row in await session.execute(statement)}
