"""The service ends without warning while clients write: alone, and as one of two."""

import asyncio

from sqlalchemy.engine import URL

from support.breaking import Serving
from support.load import Load
from support.settling import Audit


async def test_a_killed_service_loses_doubles_and_halves_nothing(
    database_url: URL, serving: Serving, writes: int, audited: Audit
) -> None:
    with serving(database_url) as service:
        load = Load(service.urls, writes)
        async with load.running():
            for share in (0.3, 0.6):
                await load.reached(share)
                service.kill()
                await load.troubled(5, "connection")
                await asyncio.to_thread(service.start_again)

        figures = await audited(database_url, load, service)

    assert figures.flawless
    assert figures.acknowledged >= writes


async def test_one_of_two_replicas_is_killed_and_the_other_takes_all_writes(
    database_url: URL, serving: Serving, writes: int, audited: Audit
) -> None:
    with serving(database_url, number=2) as both:
        load = Load(both.urls, writes)
        async with load.running():
            await load.reached(0.4)
            both.kill(1)
            await load.troubled(5, "connection")

        figures = await audited(database_url, load, both)

    assert figures.flawless
    assert figures.acknowledged >= writes
