"""The schema's way up and down, its state as probes see it, and the index that it is all about."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import numpy as np
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import event, text
from sqlalchemy.engine import URL, Engine
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from datastorage.db import migrations
from datastorage.db.database import Database
from datastorage.db.drift import drift
from datastorage.db.migrations import SchemaState, known_revisions, read_state
from datastorage.domain.caller import EVERYWHERE
from datastorage.domain.filters import EVERYTHING
from datastorage.errors import StartupError
from datastorage.models import metadata
from datastorage.models.halfvec import to_binary
from datastorage.models.incident_embedding import DEFAULT_DIMENSIONS, DEFAULT_MODEL
from datastorage.repositories.similar_incidents import SimilarIncidents
from datastorage.settings import Settings
from support.postgres import administrator

HNSW = "ix_incident_embedding_hnsw_default"
ADD_EMBEDDING = f"""
INSERT INTO incident_embedding (content_hash, model, vector)
VALUES (sha256('a'), '{DEFAULT_MODEL}', array_fill(0.1, ARRAY[{DEFAULT_DIMENSIONS}])::halfvec)
"""  # noqa: S608 -- constants of ours
OBJECTS = """
SELECT c.relname || ' ' || conname || ': ' || pg_get_constraintdef(o.oid)
FROM pg_constraint o JOIN pg_class c ON c.oid = conrelid WHERE relnamespace = 'public'::regnamespace
UNION ALL
SELECT pg_get_indexdef(indexrelid) || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END
FROM pg_index JOIN pg_class c ON c.oid = indrelid WHERE relnamespace = 'public'::regnamespace
UNION ALL
SELECT concat_ws(' ', c.relname, attname, format_type(atttypid, atttypmod), collname, attnotnull, attidentity,
  pg_get_expr(adbin, adrelid))
FROM pg_attribute JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_collation l ON l.oid = attcollation
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0
"""


async def objects(url: URL) -> set[str]:
    """Every column, constraint and index, as PostgreSQL spells them; Alembic's own table aside."""
    async with administrator(url) as connection:
        return {row[0] for row in await connection.fetch(OBJECTS) if "alembic_version" not in row[0]}


async def execute(url: URL, statement: str, *arguments: object) -> Any:
    """One statement; the first value of its result."""
    async with administrator(url) as connection:
        return await connection.fetchval(statement, *arguments)


async def move(url: URL, to: Callable[..., None], revision: str) -> None:
    """To a revision, as Alembic's own commands do it."""
    async with migrations.migration_connection(url) as connection:
        await connection.run_sync(lambda sync: to(migrations._config(sync, lambda _: None), revision))


# --- up and down


def test_there_is_one_line_of_revisions() -> None:
    scripts = ScriptDirectory(str(migrations.SOURCE))

    assert scripts.get_heads() == [known_revisions()[-1]]
    assert scripts.get_bases() == [known_revisions()[0]]


async def test_every_revision_can_be_gone_up_and_down(empty_database_url: URL) -> None:
    stages = [await objects(empty_database_url)]
    for revision in known_revisions():
        await move(empty_database_url, command.upgrade, "+1")
        assert (await read_state(empty_database_url)).current == (revision,)
        stages.append(await objects(empty_database_url))

    for stage in reversed(stages[:-1]):
        await move(empty_database_url, command.downgrade, "-1")
        assert await objects(empty_database_url) == stage

    assert stages[0] == set()
    assert (await read_state(empty_database_url)).current == ()
    await migrations.upgrade(empty_database_url)
    assert await objects(empty_database_url) == stages[-1]


async def test_the_migrated_tables_are_those_of_the_code(database_url: URL, empty_database_url: URL) -> None:
    engine = create_async_engine(empty_database_url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("CREATE EXTENSION vector")
        await connection.run_sync(metadata.create_all)

    assert await objects(database_url) == await objects(empty_database_url)


async def test_steps_are_told_and_a_second_run_has_none(empty_database_url: URL) -> None:
    first, second = [], []

    await migrations.upgrade(empty_database_url, on_step=first.append)
    before = await objects(empty_database_url)
    await migrations.upgrade(empty_database_url, on_step=second.append)

    assert [step.split()[0] for step in first] == list(known_revisions())
    assert second == []
    assert await objects(empty_database_url) == before


async def test_four_runs_at_once_apply_each_revision_once(empty_database_url: URL) -> None:
    steps: list[str] = []

    await asyncio.gather(*(migrations.upgrade(empty_database_url, on_step=steps.append) for _ in range(4)))

    assert [step.split()[0] for step in steps] == list(known_revisions())
    assert await drift(empty_database_url, metadata) == []


async def test_a_hasty_time_out_of_the_database_does_not_break_a_migration(
    server_url: URL, empty_database_url: URL
) -> None:
    name = empty_database_url.database
    await execute(server_url, f"ALTER DATABASE \"{name}\" SET statement_timeout = '1ms'")

    await migrations.upgrade(empty_database_url)

    await execute(server_url, f'ALTER DATABASE "{name}" RESET statement_timeout')
    assert (await read_state(empty_database_url)).good


# --- the index, built while others work


async def test_the_index_waits_for_open_transactions_instead_of_giving_up(
    empty_database_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "MIGRATION_LOCK_TIMEOUT_S", 1)
    await move(empty_database_url, command.upgrade, "0001")
    async with administrator(empty_database_url) as writer:
        async with writer.transaction():
            await writer.execute(ADD_EMBEDDING)
            building = asyncio.create_task(migrations.upgrade(empty_database_url))
            await until_building(empty_database_url)
            await asyncio.sleep(1.5)
            assert not building.done()
        await building

    assert await valid(empty_database_url) is True


async def test_a_broken_build_is_told_and_mended_by_running_again(empty_database_url: URL) -> None:
    await move(empty_database_url, command.upgrade, "0001")
    async with administrator(empty_database_url) as writer, writer.transaction():
        await writer.execute(ADD_EMBEDDING)
        building = asyncio.create_task(migrations.upgrade(empty_database_url))
        await writer.execute("SELECT pg_cancel_backend($1)", await until_building(empty_database_url))
        with pytest.raises(StartupError, match=r"canceling statement .*; it can be run again: datastorage"):
            await building
    left = (await valid(empty_database_url), await read_state(empty_database_url))

    await migrations.upgrade(empty_database_url)

    assert left[0] is False
    assert (left[1].current, left[1].pending) == (("0001",), ("0002",))
    assert await valid(empty_database_url) is True
    assert (await read_state(empty_database_url)).good


async def test_time_outs_of_one_revision_do_not_last_into_the_next(empty_database_url: URL) -> None:
    async with migrations.migration_connection(empty_database_url) as connection:
        await connection.run_sync(
            lambda sync: command.upgrade(migrations._config(sync, lambda _: None), "head")
        )
        shown = [
            (await connection.exec_driver_sql(f"SHOW {name}")).scalar()
            for name in ("lock_timeout", "statement_timeout")
        ]

    assert shown == ["5s", "1min"]


async def until_building(url: URL) -> int:
    """The process that builds the index, once it waits for the transaction that is open."""
    async with administrator(url) as connection, asyncio.timeout(60):
        while True:
            pid = await connection.fetchval(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
                "AND query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'"
            )
            if pid is not None:
                return pid
            await asyncio.sleep(0.05)


async def valid(url: URL) -> bool:
    """Whether the HNSW index may be used."""
    return await execute(url, "SELECT indisvalid FROM pg_index WHERE indexrelid = $1::regclass", HNSW)


# --- drift


async def test_a_migrated_database_has_no_drift(database_url: URL) -> None:
    assert await drift(database_url, metadata) == []


@pytest.mark.parametrize(
    ("by_hand", "told"),
    [
        ("DROP INDEX ix_incident_embedding_hnsw_default", f"incident_embedding: lacks index {HNSW}"),
        (
            "ALTER TABLE remediation_audit DROP CONSTRAINT ck_remediation_audit_phase",
            "remediation_audit: lacks constraint ck_remediation_audit_phase",
        ),
        (
            "ALTER TABLE remediation_audit ALTER resolution TYPE varchar(5)",
            "remediation_audit.resolution: type is VARCHAR(5), should be TEXT",
        ),
        (
            "ALTER TABLE remediation_audit ALTER name DROP NOT NULL",
            "remediation_audit.name: nullable is True, should be False",
        ),
        (
            "ALTER TABLE remediation_audit ALTER metadata DROP DEFAULT",
            "remediation_audit.metadata: default is None, should be '{}'::jsonb",
        ),
        (
            "ALTER TABLE remediation_event ADD nonsense int",
            "remediation_event: has an unknown column nonsense",
        ),
        ("DROP TABLE schema_compatibility", "schema_compatibility: lacks table schema_compatibility"),
        (
            "CREATE INDEX by_hand ON remediation_audit (name)",
            "remediation_audit: has an unknown index by_hand",
        ),
    ],
)
async def test_what_was_changed_by_hand_is_drift(database_url: URL, by_hand: str, told: str) -> None:
    await execute(database_url, by_hand)

    assert await drift(database_url, metadata) == [told]


async def test_indexes_made_while_running_and_tables_of_others_are_no_drift(database_url: URL) -> None:
    await execute(database_url, "CREATE INDEX hnsw_model_x ON incident_embedding (created_at)")
    await execute(database_url, "CREATE TABLE of_another_service (id int PRIMARY KEY)")

    assert await drift(database_url, metadata) == []


# --- the state of the schema


async def test_an_empty_database_lacks_every_revision(empty_database_url: URL) -> None:
    state = await read_state(empty_database_url)

    assert state == SchemaState((), known_revisions(), None)
    assert not state.good
    assert state.describe() == (
        f"lacks {len(known_revisions())} migration(s) of this release; run: datastorage migrate"
    )


async def test_a_schema_at_an_older_revision_lacks_the_rest(database_url: URL) -> None:
    await execute(database_url, "UPDATE alembic_version SET version_num = $1", known_revisions()[0])

    state = await read_state(database_url)

    assert (state.pending, state.good) == (known_revisions()[1:], False)


async def test_a_schema_at_head_is_good(database_url: URL) -> None:
    state = await read_state(database_url)

    assert state == SchemaState((known_revisions()[-1],), (), None)
    assert (state.good, state.describe()) == (True, f"at {known_revisions()[-1]}")


async def test_a_newer_schema_is_good_and_left_as_it_is(database_url: URL) -> None:
    await execute(database_url, "UPDATE alembic_version SET version_num = '9999'")

    await migrations.upgrade(database_url)

    assert await read_state(database_url) == SchemaState(("9999",), (), None)


@pytest.mark.parametrize(
    ("oldest", "running", "refused"),
    [
        ([], "0.1.0", None),
        (["0.1.0"], "0.1.0", None),
        (["0.9.0"], "0.10.0", None),
        (["0.10.0"], "0.9.0", "needs release 0.10.0 or newer; this is 0.9.0"),
        (["0.9.0", "0.10.0", "0.2.0"], "0.9.5", "needs release 0.10.0 or newer; this is 0.9.5"),
        (["1.0.0"], "1.0.0rc1", "needs release 1.0.0 or newer; this is 1.0.0rc1"),
    ],
)
async def test_a_newer_schema_may_say_that_this_release_is_too_old(
    database_url: URL, monkeypatch: pytest.MonkeyPatch, oldest: list[str], running: str, refused: str | None
) -> None:
    monkeypatch.setattr(migrations, "__version__", running)
    await execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
    for number, release in enumerate(oldest):
        await execute(
            database_url, "INSERT INTO schema_compatibility VALUES ($1, $2)", f"900{number}", release
        )

    state = await read_state(database_url)

    assert (state.refused, state.good) == (refused, refused is None)
    if refused is not None:
        assert state.describe() == refused
        with pytest.raises(StartupError, match=refused):
            await migrations.upgrade(database_url)


async def test_revisions_of_this_release_are_not_measured_by_their_own_compatibility(
    database_url: URL,
) -> None:
    await execute(database_url, "INSERT INTO schema_compatibility VALUES ('0001', '99.0.0')")

    assert (await read_state(database_url)).good


async def test_an_unreachable_database_is_told_by_every_command(server_url: URL) -> None:
    absent = server_url.set(database="absent")

    for work in (read_state(absent), migrations.upgrade(absent), drift(absent, metadata)):
        with pytest.raises(StartupError, match="does not exist; create it"):
            await work


async def test_alembics_own_command_line_sees_no_difference(database_url: URL) -> None:
    url = database_url.set(drivername="postgresql").difference_update_query(["ssl"])
    variables = {"DATASTORAGE_DATABASE_URL": url.render_as_string(hide_password=False)}

    done = await anyio.run_process(
        [str(Path(sys.executable).with_name("alembic")), "check"],
        cwd=migrations.SOURCE.parent,
        env={**os.environ, **variables},
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, b"No new upgrade operations detected.\n"), done.stderr


# --- the statement that the index is for


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
        leg = SimilarIncidents(session, EVERYWHERE, DEFAULT_MODEL, DEFAULT_DIMENSIONS)
        event.listen(Engine, "before_cursor_execute", record)
        hits = await leg.by_index(vectors[7], EVERYTHING, rows_max=10, texts_max=400)
        event.remove(Engine, "before_cursor_execute", record)
        for vector in vectors[:9]:  # from the sixth on, PostgreSQL may choose a plan for any parameters
            await leg.by_index(vector, EVERYTHING, rows_max=10, texts_max=400)
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
