"""PostgreSQL gives transactions up, in deadlocks and for the sake of an order: the service does them again."""

import asyncio

import asyncpg
from sqlalchemy.engine import URL

from support.breaking import BreakableServer, Serving
from support.load import Load
from support.postgres import administrator
from support.settling import Audit

DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
NOT_SERIALIZED = "could not serialize access"
NEWEST_CHANGED = """
UPDATE remediation_audit SET environment = environment
WHERE id IN (SELECT id FROM remediation_audit ORDER BY id DESC LIMIT 50)
"""
WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'remediation_event'::regclass"


async def test_deadlocks_are_resolved_without_any_client_noticing(
    breakable: BreakableServer, breakable_url: URL, serving: Serving, writes: int, audited: Audit
) -> None:
    with serving(breakable_url) as service:
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
        figures = await audited(breakable_url, load, service)

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


async def test_what_could_not_be_serialized_is_done_again(
    breakable: BreakableServer, breakable_url: URL, serving: Serving, writes: int, audited: Audit
) -> None:
    async with administrator(breakable_url) as sql:
        await sql.execute(
            f"ALTER DATABASE \"{breakable_url.database}\" SET default_transaction_isolation = 'serializable'"
        )
    said_before = breakable.log.count(NOT_SERIALIZED)
    with serving(breakable_url) as service:
        load = Load(service.urls, writes)
        async with load.running(), administrator(breakable_url) as sql:
            for share in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
                await load.reached(share)
                await _change_the_newest(sql)

        figures = await audited(breakable_url, load, service)

    assert breakable.log.count(NOT_SERIALIZED) > said_before
    assert figures.flawless
    assert figures.acknowledged >= writes


async def _change_the_newest(sql: asyncpg.Connection) -> None:
    """What writers are about to change as well, held for long enough to be in their way."""
    async with sql.transaction(isolation="read_committed"):  # which is never the one to give up
        await sql.execute(NEWEST_CHANGED)
        await asyncio.sleep(0.1)
