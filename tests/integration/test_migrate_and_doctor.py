"""`datastorage migrate` and `datastorage doctor` as an operator meets them: what is said, and the exit code."""

import os
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

import anyio
import pytest
from sqlalchemy.engine import URL

from datastorage.db.migrations import known_revisions
from support.postgres import administrator
from support.servers import PASSWORD, Server

Run = Callable[..., Coroutine[None, None, "Ended"]]


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Both, in one line: a table folds long texts."""
        return " ".join((self.out + self.err).split())


async def run(command: str, *arguments: str, url: URL, **variables: str) -> Ended:
    """Runs a command on a database, with no other setting."""
    place = url.set(drivername="postgresql").difference_update_query(["ssl"])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DATASTORAGE_")}
    done = await anyio.run_process(
        [sys.executable, "-m", "datastorage", command, *arguments],
        cwd="/",
        env={
            **kept,
            "COLUMNS": "400",
            "DATASTORAGE_DATABASE_URL": place.render_as_string(hide_password=False),
            "DATASTORAGE_EMBEDDING_PROVIDER": "none",
            **variables,
        },
        check=False,
    )
    ended = Ended(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert PASSWORD not in ended.said
    assert "Traceback" not in ended.said
    return ended


async def test_migrating_tells_each_step_once(empty_database_url: URL) -> None:
    lacking = await run("migrate", "--check", url=empty_database_url)
    first = await run("migrate", url=empty_database_url)
    second = await run("migrate", url=empty_database_url)
    checked = await run("migrate", "--check", url=empty_database_url)

    assert lacking.code == 1
    assert lacking.out == (
        f"schema: lacks {len(known_revisions())} migration(s) of this release; run: datastorage migrate\n"
    )
    assert [line[:12] for line in first.out.splitlines()] == [
        *(f"applied {revision}" for revision in known_revisions()),
        "the schema i",
    ]
    assert (second.code, second.out) == (0, "the schema is up to date\n")
    assert (checked.code, checked.out) == (0, f"schema: at {known_revisions()[-1]}\n")


async def test_checking_names_what_was_changed_by_hand(database_url: URL) -> None:
    async with administrator(database_url) as connection:
        await connection.execute("DROP INDEX ix_remediation_audit_phase")

    checked = await run("migrate", "--check", url=database_url)

    assert checked.code == 1
    assert checked.out.splitlines()[1:] == [
        "drift: remediation_audit: lacks index ix_remediation_audit_phase"
    ]


@pytest.mark.parametrize("arguments", [(), ("--check",)])
async def test_a_database_out_of_reach_is_told_in_one_line(
    own_server: Server, arguments: tuple[str, ...]
) -> None:
    with own_server.running():
        ended = await run("migrate", *arguments, url=own_server.tcp_url(password=f"{PASSWORD}!"))

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("datastorage: database 'postgres' on 127.0.0.1, port ")
    assert len(ended.err.splitlines()) == 1


async def test_a_database_that_fails_a_check_is_not_migrated(own_server: Server) -> None:
    with own_server.running(fsync="off"):
        ended = await run("migrate", url=own_server.url())
        async with administrator(own_server.url()) as connection:
            assert await connection.fetchval("SELECT to_regclass('alembic_version')") is None

    assert ended.code == 1
    assert ended.err == (
        "datastorage: cannot run on this database:\n"
        "  fsync: off: a crash loses acknowledged writes; set fsync = on\n"
    )


async def test_the_doctor_finds_a_sound_service_sound(database_url: URL) -> None:
    ended = await run(
        "doctor", url=database_url, DATASTORAGE_EMBEDDING_PROVIDER="static", DATASTORAGE_POOL_SIZE="9"
    )

    assert ended.code == 0
    for check in (
        "settings all readable",
        "embedding wordllama-l2-supercat-256, 256 dimensions",
        "hnsw a trial index over 256 dimensions works",
        "dimensions 256",
        "index ix_incident_embedding_hnsw_default",
        f"schema at {known_revisions()[-1]}",
    ):
        assert f"✓ {check}" in ended.said


async def test_the_doctor_says_how_to_mend(empty_database_url: URL, own_server: Server) -> None:
    unmigrated = await run("doctor", url=empty_database_url, DATASTORAGE_POOLSIZE="9")
    absent = await run("doctor", url=empty_database_url.set(database="absent"))
    wrong = await run("doctor", url=empty_database_url, DATASTORAGE_HTTP_PORT="eighty")

    assert unmigrated.code == 1
    assert f"✗ schema lacks {len(known_revisions())} migration(s)" in unmigrated.said
    assert (
        "! settings DATASTORAGE_POOLSIZE is not a setting; did you mean DATASTORAGE_POOL_SIZE?"
        in unmigrated.said
    )
    assert absent.code == 1
    assert "✗ database database 'absent' on" in absent.said
    assert "create it (CREATE DATABASE absent)" in absent.said
    assert (wrong.code, wrong.out) == (1, "")
    assert "DATASTORAGE_HTTP_PORT: Input should be a valid integer" in wrong.err
