"""Whether vectors can be kept and searched in a database: the part of the start-up checks that knows pgvector's index."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from datastorage.db.faults import reason
from datastorage.db.findings import Expected, Finding
from datastorage.db.hnsw_indexes import ModelIndex, index_of
from datastorage.models.incident_embedding import DEFAULT_MODEL

# Only the default model has its index from the migrations.
REEMBED: Final = "run: datastorage embeddings reembed"
_STORED_DIMENSIONS: Final = text(
    "SELECT vector_dims(vector) FROM incident_embedding WHERE model = :model LIMIT 1"
)


async def hnsw_works(connection: AsyncConnection, expected: Expected) -> Finding:
    """Whether an index like that of the active model can be built here."""
    dimensions = expected.dimensions or 3
    fault = await _trial_fault(connection, dimensions)
    if fault:  # once more: the first try may have met another process that was creating the extension
        fault = await _trial_fault(connection, dimensions)
    if fault:
        return Finding(
            "hnsw",
            f"a trial index failed ({fault})",
            "let the user CREATE EXTENSION vector and TEMP tables, or create the extension as superuser",
            fatal=True,
        )
    return Finding("hnsw", f"a trial index over {dimensions} dimensions works")


async def _trial_fault(connection: AsyncConnection, dimensions: int) -> str | None:
    """Builds a tiny index in a transaction that is rolled back; what went wrong."""
    try:
        await connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
        await connection.execute(text(f"CREATE TEMP TABLE hnsw_try (v halfvec({dimensions})) ON COMMIT DROP"))
        await connection.execute(text("CREATE INDEX ON hnsw_try USING hnsw (v halfvec_cosine_ops)"))
    except DBAPIError as error:
        return reason(error)
    finally:
        await connection.rollback()
    return None


async def vectors_fit(connection: AsyncConnection, expected: Expected) -> list[Finding]:
    """What is stored and what is indexed, against what the active model gives."""
    exists = await connection.scalar(text("SELECT to_regclass('incident_embedding')"))
    if exists is None or expected.dimensions is None:
        return [Finding("dimensions", "no vectors to compare")]
    stored = await connection.scalar(_STORED_DIMENSIONS, {"model": expected.model})
    index = await index_of(connection, expected.model)
    indexed = None if index is None else index.dimensions
    return [_dimensions_agree(expected, stored, indexed), _index_serves(expected, index)]


def _dimensions_agree(expected: Expected, stored: int | None, indexed: int | None) -> Finding:
    if stored not in (None, expected.dimensions):
        other = f"stored vectors of {expected.model} have {stored}"
    elif indexed not in (None, expected.dimensions):
        other = f"the index of {expected.model} has {indexed}"
    else:
        return Finding("dimensions", f"{expected.dimensions}")
    return Finding(
        "dimensions",
        f"{other}, the model gives {expected.dimensions}",
        "configure the model that wrote them, or give the new one another name",
        fatal=True,
    )


def _index_serves(expected: Expected, index: ModelIndex | None) -> Finding:
    if index is None:
        return Finding(
            "index",
            f"none over the vectors of {expected.model}: searches compare every vector",
            "run: datastorage migrate (with --check it names what is missing)"
            if expected.model == DEFAULT_MODEL
            else REEMBED,
        )
    if index.valid:
        return Finding("index", index.name)
    return Finding(
        "index",
        f"{index.name} is not valid: searches compare every vector",
        f"run: REINDEX INDEX CONCURRENTLY {index.name}" if expected.model == DEFAULT_MODEL else REEMBED,
    )
