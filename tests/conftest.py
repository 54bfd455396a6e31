"""Fixtures for tests that need a database or the API; the parts are in tests/support."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from sqlalchemy.engine import URL

from datastorage.app import dependencies
from datastorage.graphql.schema import build_schema
from datastorage.services.dependencies import Dependencies
from datastorage.services.health import Health
from datastorage.settings import Settings
from datastorage.web.application import build_application
from support.client import GraphQLClient
from support.milvus_server import MilvusServer, milvus_host
from support.plans import watched
from support.postgres import cloned, connect, ensure_template, server
from support.process_host import ProcessHost
from support.service import service_host

SHARED_DIR = "DATASTORAGE_TEST_SHARED_DIR"
IN_MEMORY = Path("/dev/shm")  # noqa: S108 -- a folder with a name of chance is made in it
IN_MEMORY_BYTES_MIN = 6 * 1024**3  # 2 GB of WAL, and the databases of the tests that run at once


def pytest_configure(config: pytest.Config) -> None:
    """Makes the shared folder. Not below pytest's own, which the account of a root's PostgreSQL cannot enter."""
    # Where it is set, each of the many processes that tests start would compile all it imports: 5 s.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if not hasattr(config, "workerinput"):
        shared = Path(tempfile.mkdtemp(prefix="datastorage-tests-", dir=_in_memory()))
        shared.chmod(0o755)
        os.environ[SHARED_DIR] = str(shared)


def _in_memory() -> Path | None:
    """Where each test's database is made ten times as fast, since nothing there waits for a disk; None without room."""
    if not IN_MEMORY.is_dir() or shutil.disk_usage(IN_MEMORY).free < IN_MEMORY_BYTES_MIN:
        return None
    return IN_MEMORY


def pytest_unconfigure(config: pytest.Config) -> None:
    """Removes it; by now the last process has stopped the server."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(SHARED_DIR), ignore_errors=True)


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """A folder that all processes of a parallel run share."""
    return Path(os.environ[SHARED_DIR])


@pytest.fixture(scope="session")
def server_url(shared_dir: Path) -> Iterator[URL]:
    """The PostgreSQL server of this run."""
    with server(shared_dir) as url:
        yield url


@pytest.fixture(scope="session")
def template(server_url: URL, shared_dir: Path) -> str:
    """Name of the migrated database to clone."""
    with start_blocking_portal() as portal:
        return portal.call(ensure_template, server_url, shared_dir)


@pytest.fixture
async def database_url(server_url: URL, template: str) -> AsyncIterator[URL]:
    """A migrated, empty database of this test's own."""
    async with cloned(server_url, template) as url:
        yield url


@pytest.fixture
async def empty_database_url(server_url: URL) -> AsyncIterator[URL]:
    """A database without any schema, of this test's own."""
    async with cloned(server_url, None) as url:
        yield url


@pytest.fixture
def settings() -> Settings:
    """Small pools; no environment."""
    return Settings(_env_file=None, pool_size=9)


@pytest.fixture
async def deps(database_url: URL, settings: Settings) -> AsyncIterator[Dependencies]:
    """The services' dependencies on a database of their own."""
    async with dependencies(database_url, settings) as opened:
        yield opened


@pytest.fixture
async def client(deps: Dependencies, settings: Settings) -> AsyncIterator[GraphQLClient]:
    """The API, through ASGI."""
    app = build_application(build_schema(), settings)
    app.state.deps, app.state.health = deps, Health(deps.database)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        yield GraphQLClient(http)


@pytest.fixture
async def sql(database_url: URL) -> AsyncIterator[asyncpg.Connection]:
    """A plain connection to the test's database, to look behind the API."""
    connection = await connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
def host_of_milvus() -> Iterator[ProcessHost]:
    """Starts the Milvus servers of this process."""
    with milvus_host() as host:
        yield host


@pytest.fixture(scope="session")
def host_of_services() -> Iterator[ProcessHost]:
    """Starts the services of this process."""
    with service_host() as host:
        yield host


@pytest.fixture
def milvus(host_of_milvus: ProcessHost, tmp_path: Path) -> Iterator[MilvusServer]:
    """A running Milvus server of this test's own, empty."""
    server = MilvusServer(host_of_milvus, tmp_path / "milvus").start()
    yield server
    server.kill()


class Statements:
    """Statements that were sent, by SQLAlchemy or past it."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """Records what is sent inside the block."""
        self.seen.clear()
        with watched(lambda statement, _: self.seen.append(statement)):
            yield self.seen


@pytest.fixture
def statements() -> Statements:
    return Statements()
