"""The HNSW indexes over stored vectors, one for each model.

Called by the search and by the commands that look after embeddings. That of the default model comes with the
migrations; those of other models are built and dropped here, without holding up writers, and migrations leave
them alone (see `db.drift`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import func, select, text

from datastorage.db.advisory_locks import AdvisoryLock
from datastorage.db.database import MaintenanceSession, ReadSession
from datastorage.db.hnsw_indexes import index_of
from datastorage.errors import OperatorError

PREFIX: Final = "hnsw_model_"
NAME_CHARS_MAX: Final = 63  # of PostgreSQL
_CREATE: Final = text(
    "SELECT format('CREATE INDEX CONCURRENTLY %I ON incident_embedding "
    "USING hnsw ((vector::halfvec(%s)) halfvec_cosine_ops) WITH (m = 16, ef_construction = 64) WHERE model = %L', "
    "CAST(:name AS text), CAST(:dimensions AS int), CAST(:model AS text))"
)
_DROP: Final = text("SELECT format('DROP INDEX CONCURRENTLY IF EXISTS %I', CAST(:name AS text))")


def index_name(model: str) -> str:
    """A name that tells the model, and that no other model has."""
    mark = hashlib.sha256(model.encode()).hexdigest()[:8]
    slug = re.sub(r"[^a-z0-9]+", "_", model.lower()).strip("_")
    return f"{PREFIX}{slug[: NAME_CHARS_MAX - len(PREFIX) - len(mark) - 1]}_{mark}"


async def has_index(session: ReadSession, model: str) -> bool:
    """Whether a valid index serves the vectors of a model; without one, only exact search is sound."""
    found = await index_of(session, model)
    return found is not None and found.valid


async def build_index(session: MaintenanceSession, model: str, dimensions: int) -> bool:
    """Builds the index of a model unless it is there; says whether it did. What a broken build left is replaced.

    Errors: OperatorError while another process builds one.
    """
    async with _building(session):
        found = await index_of(session, model)
        if found is not None and found.valid:
            return False
        name = index_name(model)
        if found is not None:
            await _drop(session, found.name)
        created = {"name": name, "dimensions": dimensions, "model": model}
        await session.exec_driver_sql(str(await session.scalar(_CREATE, created)))
        return True


async def drop_index(session: MaintenanceSession, model: str) -> None:
    """Drops what `build_index` made; the index of the default model, which belongs to the migrations, stays.

    Errors: OperatorError while another process builds one.
    """
    async with _building(session):
        await _drop(session, index_name(model))


async def _drop(session: MaintenanceSession, name: str) -> None:
    await session.exec_driver_sql(str(await session.scalar(_DROP, {"name": name})))


@asynccontextmanager
async def _building(session: MaintenanceSession) -> AsyncIterator[None]:
    """One build at a time: an index that is being built looks like one whose build broke off."""
    if not await session.scalar(select(func.pg_try_advisory_lock(AdvisoryLock.INDEX_BUILD.value))):
        raise OperatorError("another command is building or dropping the index of a model; try again later")
    try:
        yield
    finally:
        if not session.invalidated:
            await session.execute(select(func.pg_advisory_unlock(AdvisoryLock.INDEX_BUILD.value)))
