"""Behind PgBouncer in transaction mode, where every transaction may get another session: all works, nothing is left."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import asyncpg
import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL

from datastorage.app import dependencies, prepare_database
from datastorage.errors import OperationTimeout, StartupError
from datastorage.graphql.schema import build_schema
from datastorage.services.dependencies import Dependencies
from datastorage.services.health import Health
from datastorage.settings import Settings
from datastorage.web.application import build_application
from support.client import CREATE, GraphQLClient
from support.pgbouncer import SESSIONS, pgbouncer
from support.records import remediation_input
from support.service import environment, started

READ = """query ($text: String!, $key: String!) {
  remediationAudit(requestId: $key) { name events { nodes { kind } } }
  remediationAudits(first: 3, filter: {phase: {eq: PENDING}}) { nodes { name } totalCount }
  similarIncidents(text: $text, first: 3) { mode degradedReason hits { score } }
  remediationStats { count }
}"""
CLIENTS = 20


def settings(**values: object) -> Settings:
    return Settings(_env_file=None, pool_size=20, database_pooler="transaction", **values)


@pytest.fixture
def pooled_url(database_url: URL) -> Iterator[URL]:
    with pgbouncer(database_url) as url:
        yield url


@pytest.fixture
async def deps(pooled_url: URL) -> AsyncIterator[Dependencies]:
    async with dependencies(pooled_url, settings()) as opened:
        yield opened


@pytest.fixture
async def client(deps: Dependencies) -> AsyncIterator[GraphQLClient]:
    app = build_application(build_schema(), settings())
    app.state.deps, app.state.health = deps, Health(deps.database)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        yield GraphQLClient(http)


async def session_of(url: URL) -> asyncpg.Connection:
    return await asyncpg.connect(
        host=url.host, port=url.port, user=url.username, database=url.database, statement_cache_size=0
    )


async def test_many_clients_write_and_read_through_two_sessions(client: GraphQLClient) -> None:
    async def one(number: int) -> None:
        for part in range(5):
            key = f"rr-{number}-{part}"
            whole = remediation_input(remediationRequestId=key, errorMessage=f"disk of {number} is full")
            stored = (await client.ask(CREATE, input=whole)).data["createRemediationAudit"]
            assert stored["__typename"] == "CreateRemediationAuditPayload", stored
            read = (await client.ask(READ, text="the disk is full", key=key)).data
            assert read["remediationAudit"] == {
                "name": whole["name"],
                "events": {"nodes": [{"kind": "CREATED"}]},
            }
            assert read["similarIncidents"]["degradedReason"] is None
            assert read["similarIncidents"]["hits"]

    await asyncio.gather(*map(one, range(CLIENTS)))

    read = (await client.ask(READ, text="the disk is full", key="none")).data
    assert read["remediationStats"][0]["count"] == 5 * CLIENTS
    assert read["remediationAudits"]["totalCount"] == 5 * CLIENTS


async def test_nothing_is_left_in_a_session(client: GraphQLClient, pooled_url: URL) -> None:
    await client.ask(CREATE, input=remediation_input())
    await client.ask(READ, text="the disk is full", key="rr-1")

    left = []
    for session in [await session_of(pooled_url) for _ in range(SESSIONS)]:
        async with session.transaction():  # so that both sessions are seen
            prepared = await session.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''")
            locks = await session.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
            changed = await session.fetch(
                "SELECT name FROM pg_settings WHERE source = 'session' AND name LIKE ANY (ARRAY['hnsw%', '%timeout', 'plan%'])"
            )
            left.append((prepared, locks, changed))
        await session.close()

    assert left == [(0, 0, [])] * SESSIONS


async def test_a_statement_that_takes_too_long_ends_and_holds_up_nobody(pooled_url: URL) -> None:
    async with dependencies(pooled_url, settings(query_timeout_s=3)) as deps:

        async def sleep() -> None:
            async with deps.database.read() as session:
                await session.execute(text("SELECT pg_sleep(30)"))

        ended = await asyncio.gather(*(sleep() for _ in range(SESSIONS)), return_exceptions=True)
        async with deps.database.read() as session:
            answered = await session.scalar(text("SELECT 1"))

    assert [type(each) for each in ended] == [OperationTimeout] * SESSIONS
    assert answered == 1


async def test_what_needs_a_session_of_its_own_says_so(deps: Dependencies, pooled_url: URL) -> None:
    with pytest.raises(StartupError, match="this command needs a session of its own: name PostgreSQL itself"):
        async with deps.database.maintenance():
            pass
    with pytest.raises(StartupError, match="DATASTORAGE_MIGRATE_ON_START needs a session of its own"):
        await prepare_database(pooled_url, settings(migrate_on_start=True))


async def test_a_service_starts_and_is_ready(pooled_url: URL) -> None:
    def served() -> tuple[int, str]:
        with started(environment(pooled_url, DATABASE_POOLER="transaction", POOL_SIZE=8)) as service:
            service.await_start()
            stored = service.ask(CREATE, input=remediation_input())
            return service.probe("/ready")[0], stored["data"]["createRemediationAudit"]["__typename"]

    assert await asyncio.to_thread(served) == (200, "CreateRemediationAuditPayload")
