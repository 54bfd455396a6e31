"""The pool of plain connections: fair, bounded, and done with dead ones."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy.engine import URL

from datastorage.db.connections import open_row_connection
from datastorage.db.engine_pool import PoolUse
from datastorage.db.row_pool import RowPool
from datastorage.errors import OperationTimeout, Unavailable


@pytest.fixture
async def pool(empty_database_url: URL) -> AsyncIterator[RowPool]:
    """Two connections, with time-outs that a test can wait for."""

    async def connect() -> asyncpg.Connection:
        return await open_row_connection(empty_database_url, connect_timeout_s=10, statement_timeout_s=0.5)

    opened = RowPool(connect, size=2, acquire_timeout_s=0.2)
    yield opened
    await opened.close()


async def backend(pool: RowPool) -> int:
    return (await pool.fetch("SELECT pg_backend_pid()", []))[0][0]


async def test_a_connection_is_kept_for_the_next_statement(pool: RowPool) -> None:
    assert await backend(pool) == await backend(pool)
    assert pool.use.in_use == 0


async def test_whoever_waits_longest_is_served_next(pool: RowPool) -> None:
    served: list[int] = []

    async def ask(number: int) -> None:
        await pool.fetch("SELECT pg_sleep(0.01)", [])
        served.append(number)

    await asyncio.gather(*(ask(number) for number in range(8)))

    assert [sorted(served[pair : pair + 2]) for pair in range(0, 8, 2)] == [[0, 1], [2, 3], [4, 5], [6, 7]]


async def test_a_full_pool_is_unavailable_and_frees_itself(pool: RowPool) -> None:
    busy = [asyncio.create_task(pool.fetch("SELECT pg_sleep(0.4)", [])) for _ in range(2)]
    await asyncio.sleep(0.05)

    with pytest.raises(Unavailable, match="no database connection is free"):
        await backend(pool)

    third = asyncio.create_task(backend(pool))
    await asyncio.sleep(0)
    assert pool.use == PoolUse(size=2, in_use=2, waiting=1)
    await asyncio.gather(*busy, third)
    assert pool.use == PoolUse(size=2, in_use=0, waiting=0)


async def test_a_cancelled_statement_gives_its_connection_back(pool: RowPool) -> None:
    running = asyncio.create_task(pool.fetch("SELECT pg_sleep(0.4)", []))
    await asyncio.sleep(0.05)

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert pool.use.in_use == 0
    assert await backend(pool)


async def test_connections_that_died_while_idle_are_replaced(pool: RowPool, empty_database_url: URL) -> None:
    died = await backend(pool)
    other = await open_row_connection(empty_database_url, connect_timeout_s=10, statement_timeout_s=5)
    await other.execute("SELECT pg_terminate_backend($1)", died)
    await other.close()

    assert await backend(pool) != died
    assert pool.use.in_use == 0


async def test_a_statement_beyond_its_time_out_is_an_operation_timeout(pool: RowPool) -> None:
    with pytest.raises(OperationTimeout):
        await pool.fetch("SELECT pg_sleep(60)", [])

    assert await backend(pool)
