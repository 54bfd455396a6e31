"""A database that cannot be reached at start: why, in words that help, and without the password."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from datastorage.db.direct_connection import direct_connection
from datastorage.db.findings import Expected
from datastorage.db.startup_checks import check_database
from datastorage.db.url import asyncpg_url
from datastorage.errors import StartupError
from support.servers import DEBIANS_15, NEEDS_DEBIANS_15, PASSWORD, Server, cluster, self_signed

EXPECTED = Expected(connections=1, dimensions=None, model="")


@pytest.fixture
def running_server(own_server: Server) -> Iterator[Server]:
    """A server that could be reached."""
    with own_server.running():
        yield own_server


async def test_a_port_where_nothing_listens_is_told(running_server: Server) -> None:
    said = await unreachable(running_server.tcp_url().set(port=1))

    assert said.startswith(
        "database 'postgres' on 127.0.0.1, port 1, for user 'postgres' cannot be reached ("
    )
    assert said.endswith("; is PostgreSQL running there, and does the network let us through?")


async def test_a_host_that_nobody_knows_is_told(running_server: Server) -> None:
    said = await unreachable(running_server.tcp_url().set(host="nowhere.invalid"))

    assert said.startswith("database 'postgres' on nowhere.invalid, port ")
    assert "cannot be reached" in said


async def test_a_socket_that_is_not_there_is_told() -> None:
    said = await unreachable(URL.create("postgresql+asyncpg", "me", query={"host": "/nowhere"}))

    assert said.startswith("database None on /nowhere, port 5432, for user 'me' cannot be reached")


async def test_a_server_that_never_answers_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = URL.create("postgresql+asyncpg", "me", PASSWORD, "127.0.0.1", silent.getsockname()[1], "x")
        with pytest.raises(StartupError) as told:
            async with direct_connection(url, timeout_s=0.2):
                pass

    assert "cannot be reached: no answer; is PostgreSQL running there" in str(told.value)
    assert PASSWORD not in str(told.value)


async def test_a_wrong_password_is_told_without_it(running_server: Server) -> None:
    said = await unreachable(running_server.tcp_url(password=f"{PASSWORD}-not"))

    assert 'refuses us (password authentication failed for user "postgres")' in said
    assert "check the user and password in DATASTORAGE_DATABASE_URL" in said


async def test_a_missing_database_is_told(running_server: Server) -> None:
    said = await unreachable(running_server.tcp_url(database="absent"))

    assert said.endswith("does not exist; create it (CREATE DATABASE absent), or name another")


async def test_a_server_without_tls_is_told_where_tls_is_demanded(running_server: Server) -> None:
    said = await unreachable(running_server.tcp_url().update_query_dict({"ssl": "require"}))

    assert "cannot be reached over TLS" in said
    assert "check DATASTORAGE_DATABASE_SSL_MODE" in said


@NEEDS_DEBIANS_15  # the embedded PostgreSQL is built without TLS
async def test_the_servers_certificate_is_checked_against_the_root_that_the_url_or_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cluster(DEBIANS_15) as server:
        server.give_certificate("localhost")
        another = tmp_path / "another.pem"
        another.write_bytes(self_signed("localhost")[1])
        with server.running(ssl="on"):
            place = f"postgresql://postgres:{PASSWORD}@localhost:{server.port}/postgres?sslmode=verify-full"
            trusted = await check_database(
                asyncpg_url(f"{place}&sslrootcert={server.data}/server.crt"), EXPECTED
            )
            distrusted = await unreachable(asyncpg_url(f"{place}&sslrootcert={another}"))
            absent = await unreachable(asyncpg_url(f"{place}&sslrootcert=/nowhere.pem"))
            monkeypatch.setenv("PGSSLROOTCERT", f"{server.data}/server.crt")
            also_trusted = await check_database(asyncpg_url(place), EXPECTED)
            monkeypatch.setenv("PGSSLROOTCERT", str(another))
            also_distrusted = await unreachable(asyncpg_url(place))

    for findings in (trusted, also_trusted):
        assert [finding.check for finding in findings] == ["postgresql"]  # it could be asked
    for said in (distrusted, also_distrusted):
        assert "cannot be reached over TLS ([SSL: CERTIFICATE_VERIFY_FAILED]" in said
    assert "cannot be reached over TLS (" in absent
    assert "No such file or directory" in absent


async def unreachable(url: URL) -> str:
    """Why the check could not even connect; without the password."""
    with pytest.raises(StartupError) as told:
        await check_database(url, EXPECTED)
    assert PASSWORD not in str(told.value)
    return str(told.value)
