"""Whether this service can run on a database: checked at start and by `datastorage doctor`.

Each check says what is wrong and how to mend it. Problems stop the start; warnings are logged.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from packaging.version import Version
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from datastorage.db.direct_connection import direct_connection
from datastorage.db.faults import reason
from datastorage.db.findings import Expected, Finding
from datastorage.db.vector_checks import hnsw_works, vectors_fit
from datastorage.errors import StartupError

POSTGRESQL_OLDEST = 160_000
PGVECTOR_OLDEST = Version("0.7.0")  # halfvec and sparsevec
PGVECTOR_ITERATIVE = Version("0.8.0")  # iterative index scans
SHARED_BUFFERS_MIN_MIB = 1024


async def check_database(url: URL, expected: Expected) -> list[Finding]:
    """Every finding, good ones included. Errors: StartupError when the database cannot be reached or read."""
    async with direct_connection(url) as connection:
        try:
            return await _findings(connection, expected)
        except DBAPIError as error:
            raise StartupError(
                f"the database cannot be checked ({reason(error)}); does user {url.username} own its tables?"
            ) from error


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
        findings.append(await hnsw_works(connection, expected))
        findings += await vectors_fit(connection, expected)
    for check in _SETTINGS_CHECKS:
        findings.append(await check(connection))
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


_SETTINGS_CHECKS: Final[tuple[Callable[[AsyncConnection], Awaitable[Finding]], ...]] = (
    _fsync,
    _synchronous_commit,
    _shared_buffers,
)
