"""All vectors of a model: how many, how sound, a sample of them, and taking them away. Called by the commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, delete, distinct, exists, func, select

from datastorage.db.database import MaintenanceSession, ReadSession, WriteSession
from datastorage.limits import HNSW_EF_SEARCH, VECTOR_LENGTH_TOLERANCE
from datastorage.models import incident_embedding as table
from datastorage.models import remediation_audit
from datastorage.models.halfvec import Halfvec, Vector, cosine_distance, inner_product

_c = table.c
_IN_USE: Final = exists().where(remediation_audit.c.content_hash == _c.content_hash)


@dataclass(frozen=True, slots=True)
class ModelVectors:
    """What is stored of one model."""

    model: str
    vectors: int
    dimensions: tuple[int, ...]  # one, if all is well
    not_unit: int  # vectors that are not of length 1


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many distinct texts the incidents have, and how many of these a model has the vector of."""

    texts: int
    with_vector: int


async def stored_models(session: MaintenanceSession) -> list[ModelVectors]:
    """Every model that has vectors, by name."""
    wrong_length = func.abs(func.l2_norm(_c.vector) - 1) > VECTOR_LENGTH_TOLERANCE
    statement = (
        select(
            _c.model,
            func.count().label("vectors"),
            func.array_agg(distinct(func.vector_dims(_c.vector))).label("dimensions"),
            func.count().filter(wrong_length).label("not_unit"),
        )
        .group_by(_c.model)
        .order_by(_c.model)
    )
    rows = await session.execute(statement)
    return [ModelVectors(row.model, row.vectors, tuple(row.dimensions), row.not_unit) for row in rows]


async def coverage(session: MaintenanceSession, model: str) -> Coverage:
    """How far the vectors of a model reach."""
    texts = select(remediation_audit.c.content_hash).distinct().subquery("texts")
    has_vector = exists().where(_c.content_hash == texts.c.content_hash, _c.model == model)
    row = (
        await session.execute(
            select(
                func.count().label("texts"), func.count().filter(has_vector).label("with_vector")
            ).select_from(texts)
        )
    ).one()
    return Coverage(row.texts, row.with_vector)


async def sample(session: MaintenanceSession, model: str, rows_max: int) -> dict[bytes, Vector]:
    """Some vectors, by the hash of their text, which an incident has."""
    statement = (
        select(_c.content_hash, _c.vector)
        .where(_c.model == model, _IN_USE)
        .order_by(func.random())
        .limit(rows_max)
    )
    return {row.content_hash: row.vector for row in await session.execute(statement)}


async def count_vectors(session: ReadSession | MaintenanceSession, model: str) -> int:
    """How many vectors there are."""
    statement = select(func.count()).select_from(table).where(_c.model == model)
    return int(await session.scalar(statement) or 0)


async def page_of_vectors(
    session: ReadSession, model: str, after: bytes, rows_max: int
) -> dict[bytes, Vector]:
    """Vectors with hashes beyond `after`, in order of their hashes; fewer than asked for at the end."""
    statement = (
        select(_c.content_hash, _c.vector)
        .where(_c.model == model, _c.content_hash > after)
        .order_by(_c.content_hash)
        .limit(rows_max)
    )
    return {row.content_hash: row.vector for row in await session.execute(statement)}


async def nearest_exactly(session: ReadSession, model: str, vector: Vector, rows_max: int) -> list[float]:
    """The similarities of the nearest vectors, all of them compared."""
    distance = inner_product(_c.vector, bindparam("vector", vector, type_=Halfvec(len(vector))))
    # "+ 0" keeps the planner from asking an index.
    statement = select(distance).where(_c.model == model).order_by(distance + 0).limit(rows_max)
    return [-float(found) for found in await session.scalars(statement)]


async def nearest_by_index(session: ReadSession, model: str, vector: Vector, rows_max: int) -> list[float]:
    """The similarities of the vectors that the index holds for the nearest. Needs a snapshot session."""
    await session.execute(
        select(
            func.set_config("hnsw.ef_search", str(HNSW_EF_SEARCH), True),  # noqa: FBT003 -- local
            func.set_config("enable_seqscan", "off", True),  # noqa: FBT003 -- few vectors are faster compared
        )
    )
    query = bindparam("vector", vector, type_=Halfvec(len(vector)))
    statement = (
        select(inner_product(_c.vector, query))
        # A literal, so that the planner sees which partial index serves the model.
        .where(_c.model == bindparam("model", model, literal_execute=True))
        .order_by(cosine_distance(_c.vector, query, len(vector)))
        .limit(rows_max)
    )
    return [-float(found) for found in await session.scalars(statement)]


async def remove_vectors(session: WriteSession, model: str, rows_max: int) -> int:
    """Removes some vectors of a model, those aside that a writer holds; returns how many."""
    free = (
        select(_c.content_hash)
        .where(_c.model == model)
        .order_by(_c.content_hash)
        .limit(rows_max)
        .with_for_update(skip_locked=True)
    )
    held = list(await session.scalars(free))
    if held:
        await session.execute(delete(table).where(_c.model == model, _c.content_hash.in_(held)))
    return len(held)
