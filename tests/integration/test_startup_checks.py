"""Start-up checks against real servers that fail them: what is refused, what is warned of, and what it says."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from datastorage.db import migrations
from datastorage.db.findings import Expected, Finding
from datastorage.db.startup_checks import check_database, refuse_fatal
from datastorage.errors import StartupError
from support.postgres import administrator, cloned
from support.servers import DEBIANS_15, NEEDS_DEBIANS_15, Server, cluster, installation

EXPECTED = Expected(connections=50, dimensions=256, model="wordllama-l2-supercat-256")
SOUND = {"fsync": "on", "shared_buffers": "1GB"}  # as pages are touched, not before, 1 GB costs nothing here


async def found(url: URL, expected: Expected = EXPECTED) -> dict[str, Finding]:
    """Findings by the name of their check."""
    return {finding.check: finding for finding in await check_database(url, expected)}


def refusal(findings: dict[str, Finding]) -> str:
    """What the person who starts the service reads."""
    with pytest.raises(StartupError) as refused:
        refuse_fatal(list(findings.values()))
    return str(refused.value)


def bad(findings: dict[str, Finding]) -> set[str]:
    return {name for name, finding in findings.items() if not finding.good}


@pytest.fixture
def sound_server(own_server: Server) -> Iterator[Server]:
    """A server that passes every check."""
    with own_server.running(**SOUND):
        yield own_server


@pytest.fixture
async def sound_url(sound_server: Server) -> AsyncIterator[URL]:
    """An empty database on it."""
    async with cloned(sound_server.url(), None) as url:
        yield url


async def test_a_sound_server_passes_before_and_after_the_migration(sound_url: URL) -> None:
    before = await found(sound_url)
    await migrations.upgrade(sound_url)
    after = await found(sound_url)

    refuse_fatal([*before.values(), *after.values()])
    assert (bad(before), bad(after)) == (set(), set())
    assert list(after) == [
        "postgresql",
        "pgvector",
        "hnsw",
        "dimensions",
        "index",
        "fsync",
        "synchronous_commit",
        "shared_buffers",
        "max_connections",
    ]
    assert after["shared_buffers"].detail == "1024 MiB"


async def test_checking_changes_nothing(sound_url: URL) -> None:
    await found(sound_url)

    async with administrator(sound_url) as connection:
        assert await connection.fetchval("SELECT count(*) FROM pg_extension WHERE extname = 'vector'") == 0
        assert await connection.fetchval("SELECT count(*) FROM pg_class WHERE relname LIKE 'hnsw%'") == 0


async def test_checks_beside_a_first_migration_refuse_nothing(sound_url: URL) -> None:
    _, *results = await asyncio.gather(migrations.upgrade(sound_url), *(found(sound_url) for _ in range(20)))

    for findings in results:
        refuse_fatal(list(findings.values()))


# --- versions


@NEEDS_DEBIANS_15
async def test_postgresql_15_is_refused_whatever_else_is_wrong() -> None:
    with cluster(DEBIANS_15) as server, server.running():
        findings = await found(server.url())

    assert list(findings) == ["postgresql"]
    assert findings["postgresql"].detail.startswith("PostgreSQL 15.")
    assert refusal(findings).endswith("; 16 or newer is needed; upgrade the server")


async def test_a_server_without_pgvector_is_refused(programs_of_our_own: Path, sound_url: URL) -> None:
    with hidden(extension_files(programs_of_our_own) / "vector.control"):
        findings = await found(sound_url)

    assert refusal(findings) == (
        "cannot run on this database:\n  pgvector: is not installed on the server; "
        "install the package (postgresql-NN-pgvector) or use an image that has it"
    )
    assert "hnsw" not in findings


async def test_a_server_with_pgvector_0_6_is_refused() -> None:
    with (
        installation("pgserver", "pginstall") as bin_dir,
        cluster(bin_dir) as server,
        server.running(**SOUND),
    ):
        findings = await found(server.url())

    assert findings["postgresql"].detail == "PostgreSQL 16.2"
    assert refusal(findings) == (
        "cannot run on this database:\n  pgvector: 0.6.2 is older than 0.7.0; upgrade it to 0.7.0 or newer"
    )


async def test_an_old_pgvector_in_the_database_is_refused_though_the_server_has_a_newer_one(
    sound_url: URL, older_pgvector: None
) -> None:
    await execute(sound_url, "CREATE EXTENSION vector VERSION '0.6.2'")

    assert refusal(await found(sound_url)) == (
        "cannot run on this database:\n  pgvector: 0.6.2 is older than 0.7.0; run ALTER EXTENSION vector UPDATE"
    )


async def test_pgvector_without_iterative_scans_is_warned_of(sound_url: URL, older_pgvector: None) -> None:
    await execute(sound_url, "CREATE EXTENSION vector VERSION '0.7.4'")

    findings = await found(sound_url)

    refuse_fatal(list(findings.values()))
    assert bad(findings) == {"pgvector"}
    assert findings["pgvector"].detail == "0.7.4 has no iterative index scans"


@pytest.fixture(scope="module")
def older_pgvector(programs_of_our_own: Path) -> Iterator[None]:
    """Lets CREATE EXTENSION start from 0.6.2, whose script only the old package has."""
    script = "vector--0.6.2.sql"
    target = extension_files(programs_of_our_own) / script
    with installation("pgserver", "pginstall") as bin_dir:
        target.write_text((extension_files(bin_dir) / script).read_text())
    target.chmod(0o644)
    yield
    target.unlink()


# --- rights, dimensions, the index


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        ("SELECT 1", 'permission denied to create extension "vector"'),
        ("CREATE EXTENSION vector", 'permission denied to create temporary tables in database "{database}"'),
    ],
)
async def test_a_user_who_may_not_build_the_trial_index_is_refused(
    sound_server: Server, sound_url: URL, prepare: str, why: str
) -> None:
    await execute(sound_url, prepare, f'REVOKE TEMP ON DATABASE "{sound_url.database}" FROM PUBLIC')

    async with role(sound_server, "poor") as name:
        findings = await found(sound_url.set(username=name))

    assert refusal(findings) == (
        f"cannot run on this database:\n  hnsw: a trial index failed ({why.format(database=sound_url.database)}); "
        "let the user CREATE EXTENSION vector and TEMP tables, or create the extension as superuser"
    )


async def test_stored_vectors_of_another_dimension_are_refused(sound_url: URL) -> None:
    await migrations.upgrade(sound_url)
    await execute(
        sound_url,
        "INSERT INTO incident_embedding (content_hash, model, vector) "
        "VALUES (sha256('a'), 'other', array_fill(1, ARRAY[3])::halfvec)",
    )

    assert refusal(await found(sound_url, replace(EXPECTED, model="other"))) == (
        "cannot run on this database:\n  dimensions: stored vectors of other have 3, the model gives 256; "
        "configure the model that wrote them, or give the new one another name"
    )


async def test_an_index_of_another_dimension_is_refused_even_without_vectors(sound_url: URL) -> None:
    await migrations.upgrade(sound_url)

    findings = await found(sound_url, replace(EXPECTED, dimensions=384))

    assert refusal(findings) == (
        "cannot run on this database:\n  dimensions: the index of wordllama-l2-supercat-256 has 256, "
        "the model gives 384; configure the model that wrote them, or give the new one another name"
    )


async def test_without_embeddings_no_dimension_is_compared(sound_url: URL) -> None:
    await migrations.upgrade(sound_url)

    findings = await found(sound_url, Expected(connections=1, dimensions=None, model=""))

    assert bad(findings) == set()


async def test_an_invalid_index_is_warned_of(sound_url: URL) -> None:
    await migrations.upgrade(sound_url)
    await execute(
        sound_url,
        "UPDATE pg_index SET indisvalid = false "
        "WHERE indexrelid = 'ix_incident_embedding_hnsw_default'::regclass",
    )

    findings = await found(sound_url)

    refuse_fatal(list(findings.values()))
    assert bad(findings) == {"index"}
    assert findings["index"].mend == "run: REINDEX INDEX CONCURRENTLY ix_incident_embedding_hnsw_default"
    await execute(sound_url, findings["index"].mend.removeprefix("run: "))
    assert bad(await found(sound_url)) == set()


async def test_a_missing_index_is_warned_of(sound_url: URL) -> None:
    await migrations.upgrade(sound_url)
    await execute(sound_url, "DROP INDEX ix_incident_embedding_hnsw_default")

    findings = await found(sound_url)

    refuse_fatal(list(findings.values()))
    assert bad(findings) == {"index"}
    assert "compare every vector" in findings["index"].detail


async def test_a_user_who_may_not_read_the_tables_is_told_so(sound_server: Server, sound_url: URL) -> None:
    await migrations.upgrade(sound_url)

    async with role(sound_server, "stranger") as name:
        with pytest.raises(StartupError, match="permission denied for table incident_embedding"):
            await found(sound_url.set(username=name))


# --- settings of the server


async def test_fsync_off_is_refused(own_server: Server) -> None:
    with own_server.running(**SOUND | {"fsync": "off"}):
        findings = await found(own_server.url())

    assert bad(findings) == {"fsync"}
    assert refusal(findings) == (
        "cannot run on this database:\n  fsync: off: a crash loses acknowledged writes; set fsync = on"
    )


async def test_small_buffers_and_asynchronous_commits_are_warned_of(own_server: Server) -> None:
    with own_server.running(fsync="on", shared_buffers="1023MB", synchronous_commit="off"):
        findings = await found(own_server.url())

    refuse_fatal(list(findings.values()))
    assert bad(findings) == {"synchronous_commit", "shared_buffers"}
    assert findings["shared_buffers"].detail.startswith("1023 MiB")


async def test_more_connections_than_the_server_allows_are_refused(own_server: Server) -> None:
    reserved = {"superuser_reserved_connections": "4", "reserved_connections": "6"}
    with own_server.running(max_connections="60", **reserved, **SOUND):
        fitting = await found(own_server.url(), replace(EXPECTED, connections=50))
        too_many = await found(own_server.url(), replace(EXPECTED, connections=51))

    assert fitting["max_connections"].good
    assert refusal(too_many) == (
        "cannot run on this database:\n  max_connections: 51 wanted, 50 allowed; "
        "lower DATASTORAGE_POOL_SIZE or DATASTORAGE_WORKERS, or raise max_connections"
    )


async def test_everything_that_is_wrong_is_told_in_one_message(own_server: Server) -> None:
    with own_server.running(fsync="off", max_connections="20"):
        lines = refusal(await found(own_server.url(), replace(EXPECTED, connections=1000))).splitlines()

    assert [line.split(":")[0].strip() for line in lines] == [
        "cannot run on this database",
        "fsync",
        "max_connections",
    ]


# --- what the tests prepare with


async def execute(url: URL, *statements: str) -> None:
    async with administrator(url) as connection:
        for statement in statements:
            await connection.execute(statement)


class role:  # noqa: N801 -- used as a context manager only
    """A user with no rights, for as long as the context lasts."""

    def __init__(self, server: Server, name: str) -> None:
        self._url, self._name = server.url(), name

    async def __aenter__(self) -> str:
        await execute(self._url, f"CREATE ROLE {self._name} LOGIN")
        return self._name

    async def __aexit__(self, *_: object) -> None:
        await execute(self._url, f"DROP ROLE {self._name}")


def extension_files(bin_dir: Path) -> Path:
    return bin_dir.parent / "share" / "postgresql" / "extension"


@contextmanager
def hidden(path: Path) -> Iterator[None]:
    path.rename(path.with_suffix(".hidden"))
    try:
        yield
    finally:
        path.with_suffix(".hidden").rename(path)
