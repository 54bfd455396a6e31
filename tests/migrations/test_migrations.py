"""The schema's way up and down, its state as probes see it, and the index that it is all about."""

import asyncio
import os
import sys
from pathlib import Path

import anyio
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from datastorage.db import migrations
from datastorage.db.drift import drift
from datastorage.db.migrations import known_revisions, read_state
from datastorage.errors import StartupError
from datastorage.models import metadata
from datastorage.models.incident_embedding import DEFAULT_DIMENSIONS, DEFAULT_MODEL
from support.postgres import administrator
from support.schema import execute, move

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
    pending = ("0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009")
    assert (left[1].current, left[1].pending) == (("0001",), pending)
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
