"""What readers may know of stored vectors: which texts have theirs."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from datastorage.db.database import ReadSession
from datastorage.models import incident_embedding as table


async def hashes_with_vector(session: ReadSession, model: str, hashes: Iterable[bytes]) -> set[bytes]:
    """Those of the hashes that have a vector of this model now; a delete may remove it any time."""
    statement = select(table.c.content_hash).where(
        table.c.content_hash.in_(set(hashes)), table.c.model == model
    )
    return set(await session.scalars(statement))
