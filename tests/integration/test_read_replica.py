"""Queries go to a real streaming replica while it is fresh enough, and nobody notices when it is not, or is gone."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from sqlalchemy.engine import URL

from datastorage.app import dependencies
from datastorage.graphql.schema import build_schema
from datastorage.services.dependencies import Dependencies
from datastorage.services.health import Health
from datastorage.services.read_replica import watching_replica
from datastorage.settings import Settings
from datastorage.web.application import build_application
from support.breaking import BreakableServer
from support.client import GraphQLClient
from support.load import until
from support.postgres import administrator, ensure_template
from support.records import remediation_input
from support.servers import Server, cluster
from support.standby import standby

LIST = "{ remediationAudits { totalCount } remediationStats { count } }"
SEARCH = '{ similarIncidents(text: "the disk is full") { hits { score } } }'
CREATE = """mutation ($input: CreateRemediationAuditInput!) { createRemediationAudit(input: $input) {
  ... on CreateRemediationAuditPayload { remediationAudit { events { totalCount } } } ... on UserError { message } } }"""


@dataclass(frozen=True)
class Pair:
    """A primary and its replica."""

    primary: Server
    replica: BreakableServer


@pytest.fixture(scope="module")
def pair(programs_of_our_own: Path) -> Iterator[Pair]:
    with cluster(programs_of_our_own) as primary, primary.running(), standby(primary) as replica:
        yield Pair(primary, BreakableServer(replica))


@pytest.fixture
async def database(pair: Pair, shared_dir: Path) -> str:
    """A migrated, empty database on both."""
    name, template = f"read_{uuid4().hex}", await ensure_template(pair.primary.url(), shared_dir)
    async with administrator(pair.primary.url()) as sql:
        await sql.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return name


@dataclass
class Opened:
    client: GraphQLClient
    deps: Dependencies

    async def count(self) -> int:
        answer = await self.client.ask(LIST)
        assert "errors" not in answer.body, answer.body
        return answer.data["remediationAudits"]["totalCount"]

    async def create(self) -> dict[str, Any]:
        whole = remediation_input(remediationRequestId=uuid4().hex, errorMessage="the disk is full")
        return (await self.client.ask(CREATE, input=whole)).data["createRemediationAudit"]

    @property
    def served(self) -> bool:
        assert self.deps.database.replica is not None
        return self.deps.database.replica.serves


@asynccontextmanager
async def opened(url: URL, read_url: URL, lag_max_s: float) -> AsyncIterator[Opened]:
    settings = Settings(
        _env_file=None,
        pool_size=9,
        database_read_url=read_url.set(drivername="postgresql").render_as_string(hide_password=False),
        database_read_lag_max_s=lag_max_s,
    )
    async with dependencies(url, settings) as deps, watching_replica(deps.database):
        app = build_application(build_schema(), settings)
        app.state.deps, app.state.health = deps, Health(deps.database)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
            yield Opened(GraphQLClient(http), deps)


@pytest.fixture
async def patient(pair: Pair, database: str) -> AsyncIterator[Opened]:
    """Reads may be a minute old."""
    async with opened(pair.primary.url(database), pair.replica.url(database), 60) as service:
        await until(lambda: service.served)
        yield service


@pytest.fixture
async def strict(pair: Pair, database: str) -> AsyncIterator[Opened]:
    """Reads may be a second old."""
    async with opened(pair.primary.url(database), pair.replica.url(database), 1) as service:
        await until(lambda: service.served)
        yield service


@pytest.fixture
async def replay(pair: Pair) -> AsyncIterator[asyncpg.Connection]:
    """A session on the replica, that stops it from replaying and lets it go on."""
    async with administrator(pair.replica.url()) as sql:
        yield sql
        await sql.execute("SELECT pg_wal_replay_resume()")


async def test_queries_are_answered_by_the_replica_and_mutations_by_the_primary(
    patient: Opened, replay: asyncpg.Connection
) -> None:
    await replay.execute("SELECT pg_wal_replay_pause()")

    created = await patient.create()
    paused = await patient.count()
    await replay.execute("SELECT pg_wal_replay_resume()")
    await asyncio.wait_for(_counts(patient, 1), 60)

    assert created == {"remediationAudit": {"events": {"totalCount": 1}}}  # it sees what it has written
    assert paused == 0  # the replica has not


async def _counts(service: Opened, expected: int) -> None:
    while await service.count() != expected:  # noqa: ASYNC110 -- what is waited for knows of no event
        await asyncio.sleep(0.05)


async def test_a_replica_that_falls_behind_is_left_alone_until_it_has_caught_up(
    strict: Opened, replay: asyncpg.Connection
) -> None:
    await replay.execute("SELECT pg_wal_replay_pause()")
    await strict.create()

    await until(lambda: not strict.served)
    behind = await strict.count()
    checks = await strict.client.http.get("/ready")
    await replay.execute("SELECT pg_wal_replay_resume()")
    await until(lambda: strict.served)

    assert behind == 1
    assert checks.status_code == 200
    assert checks.json()["checks"]["read_replica"] == {
        "ok": True,
        "detail": "out of use, the primary answers: it is too far behind",
    }
    assert await strict.count() == 1


async def test_a_primary_that_writes_nothing_leaves_no_replica_behind(strict: Opened) -> None:
    seen = []
    for _ in range(30):
        seen.append(strict.served)
        await asyncio.sleep(0.1)

    assert seen == [True] * 30


async def test_no_query_fails_when_the_replica_dies_and_it_is_used_again_when_it_is_back(
    patient: Opened, pair: Pair
) -> None:
    await patient.create()
    answered: Counter[str] = Counter()
    stop = asyncio.Event()

    async def reader(query: str) -> None:
        while not stop.is_set():
            answer = await patient.client.ask(query)
            answered["failed" if "errors" in answer.body else "answered"] += 1

    async with asyncio.TaskGroup() as readers:
        for query in [LIST, LIST, SEARCH, SEARCH]:
            readers.create_task(reader(query))
        await until(lambda: answered["answered"] > 50)
        await asyncio.to_thread(pair.replica.kill)
        await until(lambda: not patient.served)
        seen = answered["answered"]
        await until(lambda: answered["answered"] > seen + 50)
        await asyncio.to_thread(pair.replica.server.start)
        await until(lambda: patient.served)
        stop.set()

    assert answered["failed"] == 0


@pytest.mark.parametrize("other", ["the primary itself", "nobody"])
async def test_what_is_no_replica_of_this_server_is_not_read(pair: Pair, database: str, other: str) -> None:
    url = pair.primary.url(database)
    read_url = url if other == "the primary itself" else url.update_query_dict({"port": "1"})

    async with opened(url, read_url, 60) as service:
        replica = service.deps.database.replica
        assert replica is not None
        await until(lambda: replica.reason != "it has not answered yet")
        await service.create()

        assert await service.count() == 1
        assert not service.served
        expected = (
            "it is no replica"
            if other == "the primary itself"
            else "the database is not available; try again"
        )
        assert replica.reason == expected
