"""PostgreSQL crashes, or stands still, while clients write; it comes back, and so does the service by itself."""

import asyncio

from sqlalchemy.engine import URL

from support.breaking import BreakableServer, Serving
from support.load import Load
from support.settling import Audit


async def test_a_killed_postgresql_loses_doubles_and_halves_nothing(
    breakable: BreakableServer, breakable_url: URL, serving: Serving, writes: int, audited: Audit
) -> None:
    with serving(breakable_url, POOL_ACQUIRE_TIMEOUT_S=2) as service:
        load = Load(service.urls, writes)
        async with load.running():
            for share in (0.3, 0.6):
                await load.reached(share)
                await asyncio.to_thread(breakable.kill)
                await load.troubled(20, "UNAVAILABLE")
                await asyncio.to_thread(breakable.start)

        figures = await audited(breakable_url, load, service)

    assert figures.flawless
    assert figures.acknowledged >= writes


async def test_a_frozen_postgresql_is_answered_for_in_time_and_forgotten_when_it_is_back(
    breakable: BreakableServer, breakable_url: URL, serving: Serving, writes: int, audited: Audit
) -> None:
    with serving(breakable_url, REQUEST_TIMEOUT_S=2, POOL_ACQUIRE_TIMEOUT_S=1) as service:
        load = Load(service.urls, writes)
        async with load.running():
            await load.reached(0.4)
            await asyncio.to_thread(breakable.freeze)
            # every writer hears at least once, and hangs up on nobody: the load waits far longer
            await load.troubled(2 * load.writers)
            status, _ = await asyncio.to_thread(service.services[0].probe, "/ready")
            await asyncio.to_thread(breakable.thaw)

        figures = await audited(breakable_url, load, service)

    assert status == 503
    assert load.troubles["hung_up"] == 0
    assert figures.flawless
    assert figures.acknowledged >= writes
