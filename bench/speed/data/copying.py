"""Rows into PostgreSQL by COPY, in binary."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import asyncpg
import orjson

JSONB_VERSION = b"\x01"


async def set_codecs(connection: asyncpg.Connection) -> None:
    """COPY takes binary values only, so each type of ours says how it is written."""
    schema = await connection.fetchval(
        "SELECT typnamespace::regnamespace::text FROM pg_type WHERE typname = 'halfvec'"
    )
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: JSONB_VERSION + orjson.dumps(value),
        decoder=lambda data: orjson.loads(data[1:]),
        format="binary",
    )
    for name in ("halfvec", "sparsevec"):
        await connection.set_type_codec(name, schema=schema, encoder=bytes, decoder=bytes, format="binary")


async def copy(connection: asyncpg.Connection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    """Rows of the same columns."""
    held = list(rows)
    if held:
        columns = list(held[0])
        await connection.copy_records_to_table(
            table, columns=columns, records=[[row[name] for name in columns] for row in held]
        )
