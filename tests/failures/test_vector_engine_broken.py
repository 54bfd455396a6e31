"""The second engine is gone, stands still or crawls while clients write: nobody notices, and in the end it has all."""

import asyncio

from sqlalchemy.engine import URL

from datastorage.services.vector_reconciliation import reconcile
from support.breaking import Serving
from support.load import Load
from support.milvus_server import MilvusServer
from support.second_engine import with_engine
from support.service import Service
from support.settling import Audit
from support.slow_link import slow_link

SIMILAR = """
{ similarIncidents(text: "memory was exhausted", first: 5, mode: VECTOR) { mode hits { similarity } } }
"""


async def test_while_the_engine_is_away_postgresql_serves_alone_and_then_both_hold_the_same(
    database_url: URL, serving: Serving, milvus: MilvusServer, writes: int, outage_s: float, audited: Audit
) -> None:
    with serving(database_url, VECTOR_ENGINE_TIMEOUT_S=20) as service:  # who is killed refuses at once
        load = Load(service.urls, writes)
        async with load.running():
            await is_in_mode(service.services[0], "DUAL")
            await load.reached(0.3)
            await asyncio.to_thread(milvus.kill)
            await is_in_mode(service.services[0], "POSTGRESQL_ONLY")
            await asyncio.gather(load.lasting(outage_s), load.reached(0.6))
            found = await asyncio.to_thread(service.services[0].ask, SIMILAR)
            await asyncio.to_thread(milvus.start)
        await is_in_mode(service.services[0], "DUAL")

        figures = await audited(database_url, load, service)
        said = service.services[0].said
    async with with_engine(database_url, milvus.url) as (deps, _):
        compared = await reconcile(deps, repair=False, progress=lambda _: None)

    assert [said.count(change) for change in ("vector_engine_lost", "vector_engine_back")] == [1, 1]
    assert len(found["data"]["similarIncidents"]["hits"]) == 5
    assert load.troubles.total() == 0
    assert figures.flawless
    assert figures.acknowledged >= writes
    assert compared.agree


async def test_a_frozen_engine_holds_up_no_write_and_catches_up_when_it_thaws(
    database_url: URL, serving: Serving, milvus: MilvusServer, writes: int, audited: Audit
) -> None:
    with serving(database_url, VECTOR_ENGINE_TIMEOUT_S=0.5) as service:
        load = Load(service.urls, writes)
        async with load.running():
            await is_in_mode(service.services[0], "DUAL")
            await load.reached(0.3)
            await asyncio.to_thread(milvus.freeze)
            await is_in_mode(service.services[0], "POSTGRESQL_ONLY")
            await load.reached(0.7)
            await asyncio.to_thread(milvus.thaw)
        await is_in_mode(service.services[0], "DUAL")

        figures = await audited(database_url, load, service)

    assert load.troubles.total() == 0
    assert figures.flawless
    assert figures.acknowledged >= writes


async def test_a_slow_engine_is_waited_for_by_nobody_and_put_out_of_use_when_it_is_too_slow(
    database_url: URL, serving: Serving, milvus: MilvusServer, writes: int, audited: Audit
) -> None:
    async with slow_link(milvus.port) as link:
        slow_url = f"milvus://127.0.0.1:{link.port}"
        with serving(database_url, VECTOR_ENGINE_URL=slow_url, VECTOR_ENGINE_TIMEOUT_S=2) as service:
            load = Load(service.urls, writes)
            async with load.running():
                await is_in_mode(service.services[0], "DUAL")
                await load.reached(0.2)
                link.delay_s = 0.2
                await load.reached(0.5)
                while_slow = await mode(service.services[0])
                link.delay_s = 30
                await is_in_mode(service.services[0], "POSTGRESQL_ONLY")
                await load.reached(0.8)
                link.delay_s = 0
            await is_in_mode(service.services[0], "DUAL")

            figures = await audited(database_url, load, service)

    assert while_slow == "DUAL"
    assert load.troubles.total() == 0
    assert figures.flawless
    assert figures.acknowledged >= writes


async def mode(service: Service) -> str:
    """Where vectors are kept and searched, as the service tells its administrators."""
    answer = await asyncio.to_thread(service.ask, "{ systemStatus { mode } }")
    return answer["data"]["systemStatus"]["mode"]


async def is_in_mode(service: Service, expected: str) -> None:
    """Waits until it is. The time limit of the whole test ends it, if nothing else does."""
    while await mode(service) != expected:  # noqa: ASYNC110 - it is another process that changes
        await asyncio.sleep(0.1)
