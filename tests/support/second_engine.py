"""The services with a real vector engine beside their database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from sqlalchemy.engine import URL

from datastorage.app import dependencies
from datastorage.graphql.schema import build_schema
from datastorage.services.dependencies import Dependencies
from datastorage.services.health import Health
from datastorage.settings import Settings
from datastorage.web.application import build_application
from support.client import GraphQLClient


@asynccontextmanager
async def with_engine(
    database_url: URL, engine_url: str, timeout_s: float = 5.0
) -> AsyncIterator[tuple[Dependencies, GraphQLClient]]:
    """The engine is prepared; nothing is delivered to it by itself."""
    settings = Settings(
        _env_file=None, pool_size=9, vector_engine_url=engine_url, vector_engine_timeout_s=timeout_s
    )
    async with dependencies(database_url, settings) as deps:
        assert deps.embedder.provider is not None
        await deps.second.prepare(deps.embedder.model, deps.embedder.provider.dimensions)
        app = build_application(build_schema(), settings)
        app.state.deps, app.state.health = deps, Health(deps.database, second=deps.second)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
            yield deps, GraphQLClient(http)
