"""Fills the service's tables: what its own code would have stored, by COPY, with the indexes built afterwards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import asyncpg

from bench.speed.data.copying import copy, set_codecs
from bench.speed.data.occurrences import Occurrence, Repeater, occurrences, texts_of
from bench.speed.data.originals import CHUNK, Making, Original, Row
from datastorage.domain.caller import OPERATOR
from datastorage.domain.enums import EventKind
from datastorage.domain.kinds import KINDS
from datastorage.domain.remediation import REMEDIATION
from datastorage.models.incident_embedding import DEFAULT_MODEL
from datastorage.repositories.record_tables import table_of

BATCH: Final = 2_000
SECONDARY_INDEXES: Final = """
    SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE c.relnamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
    ORDER BY pg_relation_size(i.indrelid) DESC
"""

Progress = Callable[[str, int, int], None]  # what, how much of it is done, of how much
Table = list[dict[str, Any]]


@dataclass
class Loader:
    """Stores the incidents of the data set in order of their number; can be asked for more later."""

    connect: Callable[[], Awaitable[asyncpg.Connection]]
    making: Making
    progress: Progress

    def __post_init__(self) -> None:
        self._repeater, self._stored = Repeater(), 0
        self._originals: list[Original] = []
        self._texts: set[bytes] = set()

    async def load(self, rows: int) -> None:
        """Until so many incidents are there. The indexes are those of the migrations, built anew."""
        self._make_up(texts_of(rows))
        connection = await self.connect()
        await set_codecs(connection)
        indexes = await connection.fetch(SECONDARY_INDEXES)
        for index in indexes:
            await connection.execute(f"DROP INDEX {index['name']}")
        await self._store(connection, rows)
        for number, index in enumerate(indexes, 1):
            await connection.execute(index["definition"])
            self.progress("indexes built", number, len(indexes))
        await self._settle(connection)
        await connection.close()

    def _make_up(self, count: int) -> None:
        missing = range(len(self._originals) // CHUNK, -(-count // CHUNK))
        if missing:
            for original in self.making.originals(missing):
                self._originals.append(original)
                self.progress("incidents made up", len(self._originals), missing.stop * CHUNK)

    async def _store(self, connection: asyncpg.Connection, rows: int) -> None:
        due = occurrences(self._stored, rows)
        while batch := list(islice(due, BATCH)):
            for table, found in self._rows(batch).items():
                await copy(connection, table, found)
            self._stored += len(batch)
            self.progress("incidents stored", self._stored, rows)

    def _rows(self, batch: Sequence[Occurrence]) -> dict[str, Table]:
        found: defaultdict[str, Table] = defaultdict(list)
        for occurrence in batch:
            original = self._originals[occurrence.original]
            for row in self._repeater.repeated(original, occurrence):
                columns = self._repeater.numbered(row)
                found[table_of(row.kind).table.name].append(columns)
                found["remediation_event"].append(_created(row, columns))
                if row.kind is REMEDIATION:
                    found["incident_lexical"].append(_words(original, columns))
            if original.text.hash not in self._texts:  # two reports can read alike
                self._texts.add(original.text.hash)
                found["incident_embedding"].append(_vector(original))
        return found

    async def _settle(self, connection: asyncpg.Connection) -> None:
        """Ids go on after those stored; the planner knows the tables; nothing is left to do in the background."""
        for kind in KINDS:
            table = table_of(kind).table.name
            await connection.execute(f"SELECT setval('{table}_id_seq', (SELECT max(id) + 1 FROM {table}))")
        self.progress("vacuumed", 0, 1)
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
        self.progress("vacuumed", 1, 1)


def _created(row: Row, columns: dict[str, Any]) -> dict[str, Any]:
    """The event of a create: the whole record."""
    return {
        "remediation_request_id": columns["remediation_request_id"],
        "subject_kind": row.kind.subject,
        "subject_key": columns[row.kind.key],
        "version": 1,
        "kind": EventKind.CREATED,
        "actor": OPERATOR.principal,
        "namespace": columns["namespace"],
        "cluster_name": columns["cluster_name"],
        "changes": {name: columns[name] for name in row.kind.record.__dataclass_fields__},
    }


def _words(original: Original, columns: dict[str, Any]) -> dict[str, Any]:
    return {
        "audit_id": columns["id"],
        **{name: columns[name] for name in ("namespace", "cluster_name", "start_time")},
        "terms": original.terms,
        "weights": original.weights,
    }


def _vector(original: Original) -> dict[str, Any]:
    return {"content_hash": original.text.hash, "model": DEFAULT_MODEL, "vector": original.vector}
