"""The catalogue on HNSW indexes: which one serves the vectors of a model.

Read by the checks at start, by the search and by the commands that look after embeddings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Each model has a partial index of its own, whose predicate names the model.
_INDEX_OF_MODEL: Final = text(
    "SELECT c.relname AS name, i.indisvalid AS valid, a.atttypmod AS dimensions, pg_relation_size(c.oid) AS bytes "
    "FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = 1 "
    "WHERE i.indrelid = to_regclass('incident_embedding') AND m.amname = 'hnsw' "
    "AND strpos(pg_get_expr(i.indpred, i.indrelid), quote_literal(CAST(:model AS text))) > 0 "
    "ORDER BY i.indisvalid DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class ModelIndex:
    """The index of one model."""

    name: str
    valid: bool
    dimensions: int
    bytes: int


async def index_of(connection: AsyncConnection, model: str) -> ModelIndex | None:
    """The index that serves a model, or that is to serve it once it is valid."""
    row = (await connection.execute(_INDEX_OF_MODEL, {"model": model})).one_or_none()
    return None if row is None else ModelIndex(row.name, row.valid, row.dimensions, row.bytes)
