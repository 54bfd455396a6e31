"""Probes: alive says that the process runs, ready that it can serve, and why it cannot."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest
from prometheus_client import REGISTRY
from sqlalchemy.engine import URL

from datastorage.app import dependencies
from datastorage.db.migrations import known_revisions
from datastorage.graphql.schema import build_schema
from datastorage.services import health
from datastorage.services.dependencies import Dependencies
from datastorage.services.health import Health
from datastorage.settings import Settings
from datastorage.web.application import build_application
from support.client import CREATE
from support.postgres import administrator
from support.records import remediation_input
from support.service import Service, environment, postgres_processes, started, wait_until

REVISIONS = known_revisions()
ALIVE = (200, {"status": "alive"})
READY = {
    "status": "ready",
    "checks": {
        "database": {"ok": True, "detail": "answers"},
        "schema": {"ok": True, "detail": f"at {REVISIONS[-1]}"},
        "accepting": {"ok": True, "detail": "yes"},
    },
}
CUT_OFF = {
    "database": {"ok": False, "detail": "does not answer"},
    "schema": {"ok": False, "detail": "unknown"},
    "accepting": {"ok": True, "detail": "yes"},
}


def test_a_running_service_is_alive_and_ready(service: Service) -> None:
    assert service.probe("/health") == ALIVE
    assert service.probe("/ready") == (200, READY)
    for path in ("/health", "/ready"):
        assert httpx.get(f"{service.url}{path}").headers["cache-control"] == "no-store"


def test_a_database_that_hangs_makes_it_not_ready_until_it_goes_on(embedded_service: Service) -> None:
    assert embedded_service.probe("/ready")[0] == 200  # a connection is open and in the pool
    stopped = postgres_processes(embedded_service.data_dir)
    each(stopped, signal.SIGSTOP)
    try:
        # Long before the pool's own 10 s: a probe that hangs is a probe that fails.
        answers = [httpx.get(f"{embedded_service.url}/ready", timeout=5) for _ in range(3)]
        alive = embedded_service.probe("/health")
    finally:
        each(stopped, signal.SIGCONT)

    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [(503, "not ready")] * 3
    assert answers[0].json()["checks"] == CUT_OFF
    assert alive == ALIVE
    wait_until(lambda: embedded_service.probe("/ready") == (200, READY))


def each(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        process.send_signal(number)


# --- through ASGI


@asynccontextmanager
async def probed(deps: Dependencies) -> AsyncIterator[tuple[httpx.AsyncClient, Health]]:
    app = build_application(build_schema(), Settings(_env_file=None))
    app.state.deps, app.state.health = deps, Health(deps.database)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        yield http, app.state.health


async def test_a_service_that_drains_is_alive_and_not_ready(deps: Dependencies) -> None:
    async with probed(deps) as (http, state):
        state.draining = True
        ready, alive = await http.get("/ready"), await http.get("/health")

    assert ready.status_code == 503
    assert ready.json() == {
        "status": "not ready",
        "checks": {**READY["checks"], "accepting": {"ok": False, "detail": "shutting down"}},
    }
    assert (alive.status_code, alive.json()) == ALIVE


@pytest.mark.parametrize(
    ("statement", "pending"),
    [
        ("DROP TABLE alembic_version", len(REVISIONS)),
        ("UPDATE alembic_version SET version_num = '0001'", len(REVISIONS) - 1),
    ],
)
async def test_a_schema_that_lags_behind_is_named(
    deps: Dependencies, sql: asyncpg.Connection, statement: str, pending: int
) -> None:
    await sql.execute(statement)

    async with probed(deps) as (http, _):
        answer = await http.get("/ready")

    detail = f"lacks {pending} migration(s) of this release; run: datastorage migrate"
    assert answer.status_code == 503
    assert answer.json()["checks"] == {**READY["checks"], "schema": {"ok": False, "detail": detail}}


async def test_a_newer_schema_is_good_until_it_refuses_this_release(
    deps: Dependencies, sql: asyncpg.Connection
) -> None:
    await sql.execute("UPDATE alembic_version SET version_num = '9999'")

    async with probed(deps) as (http, _):
        newer = await http.get("/ready")
        await sql.execute("INSERT INTO schema_compatibility VALUES ('9999', '99.0')")
        refused = await http.get("/ready")

    assert (newer.status_code, newer.json()["checks"]["schema"]["detail"]) == (200, "at 9999")
    assert refused.status_code == 503
    assert "needs release 99.0 or newer" in refused.json()["checks"]["schema"]["detail"]


async def shut_out(server_url: URL, database_url: URL) -> None:
    """The server is there, but lets nobody into this database."""
    async with administrator(server_url) as connection:
        await connection.execute(f'ALTER DATABASE "{database_url.database}" ALLOW_CONNECTIONS false')
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", database_url.database
        )


async def let_in(server_url: URL, database_url: URL) -> None:
    async with administrator(server_url) as connection:
        await connection.execute(f'ALTER DATABASE "{database_url.database}" ALLOW_CONNECTIONS true')


async def test_a_database_that_lets_nobody_in_makes_it_not_ready(
    deps: Dependencies, server_url: URL, database_url: URL
) -> None:
    async with probed(deps) as (http, _):
        before = await http.get("/ready")
        await shut_out(server_url, database_url)
        meanwhile = await http.get("/ready")
        await let_in(server_url, database_url)
        afterwards = await http.get("/ready")

    assert [answer.status_code for answer in (before, meanwhile, afterwards)] == [200, 503, 200]
    assert meanwhile.json()["checks"] == CUT_OFF


async def test_a_table_that_may_not_be_read_makes_it_not_ready(
    deps: Dependencies, sql: asyncpg.Connection
) -> None:
    await sql.execute("ALTER TABLE alembic_version RENAME version_num TO other")

    async with probed(deps) as (http, _):
        answer = await http.get("/ready")

    assert answer.status_code == 503
    assert answer.json()["checks"]["schema"] == {"ok": False, "detail": "cannot be read"}


async def test_a_server_that_is_not_there_makes_it_not_ready(settings: Settings) -> None:
    nowhere = URL.create("postgresql+asyncpg", "app", database="app", query={"host": "/nonexistent"})

    async with dependencies(nowhere, settings) as deps, probed(deps) as (http, _):
        answer = await http.get("/ready")

    assert (answer.status_code, answer.json()["checks"]) == (503, CUT_OFF)


# --- the gauges


def gauge(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"datastorage_{name}", labels)


def pools(figure: str) -> list[float | None]:
    return [gauge(f"pool_{figure}", pool=pool) for pool in ("rows", "reads", "writes", "probes")]


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 -- what is waited for is a gauge, and sets no event
            await asyncio.sleep(0.02)


async def test_the_gauges_follow_the_database(
    deps: Dependencies, server_url: URL, database_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "WATCH_EVERY_S", 0.02)

    async with Health(deps.database).watching():
        await until(lambda: gauge("database_up") == 1)
        async with deps.database.read(), deps.database.write():
            await until(lambda: pools("in_use") == [0, 1, 1, 0])
        await until(lambda: pools("in_use") == [0, 0, 0, 0])
        assert pools("size") == [2, 3, 2, 2]

        await shut_out(server_url, database_url)
        await until(lambda: gauge("database_up") == 0)
        await let_in(server_url, database_url)
        await until(lambda: gauge("database_up") == 1)


def test_an_embedded_database_that_was_killed_is_started_again(place: Path) -> None:
    with started(environment(place / "data")) as service:
        service.await_start()
        stored = service.ask(CREATE, input=remediation_input())["data"]["createRemediationAudit"]
        assert stored["__typename"] == "CreateRemediationAuditPayload"

        postmaster = int((place / "data" / "postgres-18" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(postmaster, signal.SIGKILL)

        wait_until(lambda: service.probe("/ready")[0] == 503)
        wait_until(lambda: service.probe("/ready")[0] == 200)
        again = service.ask(CREATE, input=remediation_input())["data"]["createRemediationAudit"]
        assert again["receipt"]["replayed"] is True
