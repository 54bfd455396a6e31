"""Whether this service can run on a database: checked at start and by `datastorage doctor`.

Each check says what is wrong and how to mend it. Problems stop the start; warnings are logged.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from packaging.version import Version
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from datastorage.db.faults import sqlstate
from datastorage.errors import StartupError

POSTGRESQL_OLDEST = 160_000
PGVECTOR_OLDEST = Version("0.7.0")  # halfvec and sparsevec
PGVECTOR_ITERATIVE = Version("0.8.0")  # iterative index scans
SHARED_BUFFERS_MIN_MIB = 1024


@dataclass(frozen=True, slots=True)
class Expected:
    """What this process will ask of the database."""

    connections: int
    dimensions: int | None  # of the vectors of the active model; None without embeddings
    model: str


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; `mend` says how to put it right."""

    check: str
    detail: str
    mend: str = ""
    fatal: bool = False

    @property
    def good(self) -> bool:
        """Nothing to mend."""
        return not self.mend


async def check_database(url: URL, expected: Expected) -> list[Finding]:
    """Every finding, good ones included. Errors: StartupError when the database cannot be reached."""
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await _findings(connection, expected)
    except (DBAPIError, OSError) as error:
        raise StartupError(unreachable(url, error)) from error
    finally:
        await engine.dispose()


def unreachable(url: URL, error: BaseException) -> str:
    """Why the database did not answer, without its password."""
    place = url.set(password=None, query={}).render_as_string()
    state = sqlstate(error)
    if state.startswith("28"):
        return f"{place} refuses the user or password; check DATASTORAGE_DATABASE_USER and _PASSWORD"
    if state == "3D000":
        return f"{place}: there is no such database; create it (CREATE DATABASE {url.database})"
    return f"{place} cannot be reached; is PostgreSQL running there, and does the network let us through?"


def refuse_fatal(findings: list[Finding]) -> None:
    """Errors: StartupError naming every fatal finding."""
    fatal = [finding for finding in findings if finding.fatal]
    if fatal:
        lines = [f"  {finding.check}: {finding.detail}; {finding.mend}" for finding in fatal]
        raise StartupError("cannot run on this database:\n" + "\n".join(lines))


async def _findings(connection: AsyncConnection, expected: Expected) -> list[Finding]:
    version = await _postgresql_version(connection)
    if version.fatal:
        return [version]  # the others may not even parse on it
    findings = [version, await _pgvector_version(connection)]
    if not findings[-1].fatal:
        findings.append(await _hnsw_works(connection, expected))
        findings.append(await _dimensions_agree(connection, expected))
    findings += [await check(connection) for check in _SETTINGS_CHECKS]
    findings.append(await _connections_fit(connection, expected))
    return findings


async def _show(connection: AsyncConnection, name: str) -> str:
    return str(await connection.scalar(text("SELECT current_setting(:name)"), {"name": name}))


async def _postgresql_version(connection: AsyncConnection) -> Finding:
    number = int(await _show(connection, "server_version_num"))
    detail = f"PostgreSQL {await _show(connection, 'server_version')}"
    if number >= POSTGRESQL_OLDEST:
        return Finding("postgresql", detail)
    return Finding("postgresql", detail, "16 or newer is needed; upgrade the server", fatal=True)


async def _pgvector_version(connection: AsyncConnection) -> Finding:
    row = (
        await connection.execute(
            text(
                "SELECT default_version AS available, installed_version AS installed "
                "FROM pg_available_extensions WHERE name = 'vector'"
            )
        )
    ).one_or_none()
    if row is None:
        return Finding(
            "pgvector",
            "is not installed on the server",
            "install the package (postgresql-NN-pgvector) or use an image that has it",
            fatal=True,
        )
    in_use = Version(row.installed or row.available)
    if in_use < PGVECTOR_OLDEST:
        newer = Version(row.available) >= PGVECTOR_OLDEST
        mend = "run ALTER EXTENSION vector UPDATE" if newer else f"upgrade it to {PGVECTOR_OLDEST} or newer"
        return Finding("pgvector", f"{in_use} is older than {PGVECTOR_OLDEST}", mend, fatal=True)
    if in_use < PGVECTOR_ITERATIVE:
        return Finding(
            "pgvector",
            f"{in_use} has no iterative index scans",
            "filtered searches compare every match; upgrade to 0.8",
        )
    return Finding("pgvector", str(in_use))


async def _hnsw_works(connection: AsyncConnection, expected: Expected) -> Finding:
    """Builds a tiny index in a transaction that is rolled back."""
    dimensions = expected.dimensions or 3
    try:
        await connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
        await connection.execute(text(f"CREATE TEMP TABLE hnsw_try (v halfvec({dimensions})) ON COMMIT DROP"))
        await connection.execute(text("CREATE INDEX ON hnsw_try USING hnsw (v halfvec_cosine_ops)"))
    except DBAPIError as error:
        why = str(error.orig).splitlines()[0].split(": ", 1)[-1]
        return Finding(
            "hnsw",
            f"a trial index failed ({why})",
            "let the user CREATE EXTENSION vector and TEMP tables, or create the extension as superuser",
            fatal=True,
        )
    finally:
        await connection.rollback()
    return Finding("hnsw", f"a trial index over {dimensions} dimensions works")


async def _dimensions_agree(connection: AsyncConnection, expected: Expected) -> Finding:
    """Stored vectors of the active model must have its dimension."""
    exists = await connection.scalar(text("SELECT to_regclass('incident_embedding')"))
    if exists is None or expected.dimensions is None:
        return Finding("dimensions", "no vectors to compare")
    stored = await connection.scalar(
        text("SELECT vector_dims(vector) FROM incident_embedding WHERE model = :model LIMIT 1"),
        {"model": expected.model},
    )
    if stored in (None, expected.dimensions):
        return Finding("dimensions", f"{expected.dimensions}")
    return Finding(
        "dimensions",
        f"stored vectors of {expected.model} have {stored}, the model gives {expected.dimensions}",
        "configure the model that wrote them, or give the new one another name",
        fatal=True,
    )


async def _fsync(connection: AsyncConnection) -> Finding:
    if await _show(connection, "fsync") == "on":
        return Finding("fsync", "on")
    return Finding("fsync", "off: a crash loses acknowledged writes", "set fsync = on", fatal=True)


async def _synchronous_commit(connection: AsyncConnection) -> Finding:
    value = await _show(connection, "synchronous_commit")
    if value != "off":
        return Finding("synchronous_commit", value)
    return Finding("synchronous_commit", "off: a crash loses the last writes", "set synchronous_commit = on")


async def _shared_buffers(connection: AsyncConnection) -> Finding:
    size = await connection.scalar(
        text("SELECT setting::bigint * 8 / 1024 FROM pg_settings WHERE name = 'shared_buffers'")
    )
    mebibytes = int(size or 0)
    if mebibytes >= SHARED_BUFFERS_MIN_MIB:
        return Finding("shared_buffers", f"{mebibytes} MiB")
    return Finding(
        "shared_buffers", f"{mebibytes} MiB; the HNSW index should fit", "set shared_buffers to 1 GB or more"
    )


async def _connections_fit(connection: AsyncConnection, expected: Expected) -> Finding:
    allowed = int(await _show(connection, "max_connections"))
    reserved = int(await _show(connection, "superuser_reserved_connections"))
    reserved += int(await _show(connection, "reserved_connections"))
    detail = f"{expected.connections} wanted, {allowed - reserved} allowed"
    if expected.connections <= allowed - reserved:
        return Finding("max_connections", detail)
    return Finding(
        "max_connections",
        detail,
        "lower DATASTORAGE_POOL_SIZE or DATASTORAGE_WORKERS, or raise max_connections",
        fatal=True,
    )


_SETTINGS_CHECKS: tuple[Callable[[AsyncConnection], Awaitable[Any]], ...] = (
    _fsync,
    _synchronous_commit,
    _shared_buffers,
)
