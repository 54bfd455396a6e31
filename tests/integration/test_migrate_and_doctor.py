"""`datastorage migrate` and `datastorage doctor` as an operator meets them: what is said, and the exit code."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.engine import URL

from datastorage.db.migrations import known_revisions
from support.command_line import CommandLine, Ended
from support.postgres import administrator
from support.servers import PASSWORD, Server

Run = Callable[..., Ended]


@pytest.fixture(scope="module")
def command_line() -> Iterator[CommandLine]:
    with CommandLine() as command_line:
        yield command_line


@pytest.fixture
def run(command_line: CommandLine) -> Run:
    """Runs a command on a database, with no other setting; no password is ever told, nor where it broke."""

    def run_on(url: URL, *arguments: str, **variables: str) -> Ended:
        place = url.set(drivername="postgresql").difference_update_query(["ssl"])
        given = {
            "DATABASE_URL": place.render_as_string(hide_password=False),
            "EMBEDDING_PROVIDER": "none",
            **variables,
        }
        ended = command_line.run(
            *arguments,
            variables={"COLUMNS": "400"} | {f"DATASTORAGE_{name}": value for name, value in given.items()},
        )
        assert PASSWORD not in ended.said
        assert "Traceback" not in ended.said
        return ended

    return run_on


async def test_migrating_tells_each_step_once(run: Run, empty_database_url: URL) -> None:
    lacking = run(empty_database_url, "migrate", "--check")
    first = run(empty_database_url, "migrate")
    second = run(empty_database_url, "migrate")
    checked = run(empty_database_url, "migrate", "--check")

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


async def test_checking_names_what_was_changed_by_hand(run: Run, database_url: URL) -> None:
    async with administrator(database_url) as connection:
        await connection.execute("DROP INDEX ix_remediation_audit_phase")

    checked = run(database_url, "migrate", "--check")

    assert checked.code == 1
    assert checked.out.splitlines()[1:] == [
        "drift: remediation_audit: lacks index ix_remediation_audit_phase"
    ]


@pytest.mark.parametrize("arguments", [(), ("--check",)])
async def test_a_database_out_of_reach_is_told_in_one_line(
    run: Run, own_server: Server, arguments: tuple[str, ...]
) -> None:
    with own_server.running():
        ended = run(own_server.tcp_url(password=f"{PASSWORD}!"), "migrate", *arguments)

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("datastorage: database 'postgres' on 127.0.0.1, port ")
    assert len(ended.err.splitlines()) == 1


async def test_a_database_that_fails_a_check_is_not_migrated(run: Run, own_server: Server) -> None:
    with own_server.running(fsync="off"):
        ended = run(own_server.url(), "migrate")
        async with administrator(own_server.url()) as connection:
            assert await connection.fetchval("SELECT to_regclass('alembic_version')") is None

    assert ended.code == 1
    assert ended.err == (
        "datastorage: cannot run on this database:\n"
        "  fsync: off: a crash loses acknowledged writes; set fsync = on\n"
    )


async def test_the_doctor_finds_a_sound_service_sound(run: Run, database_url: URL) -> None:
    ended = run(database_url, "doctor", EMBEDDING_PROVIDER="static", POOL_SIZE="9")

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


async def test_the_doctor_says_how_to_mend(run: Run, empty_database_url: URL, own_server: Server) -> None:
    unmigrated = run(empty_database_url, "doctor", POOLSIZE="9")
    absent = run(empty_database_url.set(database="absent"), "doctor")
    wrong = run(empty_database_url, "doctor", HTTP_PORT="eighty")

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
