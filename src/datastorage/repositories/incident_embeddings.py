"""Rows of incident_embedding: vectors by the hash of their text. They carry no caller's data, so no scope.

A writer whose text has its vector already relies on that row, and nobody else sees so before the writer commits.
So it holds the row FOR KEY SHARE, as a foreign key would; creates of one text do not wait for each other. A delete
removes only what it can lock at once, and looks whether a vector is in use after it has locked it: whoever relied
on the vector before is visible by then, and whoever comes later waits for the delete and stores the vector anew.
A delete waits for no writer here, so that it cannot be part of a deadlock.

Two ways that look simpler are dearer: ON CONFLICT DO UPDATE locks the row against other creates too, and with one
advisory lock for all writers a delete would hold up every one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import delete, exists, func, select, tuple_

from datastorage.db.advisory_locks import AdvisoryLock
from datastorage.db.database import WriteSession
from datastorage.models import incident_embedding as table
from datastorage.models import remediation_audit
from datastorage.models.halfvec import Vector
from datastorage.repositories.bulk import arrays, insert_rows

INSERTED: Final = ("content_hash", "model", "vector")
_KEY: Final = (table.c.content_hash, table.c.model)
_USED: Final = exists().where(remediation_audit.c.content_hash == table.c.content_hash)
_INSERT: Final = (
    insert_rows(table, INSERTED)
    .on_conflict_do_nothing(index_elements=["content_hash", "model"])
    .returning(table.c.content_hash)
)


class IncidentEmbeddings:
    """The vectors of one model."""

    def __init__(self, session: WriteSession, model: str) -> None:
        self._session, self._model = session, model
        self.stored: set[bytes] = set()  # by this transaction
        self.removed: set[bytes] = set()

    async def add_many(self, vectors: Mapping[bytes, Vector]) -> None:
        """Sees to it that these vectors are there when this transaction ends; one that stands never changes."""
        missing = vectors.keys() - await self.known(vectors)
        while missing:  # what another create was faster with can be gone again before it is held
            added = set(await self._session.scalars(_INSERT, arrays(self._rows(vectors, missing), INSERTED)))
            self.stored |= added
            missing -= added
            missing -= await self.known(missing)

    async def known(self, hashes: Iterable[bytes]) -> set[bytes]:
        """Those of the hashes that have a vector; it stays until this transaction ends."""
        wanted = set(hashes)
        if not wanted or not self._model:
            return set()
        statement = (
            select(table.c.content_hash)
            .where(table.c.content_hash.in_(wanted), table.c.model == self._model)
            .with_for_update(read=True, key_share=True)
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
        """Removes the vectors, of every model, that no incident refers to any more; the last thing a delete does.

        One that a writer holds stays: if the writer does not commit after all, without any incident.
        """
        # Of two deletes that take the last two incidents of a text, neither sees what the other did.
        await self._session.execute(select(func.pg_advisory_xact_lock(AdvisoryLock.VECTOR_REMOVAL.value)))
        free = select(*_KEY).where(table.c.content_hash.in_(set(hashes))).with_for_update(skip_locked=True)
        held = [tuple(row) for row in await self._session.execute(free)]
        if not held:
            return
        # A statement of its own, since each sees what was committed before it began.
        gone = delete(table).where(tuple_(*_KEY).in_(held), ~_USED).returning(*_KEY)
        rows = await self._session.execute(gone)
        self.removed |= {content_hash for content_hash, model in rows if model == self._model}

    async def unused(self, after: bytes, rows_max: int) -> list[bytes]:
        """Hashes, beyond one of them and in their order, of texts that no incident has, or has any more."""
        statement = (
            select(table.c.content_hash)
            .where(table.c.content_hash > after, ~_USED)
            .group_by(table.c.content_hash)
            .order_by(table.c.content_hash)
            .limit(rows_max)
        )
        return list(await self._session.scalars(statement))

    def _rows(self, vectors: Mapping[bytes, Vector], hashes: Iterable[bytes]) -> list[dict[str, object]]:
        return [
            {"content_hash": content_hash, "model": self._model, "vector": vectors[content_hash]}
            for content_hash in sorted(hashes)  # one lock order for all writers
        ]
