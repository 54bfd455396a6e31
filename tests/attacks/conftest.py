"""One service that is attacked over real HTTP, and a witness of what it answers."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from sqlalchemy.engine import URL

from support.attacks.witness import Witness
from support.postgres import cloned_for_processes
from support.service import Service, environment, started


@pytest.fixture(scope="session")
def attacked_url(server_url: URL, template: str) -> Iterator[URL]:
    """Its database."""
    with cloned_for_processes(server_url, template) as url:
        yield url


@pytest.fixture(scope="session")
def attacked(attacked_url: URL) -> Iterator[Service]:
    """The service; what it says is looked at in the end."""
    with started(environment(attacked_url)) as service:
        yield service.await_start()
        assert "internal_error" not in service.said
        assert "Traceback" not in service.said


@pytest.fixture
async def witness(attacked: Service) -> AsyncIterator[Witness]:
    async with httpx.AsyncClient(base_url=attacked.url) as http:
        yield Witness(http)
