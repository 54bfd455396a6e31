"""PostgreSQL gives transactions up, in deadlocks and for the sake of an order: the service does them again."""

import asyncio
from collections.abc import Callable

import asyncpg
from sqlalchemy.engine import URL

from support.breaking import BreakableServer, replicas
from support.ledger import Figures
from support.load import Load
from support.postgres import administrator
from support.settling import settled

Record = Callable[[Figures, int], Figures]
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'remediation_event'::regclass"


async def test_deadlocks_are_resolved_without_any_client_noticing(
    breakable: BreakableServer, breakable_url: URL, writes: int, recorded: Record
) -> None:
    with replicas(breakable_url) as service:
        load = Load(service.urls, writes)
        async with load.running(), administrator(breakable_url) as sql:
            await sql.execute(
                "SET deadlock_timeout = '5s'"
            )  # the others are looked at first, and are the victims
            for share in (0.2, 0.4, 0.6):
                await load.reached(share)
                await _cross(sql)

        async with administrator(breakable_url) as sql:
            deadlocks = await sql.fetchval(DEADLOCKS)
        figures = recorded(
            await settled(breakable_url, load.ledger, *service.services), load.troubles.total()
        )

    assert deadlocks >= 3
    assert load.troubles.total() == 0
    assert figures.flawless
    assert figures.acknowledged >= writes


async def _cross(sql: asyncpg.Connection) -> None:
    """Takes the tables in the other order than writers do, in the midst of a writer's transaction."""
    async with sql.transaction():
        await sql.execute("LOCK TABLE remediation_event")
        while not await sql.fetchval(WAITS):  # noqa: ASYNC110 - the event is the server's
            await asyncio.sleep(0.01)
        await sql.execute("LOCK TABLE remediation_audit")


async def test_where_transactions_are_serializable_failures_are_repeated(
    breakable: BreakableServer, breakable_url: URL, writes: int, recorded: Record
) -> None:
    async with administrator(breakable_url) as sql:
        await sql.execute(
            f"ALTER DATABASE \"{breakable_url.database}\" SET default_transaction_isolation = 'serializable'"
        )
    with replicas(breakable_url) as service:
        load = Load(service.urls, writes)
        async with load.running():
            await load.reached(1)

        figures = recorded(
            await settled(breakable_url, load.ledger, *service.services), load.troubles.total()
        )

    assert figures.flawless
    assert figures.acknowledged >= writes
