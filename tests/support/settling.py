"""After a fault: waits until the service has caught up, then audits a ledger."""

from __future__ import annotations

import asyncio

import asyncpg
from sqlalchemy.engine import URL

from support.ledger import Figures, Ledger
from support.postgres import administrator
from support.service import Service, wait_until

# A query that still runs for a client that is gone may write yet.
BUSY = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
BACKLOG = "SELECT count(*) FROM outbox"
PARKED = "SELECT count(*) FROM outbox WHERE parked_at IS NOT NULL"


async def settled(database: URL, ledger: Ledger, *services: Service) -> Figures:
    """The figures, once the service says that it is ready and has nothing left to do."""
    for service in services:
        await asyncio.to_thread(wait_until, lambda service=service: service.probe("/ready")[0] == 200)
    async with administrator(database) as sql:
        await _none(sql, BUSY)
        await _none(sql, BACKLOG)
        return await ledger.audited(sql)


async def _none(sql: asyncpg.Connection, query: str) -> None:
    """The time limit of the whole test ends it, if nothing else does."""
    while await sql.fetchval(query):
        assert not await sql.fetchval(PARKED), "an entry of the outbox is given up"
        await asyncio.sleep(0.05)
