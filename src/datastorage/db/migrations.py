"""Schema by Alembic: bring it up to date, and tell whether this release can serve on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from packaging.version import Version
from sqlalchemy import Connection, column, func, inspect, select, table
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from datastorage import __version__
from datastorage.models import metadata, schema_compatibility

PACKAGED = Path(__file__).parent / "alembic"  # in a wheel
SOURCE = Path(__file__).parents[3] / "alembic"  # in a checkout


@dataclass(frozen=True, slots=True)
class SchemaState:
    """How the schema of a database relates to this release."""

    current: tuple[str, ...]  # revisions that the database stands at
    pending: tuple[str, ...]  # revisions that this release needs and the database lacks, in order
    refused: str | None  # why this release is too old for the schema

    @property
    def good(self) -> bool:
        """Whether this release can serve on it."""
        return not self.pending and self.refused is None

    def describe(self) -> str:
        """One line for probes and people."""
        if self.refused:
            return self.refused
        if self.pending:
            return f"lacks {len(self.pending)} migration(s) of this release; run: datastorage migrate"
        return f"at {', '.join(self.current)}"


async def upgrade(url: URL, *, on_step: Callable[[str], None] = lambda _: None) -> None:
    """Applies every pending revision; safe to run twice at once and to run again after a break."""
    await _with_connection(url, lambda connection: command.upgrade(_config(connection, on_step), "head"))


async def drift(url: URL) -> list[Any]:
    """Differences between the tables in the code and those in the database."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 -- a developer's tool, slow to import

    def compare(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"include_name": include_name})
        return list(compare_metadata(context, metadata))

    differences: list[Any] = await _with_connection(url, compare)
    return differences


async def schema_state(connection: AsyncConnection) -> SchemaState:
    """Reads where the schema stands; one or two cheap statements."""
    return await connection.run_sync(_schema_state)


async def read_state(url: URL) -> SchemaState:
    """The same on a connection of its own."""
    state: SchemaState = await _with_connection(url, _schema_state)
    return state


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """Indexes made while running, for further models, are no drift."""
    return not (kind == "index" and name is not None and name.startswith("hnsw_model_"))


def _schema_state(connection: Connection) -> SchemaState:
    current = _current_heads(connection)
    known = known_revisions()
    # A revision that this release does not know is newer than all of its own: history is linear.
    newer = [revision for revision in current if revision not in known]
    applied = len(known) if newer else max((known.index(revision) + 1 for revision in current), default=0)
    refused = _too_old(connection) if newer else None
    return SchemaState(current, known[applied:], refused)


@cache
def known_revisions() -> tuple[str, ...]:
    """The revisions of this release, in order."""
    scripts = ScriptDirectory(str(_script_location()))
    return tuple(script.revision for script in reversed(list(scripts.walk_revisions())))


def _current_heads(connection: Connection) -> tuple[str, ...]:
    if connection.scalar(select(func.to_regclass("alembic_version"))) is None:
        return ()
    return tuple(connection.scalars(select(column("version_num")).select_from(table("alembic_version"))))


def _too_old(connection: Connection) -> str | None:
    if not inspect(connection).has_table(schema_compatibility.name):
        return None
    oldest: Sequence[str] = connection.scalars(select(schema_compatibility.c.oldest_release)).all()
    needed = max((Version(release) for release in oldest), default=Version("0"))
    if needed <= Version(__version__):
        return None
    return f"needs release {needed} or newer; this is {__version__}"


async def _with_connection(url: URL, work: Callable[[Connection], Any]) -> Any:
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def _config(connection: Connection, on_step: Callable[[str], None]) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_script_location()).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["on_step"] = on_step
    return config


def _script_location() -> Path:
    return PACKAGED if PACKAGED.is_dir() else SOURCE
