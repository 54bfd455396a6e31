"""The API on a database that the tests of one module share: a clone per module instead of one per test."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import asyncpg
import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from sqlalchemy.engine import URL

from datastorage.app import dependencies
from datastorage.graphql.schema import build_schema
from datastorage.services.dependencies import Dependencies
from datastorage.services.health import Health
from datastorage.settings import Settings
from datastorage.web.application import build_application
from support.client import GraphQLClient
from support.postgres import cloned, connect


@dataclass(frozen=True)
class Api:
    """The API through ASGI, what stands behind it, and a plain connection to look there."""

    client: GraphQLClient
    deps: Dependencies
    sql: asyncpg.Connection


@asynccontextmanager
async def opened_api(server_url: URL, template: str) -> AsyncIterator[Api]:
    """A service of its own on a migrated, empty database of its own."""
    settings = Settings(_env_file=None, pool_size=9)
    async with cloned(server_url, template) as url, dependencies(url, settings) as deps:
        app = build_application(build_schema(), settings)
        app.state.deps, app.state.health = deps, Health(deps.database)
        transport = httpx.ASGITransport(app)
        sql = await connect(url)
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
                yield Api(GraphQLClient(http), deps, sql)
        finally:
            await sql.close()


@contextmanager
def services_from_sync_tests(server_url: URL, template: str) -> Iterator[tuple[BlockingPortal, Dependencies]]:
    """The services' dependencies, and a way into their event loop: hypothesis runs examples synchronously."""
    settings = Settings(_env_file=None, pool_size=9)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(cloned(server_url, template)) as url,
        portal.wrap_async_context_manager(dependencies(url, settings)) as deps,
    ):
        yield portal, deps
