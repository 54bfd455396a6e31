"""A connection outside the pools, for what happens once: start-up checks, migrations, `datastorage doctor`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from datastorage import __version__
from datastorage.db.faults import reason, sqlstate
from datastorage.db.pooler import UNNAMED
from datastorage.errors import StartupError
from datastorage.limits import DIRECT_CONNECT_TIMEOUT_S


@asynccontextmanager
async def direct_connection(
    url: URL,
    *,
    timeout_s: float = DIRECT_CONNECT_TIMEOUT_S,
    session_settings: Mapping[str, str] | None = None,
) -> AsyncIterator[AsyncConnection]:
    """A connection of one's own. Errors: StartupError when the database cannot be reached, saying why."""
    settings = {"application_name": f"datastorage {__version__}", **(session_settings or {})}
    connect_args = {
        "timeout": timeout_s,
        "server_settings": settings,
        **UNNAMED,
    }  # a pooler may be in between
    engine = create_async_engine(url, poolclass=NullPool, connect_args=connect_args)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.dispose)
        try:
            connection = await stack.enter_async_context(engine.connect())
        except (DBAPIError, asyncpg.ClientConfigurationError, OSError) as error:
            raise StartupError(_unreachable(url, error)) from error
        yield connection


def _unreachable(url: URL, error: BaseException) -> str:
    place, state = _place(url), sqlstate(error)
    if state.startswith("28"):
        return (
            f"{place} refuses us ({reason(error)}); check the user and password in DATASTORAGE_DATABASE_URL "
            "(or DATASTORAGE_DATABASE_USER and _PASSWORD), and the server's pg_hba.conf"
        )
    if state == "3D000":
        return f"{place} does not exist; create it (CREATE DATABASE {url.database}), or name another"
    if isinstance(error, TimeoutError):
        return f"{place} cannot be reached: no answer; {_REACH}"
    if _is_about_tls(url, error):
        return (
            f"{place} cannot be reached over TLS ({reason(error)}); check DATASTORAGE_DATABASE_SSL_MODE "
            "and the certificates that the URL names"
        )
    return f"{place} cannot be reached ({reason(error)}); {_REACH}"


def _is_about_tls(url: URL, error: BaseException) -> bool:
    if isinstance(error, asyncpg.ClientConfigurationError) or "SSL" in reason(error):
        return True
    return isinstance(error, FileNotFoundError) and "dsn" in url.query  # which names certificates


_REACH = "is PostgreSQL running there, and does the network let us through?"


def _place(url: URL) -> str:
    """Which database where, and nothing secret."""
    host = url.query.get("host", url.host) or "the default socket"
    port = url.query.get("port", url.port) or 5432
    return f"database {url.database!r} on {host}, port {port}, for user {url.username!r}"
