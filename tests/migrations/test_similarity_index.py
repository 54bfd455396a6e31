"""The statement of a search uses the index that is made for it."""

from typing import Any

import asyncpg
import numpy as np
from alembic import command
from sqlalchemy import event, text
from sqlalchemy.engine import URL, Engine

from datastorage.db import migrations
from datastorage.db.database import Database
from datastorage.domain.caller import EVERYWHERE
from datastorage.domain.filters import EVERYTHING
from datastorage.models.halfvec import to_binary
from datastorage.models.incident_embedding import DEFAULT_DIMENSIONS, DEFAULT_MODEL
from datastorage.repositories.search_session import prepare_for_search
from datastorage.repositories.vector_leg import VectorLeg
from datastorage.settings import Settings
from support.postgres import administrator
from support.schema import move

HNSW = "ix_incident_embedding_hnsw_default"


async def test_searches_use_the_index_however_often_they_run(database_url: URL, settings: Settings) -> None:
    vectors = random_unit_vectors(3_000)
    await move(database_url, command.downgrade, "0001")  # built at once, the index is there sooner
    async with administrator(database_url) as connection:
        await fill(connection, vectors)
    await migrations.upgrade(database_url)
    database = Database.connect(database_url, settings)
    sent: list[tuple[str, Any]] = []

    def record(_conn: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        sent.append((statement, parameters))

    async with database.snapshot() as session:
        leg = VectorLeg(session, EVERYWHERE, DEFAULT_MODEL, DEFAULT_DIMENSIONS)
        await prepare_for_search(session)
        event.listen(Engine, "before_cursor_execute", record)
        hits = await leg.by_index(vectors[7], EVERYTHING, rows_max=10, texts_max=400, of_each_text=10)
        event.remove(Engine, "before_cursor_execute", record)
        for vector in vectors[:9]:  # from the sixth on, PostgreSQL may choose a plan for any parameters
            await leg.by_index(vector, EVERYTHING, rows_max=10, texts_max=400, of_each_text=10)
        scans = await session.scalar(text(f"SELECT pg_stat_get_xact_numscans('{HNSW}'::regclass)"))
        statement, parameters = sent[-1]
        plan = (await session.exec_driver_sql(f"EXPLAIN {statement}", parameters)).scalars().all()
    await database.close()

    assert f"Index Scan using {HNSW}" in "\n".join(plan)
    assert scans == 10
    assert (hits[0].audit_id, round(hits[0].similarity or 0, 3)) == (8, 1.0)
    assert len(hits) == 10


def random_unit_vectors(count: int) -> np.ndarray:
    vectors = np.random.default_rng(7).standard_normal((count, DEFAULT_DIMENSIONS)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


async def fill(connection: asyncpg.Connection, vectors: np.ndarray) -> None:
    """One incident for each vector, ids from 1."""
    schema = await connection.fetchval(
        "SELECT typnamespace::regnamespace::text FROM pg_type WHERE typname = 'halfvec'"
    )
    await connection.set_type_codec("halfvec", schema=schema, encoder=bytes, decoder=bytes, format="binary")
    await connection.executemany(
        "INSERT INTO incident_embedding (content_hash, model, vector) VALUES (sha256($1), $2, $3)",
        [
            (str(number).encode(), DEFAULT_MODEL, to_binary(vector))
            for number, vector in enumerate(vectors, 1)
        ],
    )
    await connection.execute(
        """
        INSERT INTO remediation_audit (id, remediation_request_id, name, namespace, phase, status, action_type,
          start_time, alert_fingerprint, severity, environment, cluster_name, target_resource, target_kind,
          target_name, content_hash)
        SELECT n, 'rr-' || n, 'oom', 'payments', 'pending', 'pending', 'restart', now(), 'fp', 'high', 'production',
          'c', 'Pod/a', 'Pod', 'a', sha256(n::text::bytea) FROM generate_series(1, $1::int) n
        """,
        len(vectors),
    )
    await connection.execute("ANALYZE")
