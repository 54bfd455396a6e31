"""Services to ask over real HTTP. One that several modules share is started once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from sqlalchemy.engine import URL

from support.postgres import cloned
from support.service import Service, data_place, environment, started


@pytest.fixture(scope="session")
def service_database(server_url: URL, template: str) -> Iterator[URL]:
    """The database of the shared service."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(cloned(server_url, template)) as url,
    ):
        yield url


@pytest.fixture(scope="session")
def service(service_database: URL) -> Iterator[Service]:
    """A service that nobody stops or breaks."""
    with started(environment(service_database)) as service:
        yield service.await_start()


@pytest.fixture(scope="session")
def embedded_service() -> Iterator[Service]:
    """A service on an embedded PostgreSQL of its own, in the directory `data` of its place."""
    with data_place() as place, started(environment(place / "data")) as service:
        service.data_dir = place / "data"
        yield service.await_start()


@pytest.fixture
def place() -> Iterator[Path]:
    """A place for data directories of embedded servers."""
    with data_place() as place:
        yield place
