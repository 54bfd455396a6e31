"""After a fault: waits until the service has caught up, then audits a ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import asyncpg
from sqlalchemy.engine import URL

from support.breaking import Replicas
from support.ledger import Figures
from support.load import Load
from support.milvus_server import MilvusServer
from support.postgres import administrator
from support.service import wait_until

Audit: TypeAlias = Callable[[URL, Load, Replicas], Awaitable[Figures]]  # `settled`, and the figures are kept

# A query that still runs for a client that is gone may write yet.
BUSY = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
BACKLOG = "SELECT count(*) FROM outbox"
LEASES_ENDED = "UPDATE outbox SET leased_until = now()"
PARKED = "SELECT count(*) FROM outbox WHERE parked_at IS NOT NULL"


async def settled(
    database: URL, load: Load, replicas: Replicas, milvus: MilvusServer, *, patient: bool
) -> Figures:
    """The figures, once the services say that they are ready and have nothing left to do.

    Without patience, what was leased to processes that died is due at once, as it would be half a minute later.
    """
    for service in replicas.living:
        await asyncio.to_thread(wait_until, lambda service=service: service.probe("/ready")[0] == 200)
    async with administrator(database) as sql:
        await _none(sql, BUSY, times=10)  # between two groups of writes there is nothing to be seen
        if not patient:
            await sql.execute(LEASES_ENDED)
        await _none(sql, BACKLOG)
        return await load.ledger.audited(sql, await asyncio.to_thread(milvus.vectors))


async def _none(sql: asyncpg.Connection, query: str, times: int = 1) -> None:
    """So many times in a row. The time limit of the whole test ends it, if nothing else does."""
    seen = 0
    while seen < times:
        seen = 0 if await sql.fetchval(query) else seen + 1
        assert not await sql.fetchval(PARKED), "an entry of the outbox is given up"
        await asyncio.sleep(0.02)
