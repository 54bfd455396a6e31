"""What readers may know of stored vectors: which texts have theirs, and whether the model has its index."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import bindparam, column, exists, func, select
from sqlalchemy import table as pg_table

from datastorage.db.database import ReadSession
from datastorage.models import incident_embedding as table

_INDEX: Final = pg_table("pg_index", *map(column, ("indexrelid", "indrelid", "indisvalid", "indpred"))).alias(
    "i"
)
_CLASS: Final = pg_table("pg_class", column("oid"), column("relam")).alias("c")
_METHOD: Final = pg_table("pg_am", column("oid"), column("amname")).alias("m")
# Each model has a partial index of its own, whose predicate names the model.
_HAS_INDEX: Final = select(
    exists()
    .where(
        _INDEX.c.indrelid == func.to_regclass(table.name),
        _INDEX.c.indisvalid,
        _CLASS.c.oid == _INDEX.c.indexrelid,
        _METHOD.c.oid == _CLASS.c.relam,
        _METHOD.c.amname == "hnsw",
        func.strpos(
            func.pg_get_expr(_INDEX.c.indpred, _INDEX.c.indrelid), func.quote_literal(bindparam("model"))
        )
        > 0,
    )
    .select_from(_INDEX, _CLASS, _METHOD)
)


async def hashes_with_vector(session: ReadSession, model: str, hashes: Iterable[bytes]) -> set[bytes]:
    """Those of the hashes that have a vector of this model now; a delete may remove it any time."""
    statement = select(table.c.content_hash).where(
        table.c.content_hash.in_(set(hashes)), table.c.model == model
    )
    return set(await session.scalars(statement))


async def has_index(session: ReadSession, model: str) -> bool:
    """Whether a valid HNSW index serves the vectors of this model; without one, only exact search is sound."""
    return bool(await session.scalar(_HAS_INDEX, {"model": model}))
