"""Schema by Alembic: bring it up to date, and tell whether this release can serve on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from packaging.version import Version
from sqlalchemy import Connection, func, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from datastorage import __version__
from datastorage.db.advisory_locks import AdvisoryLock
from datastorage.db.direct_connection import direct_connection
from datastorage.db.faults import reason
from datastorage.errors import StartupError
from datastorage.limits import MIGRATION_LOCK_TIMEOUT_S, MIGRATION_STATEMENT_TIMEOUT_S

PACKAGED: Final = Path(__file__).parent / "alembic"  # in a wheel
SOURCE: Final = Path(__file__).parents[3] / "alembic"  # in a checkout
MIGRATION_POLL_S: Final = 0.2


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
    """Applies every pending revision; safe to run twice at once and to run again after a break.

    A schema newer than this release is left as it is. Errors: StartupError when this release is too old for
    it, when the database cannot be reached, or when a revision fails; those before it stay applied.
    """
    async with migration_connection(url) as connection:
        try:
            state = await schema_state(connection)
            if state.refused:
                raise StartupError(f"the schema {state.refused}")
            if state.pending:
                await wait_for_turn(connection)
                await connection.run_sync(lambda sync: command.upgrade(_config(sync, on_step), "head"))
        except DBAPIError as error:
            raise StartupError(
                f"a migration failed ({reason(error)}); it can be run again: datastorage migrate"
            ) from error


def migration_connection(url: URL) -> AbstractAsyncContextManager[AsyncConnection]:
    """A connection whose statements, unless a revision says otherwise, do not wait long for locks."""
    timeouts = {
        "lock_timeout": f"{MIGRATION_LOCK_TIMEOUT_S}s",
        "statement_timeout": f"{MIGRATION_STATEMENT_TIMEOUT_S}s",
    }
    return direct_connection(url, session_settings=timeouts)


async def schema_state(connection: AsyncConnection) -> SchemaState:
    """Reads where the schema stands; one or two cheap statements."""
    return await connection.run_sync(_schema_state)


async def read_state(url: URL) -> SchemaState:
    """The same on a connection of its own. Errors: StartupError."""
    async with direct_connection(url) as connection:
        try:
            return await schema_state(connection)
        except DBAPIError as error:
            raise StartupError(f"the schema's revision cannot be read ({reason(error)})") from error


@cache
def known_revisions() -> tuple[str, ...]:
    """The revisions of this release, in order."""
    scripts = ScriptDirectory(str(_script_location()))
    return tuple(script.revision for script in reversed(list(scripts.walk_revisions())))


async def wait_for_turn(connection: AsyncConnection) -> None:
    """One migration at a time; the lock ends with the session.

    Polls, since a session that blocks on the lock would be waited for by CREATE INDEX CONCURRENTLY.
    """
    while not await connection.scalar(select(func.pg_try_advisory_lock(AdvisoryLock.MIGRATION.value))):
        await connection.commit()
        await asyncio.sleep(MIGRATION_POLL_S)
    await connection.commit()


def _schema_state(connection: Connection) -> SchemaState:
    current = _current_heads(connection)
    known = known_revisions()
    # A revision that this release does not know is newer than all of its own: history is linear.
    newer = [revision for revision in current if revision not in known]
    applied = len(known) if newer else max((known.index(revision) + 1 for revision in current), default=0)
    refused = _too_old(connection) if newer else None
    return SchemaState(current, known[applied:], refused)


def _current_heads(connection: Connection) -> tuple[str, ...]:
    if not _exists(connection, "alembic_version"):
        return ()
    return tuple(connection.scalars(text("SELECT version_num FROM alembic_version")))


def _too_old(connection: Connection) -> str | None:
    if not _exists(connection, "schema_compatibility"):
        return None
    oldest = connection.scalars(text("SELECT oldest_release FROM schema_compatibility"))
    needed = max((Version(release) for release in oldest), default=Version("0"))
    if needed <= Version(__version__):
        return None
    return f"needs release {needed} or newer; this is {__version__}"


def _exists(connection: Connection, name: str) -> bool:
    return connection.scalar(select(func.to_regclass(name))) is not None


def _config(connection: Connection, on_step: Callable[[str], None]) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_script_location()).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["on_step"] = on_step
    return config


def _script_location() -> Path:
    return PACKAGED if PACKAGED.is_dir() else SOURCE
