"""A real PostgreSQL for the run, and a database of its own for each test, cloned from a migrated template."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
from anyio.from_thread import start_blocking_portal
from filelock import FileLock
from sqlalchemy.engine import URL, make_url

from datastorage.db import migrations
from datastorage.db.embedded import open_embedded_server
from datastorage.db.url import asyncpg_url

URL_VARIABLE = "DATASTORAGE_TEST_DATABASE_URL"  # a server to use, or the word "testcontainers"
CONTAINER_IMAGE = "pgvector/pgvector:pg17"
TEMPLATE = "datastorage_template"


@contextmanager
def server(shared_dir: Path) -> Iterator[URL]:
    """The server of this run: the given one, a container, or the embedded one shared by all test processes."""
    given = os.environ.get(URL_VARIABLE, "")
    if given == "testcontainers":
        from testcontainers.postgres import PostgresContainer  # noqa: PLC0415 -- slow, and seldom wanted

        with PostgresContainer(CONTAINER_IMAGE) as container:
            yield asyncpg_url(container.get_connection_url(driver=None), "disable")
    elif given:
        yield asyncpg_url(given)
    else:
        with open_embedded_server(shared_dir / "postgres", connections_max=190) as embedded:
            yield make_url(embedded.url)


async def ensure_template(url: URL, shared_dir: Path) -> str:
    """The migrated database that the others are cloned from; made by whichever process comes first."""
    name = f"{TEMPLATE}_{os.environ.get('PYTEST_XDIST_TESTRUNUID', uuid4().hex)[:12]}"
    with FileLock(shared_dir / "template.lock"):
        async with administrator(url) as connection:
            if await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
                return name
            await connection.execute(f'CREATE DATABASE "{name}"')
        await migrations.upgrade(url.set(database=name))
    return name


@asynccontextmanager
async def cloned(url: URL, template: str | None) -> AsyncIterator[URL]:
    """A database that lives as long as the test; empty, without even the extension, if there is no template."""
    name = f"test_{uuid4().hex}"
    async with administrator(url) as connection:
        await connection.execute(
            f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else "")
        )
    try:
        yield url.set(database=name)
    finally:
        async with administrator(url) as connection:
            await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def cloned_for_processes(url: URL, template: str) -> Iterator[URL]:
    """The same for tests that wait for processes, not for a loop."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(cloned(url, template)) as own:
        yield own


@asynccontextmanager
async def administrator(url: URL) -> AsyncIterator[asyncpg.Connection]:
    """A plain connection to the server."""
    connection = await connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def connect(url: URL) -> asyncpg.Connection:
    """A plain connection to a database."""
    return await asyncpg.connect(
        host=url.query.get("host", url.host),
        port=int(url.query.get("port", url.port or 5432)),
        user=url.username,
        password=url.password,
        database=url.database,
        ssl="disable" if "host" in url.query else url.query.get("ssl", "prefer"),
    )
