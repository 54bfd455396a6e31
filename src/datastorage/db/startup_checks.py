"""Whether this service can run on a database: checked at start and by `datastorage doctor`.

Each check says what is wrong and how to mend it. Problems stop the start; warnings are logged.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from packaging.version import Version
from sqlalchemy import Row, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from datastorage.db.direct_connection import direct_connection
from datastorage.db.faults import reason
from datastorage.errors import StartupError
from datastorage.models.incident_embedding import DEFAULT_MODEL

POSTGRESQL_OLDEST = 160_000
PGVECTOR_OLDEST = Version("0.7.0")  # halfvec and sparsevec
PGVECTOR_ITERATIVE = Version("0.8.0")  # iterative index scans
SHARED_BUFFERS_MIN_MIB = 1024
REEMBED = "run: datastorage embeddings reembed"  # only the default model has its index from the migrations


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
        findings.append(await _hnsw_works(connection, expected))
        findings += await _vectors(connection, expected)
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


async def _hnsw_works(connection: AsyncConnection, expected: Expected) -> Finding:
    dimensions = expected.dimensions or 3
    fault = await _trial_fault(connection, dimensions)
    if fault:  # once more: the first try may have met another process that was creating the extension
        fault = await _trial_fault(connection, dimensions)
    if fault:
        return Finding(
            "hnsw",
            f"a trial index failed ({fault})",
            "let the user CREATE EXTENSION vector and TEMP tables, or create the extension as superuser",
            fatal=True,
        )
    return Finding("hnsw", f"a trial index over {dimensions} dimensions works")


async def _trial_fault(connection: AsyncConnection, dimensions: int) -> str | None:
    """Builds a tiny index in a transaction that is rolled back; what went wrong."""
    try:
        await connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
        await connection.execute(text(f"CREATE TEMP TABLE hnsw_try (v halfvec({dimensions})) ON COMMIT DROP"))
        await connection.execute(text("CREATE INDEX ON hnsw_try USING hnsw (v halfvec_cosine_ops)"))
    except DBAPIError as error:
        return reason(error)
    finally:
        await connection.rollback()
    return None


async def _vectors(connection: AsyncConnection, expected: Expected) -> list[Finding]:
    """What is stored and what is indexed, against what the active model gives."""
    exists = await connection.scalar(text("SELECT to_regclass('incident_embedding')"))
    if exists is None or expected.dimensions is None:
        return [Finding("dimensions", "no vectors to compare")]
    model = {"model": expected.model}
    stored = await connection.scalar(_STORED_DIMENSIONS, model)
    index = (await connection.execute(_INDEX_OF_MODEL, model)).one_or_none()
    indexed = None if index is None else index.dimensions
    return [_dimensions_agree(expected, stored, indexed), _index_serves(expected, index)]


def _dimensions_agree(expected: Expected, stored: int | None, indexed: int | None) -> Finding:
    if stored not in (None, expected.dimensions):
        other = f"stored vectors of {expected.model} have {stored}"
    elif indexed not in (None, expected.dimensions):
        other = f"the index of {expected.model} has {indexed}"
    else:
        return Finding("dimensions", f"{expected.dimensions}")
    return Finding(
        "dimensions",
        f"{other}, the model gives {expected.dimensions}",
        "configure the model that wrote them, or give the new one another name",
        fatal=True,
    )


def _index_serves(expected: Expected, index: Row[Any] | None) -> Finding:
    if index is None:
        return Finding(
            "index",
            f"none over the vectors of {expected.model}: searches compare every vector",
            "run: datastorage migrate (with --check it names what is missing)"
            if expected.model == DEFAULT_MODEL
            else REEMBED,
        )
    if index.valid:
        return Finding("index", index.name)
    return Finding(
        "index",
        f"{index.name} is not valid: searches compare every vector",
        f"run: REINDEX INDEX CONCURRENTLY {index.name}" if expected.model == DEFAULT_MODEL else REEMBED,
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


_STORED_DIMENSIONS: Final = text(
    "SELECT vector_dims(vector) FROM incident_embedding WHERE model = :model LIMIT 1"
)
# Each model has a partial index of its own, whose predicate names the model.
_INDEX_OF_MODEL: Final = text(
    "SELECT c.relname AS name, i.indisvalid AS valid, a.atttypmod AS dimensions "
    "FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = 1 "
    "WHERE i.indrelid = to_regclass('incident_embedding') AND m.amname = 'hnsw' "
    "AND strpos(pg_get_expr(i.indpred, i.indrelid), quote_literal(CAST(:model AS text))) > 0 "
    "ORDER BY i.indisvalid DESC LIMIT 1"
)
_SETTINGS_CHECKS: Final[tuple[Callable[[AsyncConnection], Awaitable[Finding]], ...]] = (
    _fsync,
    _synchronous_commit,
    _shared_buffers,
)
