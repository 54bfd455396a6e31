"""Clients that hang up, too many clients for the pool, and a cache that dies."""

import asyncio
import random

from sqlalchemy.engine import URL

from support.breaking import Serving
from support.load import Load
from support.postgres import administrator
from support.redis_server import RedisServer
from support.settling import Audit


async def test_clients_that_hang_up_amid_a_mutation_leave_it_whole_or_undone(
    database_url: URL, serving: Serving, writes: int, audited: Audit
) -> None:
    chance = random.Random(5)

    def sometimes() -> float | None:
        return chance.uniform(0.001, 0.06) if chance.random() < 0.5 else None

    with serving(database_url) as service:
        load = Load(service.urls, writes, gives_up_after_s=sometimes)
        async with load.running():
            await load.reached(1)

        figures = await audited(database_url, load, service)

    assert load.troubles["hung_up"] > 0
    assert figures.flawless
    assert figures.acknowledged >= writes


async def test_50_writers_on_two_connections_are_told_to_wait_and_none_is_lost(
    database_url: URL, serving: Serving, writes: int, audited: Audit
) -> None:
    # of the smallest pool two connections are to write
    with serving(database_url, POOL_SIZE=8, POOL_ACQUIRE_TIMEOUT_S=0.2, WRITE_TIMEOUT_S=1) as service:
        load = Load(service.urls, writes, writers=50)
        async with load.running(), administrator(database_url) as sql:
            await load.reached(0.4)
            async with sql.transaction():
                await sql.execute("LOCK TABLE remediation_event")
                await load.troubled(50, "UNAVAILABLE")

        figures = await audited(database_url, load, service)

    assert figures.flawless
    assert figures.acknowledged >= writes


async def test_a_killed_redis_is_noticed_by_no_client(
    database_url: URL, serving: Serving, writes: int, audited: Audit
) -> None:
    redis = await asyncio.to_thread(RedisServer().start)
    try:
        with serving(database_url, CACHE_BACKEND="redis", REDIS_URL=redis.url) as service:
            load = Load(service.urls, writes)
            async with load.running():
                await load.reached(0.3)
                redis.kill()
                await load.reached(0.7)
                await asyncio.to_thread(redis.start)

            figures = await audited(database_url, load, service)
    finally:
        redis.kill()

    assert load.troubles.total() == 0
    assert figures.flawless
    assert figures.acknowledged >= writes
