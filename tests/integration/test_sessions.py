"""Sessions on a real server: what they promise, and what becomes of time-outs, full pools and lost servers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import asyncpg
import numpy as np
import pytest
from sqlalchemy import bindparam, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from datastorage.db import migrations
from datastorage.db.database import Database, ReadSession
from datastorage.db.engine_pool import PoolUse
from datastorage.errors import OperationTimeout, Unavailable, WriteCollision
from datastorage.models import incident_embedding
from datastorage.models.halfvec import Halfvec, to_binary
from datastorage.observability.labels import Pool
from datastorage.settings import Settings
from support.postgres import connect

HURRIED = Settings(
    _env_file=None, pool_size=8, pool_acquire_timeout_s=0.3, query_timeout_s=0.2, write_timeout_s=0.2
)
PATIENT = Settings(_env_file=None, pool_size=8)
CREATE_NOTE = "CREATE TABLE note (id int PRIMARY KEY)"
ADD_NOTE = text("INSERT INTO note VALUES (1)")


@pytest.fixture
async def database(empty_database_url: URL, open_database: Callable[..., Database]) -> Database:
    """Two pools of two sessions each."""
    return open_database(empty_database_url, PATIENT)


@pytest.fixture
async def hurried(empty_database_url: URL, open_database: Callable[..., Database]) -> Database:
    """The same with time-outs that a test can wait for."""
    return open_database(empty_database_url, HURRIED)


@pytest.fixture
async def notes(empty_database_url: URL) -> AsyncIterator[asyncpg.Connection]:
    """A plain connection to the same database, with a table to write to."""
    connection = await connect(empty_database_url)
    await connection.execute(CREATE_NOTE)
    yield connection
    await connection.close()


async def backend(session: ReadSession) -> int:
    """Which server process serves the session."""
    return await session.scalar(text("SELECT pg_backend_pid()"))


# --- time-outs and full pools


async def test_a_statement_beyond_its_time_out_is_an_operation_timeout(hurried: Database) -> None:
    with pytest.raises(OperationTimeout, match="took too long"):
        async with hurried.read() as session:
            await session.execute(text("SELECT pg_sleep(60)"))

    with pytest.raises(OperationTimeout):
        async with hurried.write() as writing:
            await writing.execute(text("SELECT pg_sleep(60)"))


async def test_a_full_pool_is_unavailable_and_frees_itself(hurried: Database) -> None:
    async with hurried.read(), hurried.read():
        with pytest.raises(Unavailable, match="no database connection is free"):
            async with hurried.read():
                pass
        assert hurried.pools()[Pool.READS] == PoolUse(size=2, in_use=2, waiting=0)
        await asyncio.wait_for(write_nothing(hurried), 10)  # writers have a pool of their own

    assert not any(use.in_use for use in hurried.pools().values())
    await hurried.ping()


async def test_who_waits_for_a_connection_is_counted_until_it_has_one(database: Database) -> None:
    async with database.write(), database.write():
        waiting = asyncio.create_task(write_nothing(database))
        async with asyncio.timeout(10):
            while database.pools()[Pool.WRITES].waiting == 0:  # noqa: ASYNC110 -- a counter sets no event
                await asyncio.sleep(0)
        assert database.pools()[Pool.WRITES] == PoolUse(size=2, in_use=2, waiting=1)

    await waiting
    assert database.pools()[Pool.WRITES] == PoolUse(size=2, in_use=0, waiting=0)


async def write_nothing(database: Database) -> None:
    async with database.write():
        pass


async def test_a_transaction_left_idle_is_ended_by_the_server_and_told_as_unavailable(
    hurried: Database, notes: asyncpg.Connection
) -> None:
    async def write_slowly() -> None:
        async with hurried.write() as session:
            await session.execute(ADD_NOTE)
            await asyncio.sleep(1)
            await session.execute(text("SELECT 1"))

    with pytest.raises(Unavailable):
        await write_slowly()
    assert await notes.fetchval("SELECT count(*) FROM note") == 0


async def test_a_lock_that_another_holds_too_long_is_unavailable(
    database: Database, notes: asyncpg.Connection
) -> None:
    async def write() -> None:
        async with database.write() as session:
            await session.execute(text("SET LOCAL lock_timeout = '100ms'"))
            await session.execute(ADD_NOTE)

    async with notes.transaction():
        await notes.execute("LOCK TABLE note")

        with pytest.raises(Unavailable, match="another write was in the way"):
            await write()


async def test_a_deadlock_is_a_collision_for_its_victim(
    database: Database, notes: asyncpg.Connection
) -> None:
    await notes.execute("INSERT INTO note VALUES (1), (2)")
    both_hold_one = asyncio.Barrier(2)

    async def lock(first: int, second: int) -> None:
        async with database.write() as session:
            await session.execute(text("SELECT FROM note WHERE id = :id FOR UPDATE"), {"id": first})
            await both_hold_one.wait()
            await session.execute(text("SELECT FROM note WHERE id = :id FOR UPDATE"), {"id": second})

    outcomes = await asyncio.gather(lock(1, 2), lock(2, 1), return_exceptions=True)

    assert {type(outcome) for outcome in outcomes} == {type(None), WriteCollision}


# --- what is our own fault passes


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        ("SELECT nonsense(1)", {}),
        ("SELECT CAST(:number AS bigint)", {"number": 2**70}),
        ("SELECT CAST(:number AS bigint)", {"number": "seven"}),
        ("SELECT 1 / CAST(:number AS int)", {"number": 0}),
    ],
)
async def test_a_fault_of_the_statement_is_not_told_as_unavailable(
    database: Database, statement: str, parameters: dict[str, object]
) -> None:
    with pytest.raises(DBAPIError):
        async with database.read() as session:
            await session.execute(text(statement), parameters)


async def test_an_error_of_the_callers_own_passes_through_a_session(database: Database) -> None:
    async def wait_in_vain() -> None:
        async with database.read(), asyncio.timeout(0):
            await asyncio.sleep(1)

    with pytest.raises(TimeoutError):
        await wait_in_vain()


# --- write sessions


async def test_a_write_session_left_without_commit_leaves_no_trace(
    database: Database, notes: asyncpg.Connection
) -> None:
    async with database.write() as session:
        await session.execute(ADD_NOTE)

    assert await notes.fetchval("SELECT count(*) FROM note") == 0


async def test_a_write_session_that_commits_stands(database: Database, notes: asyncpg.Connection) -> None:
    async with database.write() as session:
        await session.execute(ADD_NOTE)
        await session.commit()

    assert await notes.fetchval("SELECT count(*) FROM note") == 1


@pytest.mark.parametrize("statement", ["SELECT 1", "SELECT pg_sleep(60)"])
async def test_a_cancelled_write_session_leaves_no_trace_and_no_lock(
    database: Database, notes: asyncpg.Connection, statement: str
) -> None:
    written = asyncio.Event()

    async def write() -> None:
        async with database.write() as session:
            await session.execute(ADD_NOTE)
            written.set()
            await session.execute(text(statement))
            await asyncio.sleep(60)

    task = asyncio.create_task(write())
    await written.wait()
    await asyncio.sleep(0.1)  # now it sleeps, here or in the server
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

    assert not any(use.in_use for use in database.pools().values())
    await notes.execute(
        "INSERT INTO note VALUES (1)", timeout=20
    )  # waits for the key if the other still lives
    assert await notes.fetchval("SELECT count(*) FROM note") == 1
    async with database.write() as session:
        await session.execute(text("INSERT INTO note VALUES (2)"))
        await session.commit()


# --- read sessions


async def test_read_sessions_stand_in_no_transaction(database: Database, notes: asyncpg.Connection) -> None:
    async with database.read() as session:
        first = await session.scalar(text("SELECT count(*) FROM note"))
        await notes.execute("INSERT INTO note VALUES (1)")
        second = await session.scalar(text("SELECT count(*) FROM note"))
        state = await notes.fetchval(
            "SELECT state FROM pg_stat_activity WHERE pid = $1", await backend(session)
        )

    assert (first, second, state) == (0, 1, "idle")


async def test_a_snapshot_sees_the_same_rows_throughout_and_refuses_to_write(
    database: Database, notes: asyncpg.Connection
) -> None:
    async with database.snapshot() as session:
        first = await session.scalar(text("SELECT count(*) FROM note"))
        await notes.execute("INSERT INTO note VALUES (1)")
        second = await session.scalar(text("SELECT count(*) FROM note"))

    assert (first, second) == (0, 0)
    with pytest.raises(Unavailable):
        async with database.snapshot() as session:
            await session.execute(text("INSERT INTO note VALUES (2)"))


async def test_a_connection_that_served_a_snapshot_reads_in_autocommit_again(
    database: Database, notes: asyncpg.Connection
) -> None:
    async with database.snapshot() as session:
        served = await backend(session)
        await session.execute(text("SET LOCAL work_mem = '5MB'"))

    async with database.read() as one, database.read() as other:
        session = one if await backend(one) == served else other
        assert await backend(session) == served
        await session.execute(text("INSERT INTO note VALUES (1)"))
        assert await notes.fetchval("SELECT count(*) FROM note") == 1
        assert await session.scalar(text("SHOW work_mem")) != "5MB"
        assert await session.scalar(text("SHOW transaction_read_only")) == "off"


async def test_session_settings_survive_the_return_to_the_pool(database: Database) -> None:
    names = ("statement_timeout", "idle_in_transaction_session_timeout", "timezone", "jit")

    async def shown(session: ReadSession) -> list[str]:
        return [await session.scalar(text(f"SHOW {name}")) for name in names]

    async with database.read() as session:
        before = (await backend(session), await shown(session))
    for _ in range(3):
        async with database.snapshot():
            pass
    async with database.read() as one, database.read() as other:
        after = {await backend(one): await shown(one), await backend(other): await shown(other)}
    async with database.write() as session:
        writing = await shown(session)

    assert before[1] == ["30s", "1min", "UTC", "off"]
    assert after[before[0]] == before[1]
    assert writing == ["10s", "20s", "UTC", "off"]


# --- vectors


async def test_halfvec_travels_in_binary_both_ways(
    database_url: URL, open_database: Callable[..., Database]
) -> None:
    database = open_database(database_url, PATIENT)
    vector = np.random.default_rng(1).standard_normal(256).astype(np.float32)
    vector /= np.linalg.norm(vector)

    async with database.write() as session:
        await session.execute(
            incident_embedding.insert().values(content_hash=bytes(32), model="any", vector=vector)
        )
        await session.commit()
    async with database.read() as session:
        stored = await session.scalar(select(incident_embedding.c.vector))
        same = await session.scalar(
            select(incident_embedding.c.vector == bindparam("query", vector, type_=Halfvec(256)))
        )

    assert stored.dtype == np.float32
    assert np.array_equal(stored, vector.astype(np.float16).astype(np.float32))
    assert len(to_binary(vector)) == 4 + 2 * 256  # header, then two bytes a number: this is what was sent
    assert same is True


async def test_connections_opened_before_the_first_migration_speak_halfvec_after_it(
    empty_database_url: URL, open_database: Callable[..., Database]
) -> None:
    database = open_database(empty_database_url, PATIENT)
    vector = np.full(256, 1 / 16, dtype=np.float32)
    async with database.read() as one, database.read() as other, database.write(), database.write():
        opened = {await backend(one), await backend(other)}

    await migrations.upgrade(empty_database_url)

    async with database.write() as session:
        await session.execute(
            incident_embedding.insert().values(content_hash=bytes(32), model="any", vector=vector)
        )
        await session.commit()
    async with database.read() as session:
        assert await backend(session) in opened
        assert np.array_equal(await session.scalar(select(incident_embedding.c.vector)), vector)


async def test_a_changed_column_type_is_at_most_retryable_for_those_who_read_it_before(
    database: Database, notes: asyncpg.Connection
) -> None:
    async def read() -> object:
        async with database.read() as session:
            return (await session.execute(text("SELECT id FROM note WHERE id > 0"))).all()

    for _ in range(4):
        await read()
    await notes.execute("ALTER TABLE note ALTER id TYPE bigint")

    outcomes = []
    for _ in range(4):
        try:
            outcomes.append(await read())
        except Unavailable:
            outcomes.append("again")

    assert outcomes[-1] == []
    assert set(map(str, outcomes)) <= {"[]", "again"}


async def test_no_statement_may_take_longer_than_its_request(server_url: URL) -> None:
    database = Database.connect(server_url, Settings(_env_file=None, pool_size=9, request_timeout_s=3))
    try:
        async with database.read() as reading, database.write() as writing:
            shown = [await session.scalar(text("SHOW statement_timeout")) for session in (reading, writing)]
    finally:
        await database.close()

    assert shown == ["3s", "3s"]
