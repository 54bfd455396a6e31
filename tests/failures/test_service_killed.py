"""The service ends without warning while clients write: alone, and as one of two."""

import asyncio
from collections.abc import Callable

from sqlalchemy.engine import URL

from support.breaking import replicas
from support.ledger import Figures
from support.load import Load
from support.settling import settled

Record = Callable[[Figures, int], Figures]


async def test_a_killed_service_loses_doubles_and_halves_nothing(
    database_url: URL, writes: int, recorded: Record
) -> None:
    with replicas(database_url) as service:
        load = Load(service.urls, writes)
        async with load.running():
            for share in (0.3, 0.6):
                await load.reached(share)
                service.kill()
                await load.troubled(5, "connection")
                await asyncio.to_thread(service.start_again)

        figures = recorded(await settled(database_url, load.ledger, *service.services), load.troubles.total())

    assert figures.flawless
    assert figures.acknowledged >= writes


async def test_one_of_two_replicas_is_killed_and_the_other_takes_all_writes(
    database_url: URL, writes: int, recorded: Record
) -> None:
    with replicas(database_url, number=2) as both:
        load = Load(both.urls, writes)
        async with load.running():
            await load.reached(0.4)
            both.kill(1)
            await load.troubled(5, "connection")

        figures = recorded(await settled(database_url, load.ledger, both.services[0]), load.troubles.total())

    assert figures.flawless
    assert figures.acknowledged >= writes
