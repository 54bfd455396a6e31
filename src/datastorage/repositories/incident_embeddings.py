"""Rows of incident_embedding: vectors by the hash of their text. They carry no caller's data, so no scope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import delete, exists, select

from datastorage.db.database import WriteSession
from datastorage.models import incident_embedding as table
from datastorage.models import remediation_audit
from datastorage.models.halfvec import Vector
from datastorage.repositories.bulk import arrays, insert_rows

INSERTED: Final = ("content_hash", "model", "vector")
_INSERT: Final = insert_rows(table, INSERTED).on_conflict_do_nothing(index_elements=["content_hash", "model"])


class IncidentEmbeddings:
    """The vectors of one model."""

    def __init__(self, session: WriteSession, model: str) -> None:
        self._session, self._model = session, model

    async def add_many(self, vectors: Mapping[bytes, Vector]) -> None:
        """Stores vectors whose text is new; the others stand already, and vectors never change."""
        rows = [
            {"content_hash": content_hash, "model": self._model, "vector": vector}
            for content_hash, vector in sorted(vectors.items())  # one lock order for all writers
        ]
        await self._session.execute(_INSERT, arrays(rows, INSERTED))

    async def known(self, hashes: Iterable[bytes]) -> set[bytes]:
        """Those of the hashes that have a vector."""
        statement = select(table.c.content_hash).where(
            table.c.content_hash.in_(set(hashes)), table.c.model == self._model
        )
        return set(await self._session.scalars(statement))

    async def indexed(self, row_ids: Iterable[int]) -> set[int]:
        """Those of the incidents, by number, whose text has a vector."""
        statement = (
            select(remediation_audit.c.id)
            .join(
                table,
                (table.c.content_hash == remediation_audit.c.content_hash) & (table.c.model == self._model),
            )
            .where(remediation_audit.c.id.in_(set(row_ids)))
        )
        return set(await self._session.scalars(statement))

    async def remove_unused(self, hashes: Iterable[bytes]) -> None:
        """Removes the vectors, of every model, that no incident refers to any more."""
        used = exists().where(remediation_audit.c.content_hash == table.c.content_hash)
        await self._session.execute(delete(table).where(table.c.content_hash.in_(set(hashes)), ~used))
