"""Services to ask over real HTTP. One that several modules share is started once."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import URL

from support.command_line import CommandLine
from support.postgres import cloned_for_processes, connect
from support.process_host import ProcessHost
from support.service import Service, data_place, environment, started


@pytest.fixture(scope="session")
def service(server_url: URL, template: str, host_of_services: ProcessHost) -> Iterator[Service]:
    """A service that nobody stops or breaks, on a database of its own."""
    with (
        cloned_for_processes(server_url, template) as url,
        started(environment(url), host=host_of_services) as service,
    ):
        yield service.await_start()


@pytest.fixture(scope="session")
def embedded_service(host_of_services: ProcessHost) -> Iterator[Service]:
    """A service on an embedded PostgreSQL of its own."""
    with data_place() as place, started(environment(place / "data"), host=host_of_services) as service:
        service.data_dir = place / "data"
        yield service.await_start()


@pytest.fixture(scope="session")
def commands() -> Iterator[CommandLine]:
    """Runs commands one after the other, each in a process of its own."""
    with CommandLine() as commands:
        yield commands


@pytest.fixture
def own_database(server_url: URL, template: str) -> Iterator[URL]:
    """A migrated, empty database for tests that wait for processes, not for a loop."""
    with cloned_for_processes(server_url, template) as url:
        yield url


@pytest.fixture
async def sql_own(own_database: URL) -> AsyncIterator[asyncpg.Connection]:
    """A plain connection to it, to look behind the processes."""
    connection = await connect(own_database)
    yield connection
    await connection.close()


@pytest.fixture
def place() -> Iterator[Path]:
    """A place for data directories of embedded servers."""
    with data_place() as place:
        yield place
