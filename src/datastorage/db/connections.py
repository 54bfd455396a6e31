"""Engines: how a connection to PostgreSQL is set up. Reads and writes have pools of their own."""

from __future__ import annotations

from functools import partial
from time import monotonic
from typing import Any, Final

import asyncpg
import orjson
from sqlalchemy import event
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from datastorage.db.compiled_statement import DIALECT
from datastorage.db.pooler import row_arguments, session_arguments, statement_arguments
from datastorage.limits import STATEMENTS_COMPILED_MAX
from datastorage.settings import Pooler

# In the pool's record of a connection:
CODEC_SET: Final = "datastorage_halfvec"
USED_AT: Final = "datastorage_used_at"
UNCHECKED_S_MAX: Final = (
    1.0  # so long after its last use a connection is taken to live: a check costs a round trip
)


def create_engine(
    url: URL,
    *,
    pool_size: int,
    acquire_timeout_s: float,
    statement_timeout_s: float,
    autocommit: bool,
    pooler: Pooler = Pooler.NONE,
) -> AsyncEngine:
    """An engine whose every connection has our session settings and the vector codec.

    Session settings go into the start-up packet, where no reset can lose them.
    """
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=acquire_timeout_s,
        query_cache_size=STATEMENTS_COMPILED_MAX,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        **({"isolation_level": "AUTOCOMMIT"} if autocommit else {}),
        connect_args={
            "timeout": acquire_timeout_s,
            **session_arguments(pooler, statement_timeout_s),
            **statement_arguments(pooler),
        },
    )
    for name, listener in (
        ("checkin", _remember_use),
        ("checkout", partial(_check_after_rest, engine.dialect)),
        ("checkout", _register_halfvec),
    ):
        event.listen(engine.sync_engine, name, listener)
    return engine


async def open_row_connection(
    url: URL, *, connect_timeout_s: float, statement_timeout_s: float, pooler: Pooler = Pooler.NONE
) -> Any:
    """A plain connection of asyncpg with the same settings; JSON is read as it is by the engines."""
    _, arguments = DIALECT.create_connect_args(url)  # type: ignore[no-untyped-call]
    connection = await asyncpg.connect(
        **arguments,
        timeout=connect_timeout_s,
        **session_arguments(pooler, statement_timeout_s),
        **row_arguments(pooler),
    )
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=str, decoder=orjson.loads)
    return connection


def _remember_use(_connection: object, record: Any) -> None:
    record.info[USED_AT] = monotonic()


def _check_after_rest(dialect: Dialect, connection: Any, record: Any, _proxy: object) -> None:
    """Refuses a dead connection, and all others with it, so that nobody meets it.

    The driver knows of those that were closed; for others the server is asked, unless it has just answered.
    """
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError
    if monotonic() - record.info.get(USED_AT, monotonic()) < UNCHECKED_S_MAX:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        if dialect.is_disconnect(error, connection, None):
            raise InvalidatePoolError from error
        raise


def _register_halfvec(connection: Any, record: Any, _proxy: object) -> None:
    """Sets the codec once per connection; at checkout, since a connection may be older than the extension."""
    if not record.info.get(CODEC_SET):
        record.info[CODEC_SET] = connection.run_async(_set_halfvec_codec)


async def _set_halfvec_codec(connection: Any) -> bool:
    """Lets `halfvec` travel in pgvector's binary format; false without the extension."""
    schema = await connection.fetchval(
        "SELECT n.nspname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typname = 'halfvec'"
    )
    if schema is None:
        return False
    await connection.set_type_codec("halfvec", schema=schema, encoder=bytes, decoder=bytes, format="binary")
    return True
