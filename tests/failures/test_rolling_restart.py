"""Two replicas behind haproxy are restarted one after the other while clients read and write: none of them notices."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
from sqlalchemy.engine import URL

from support.breaking import Serving
from support.haproxy import haproxy
from support.load import Load
from support.settling import Audit

READERS = 4
READ = "{ remediationAudits(first: 5) { nodes { name } } remediationStats { count } }"


async def test_no_request_fails_while_replicas_are_restarted_in_turn(
    database_url: URL, serving: Serving, writes: int, audited: Audit
) -> None:
    with serving(database_url, number=2, DRAIN_S=2) as replicas:
        ports = [int(urlsplit(url).port or 0) for url in replicas.urls]
        with haproxy(ports) as proxy:
            load = Load([proxy], writes)
            async with load.running(), reading(proxy) as read:
                with load.going_on():
                    for number in range(2):
                        assert await asyncio.to_thread(replicas.end_and_start_again, number) == 0
                        await asyncio.sleep(1)  # the proxy asks twice a second
        figures = await audited(database_url, load, replicas)

    assert load.troubles.total() == 0
    assert read.keys() == {"200, with data"}
    assert figures.flawless
    assert figures.acknowledged >= writes


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[Counter[str]]:
    """Readers without pause; how often they were answered what."""
    answered: Counter[str] = Counter()

    async def read(http: httpx.AsyncClient) -> None:
        while True:
            try:
                answer = await http.post("/graphql", json={"query": READ})
            except httpx.TransportError as broken:
                answered[repr(broken)] += 1
            else:
                what = "with data" if answer.json().keys() == {"data"} else answer.text
                answered[f"{answer.status_code}, {what}"] += 1

    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
        readers = [asyncio.create_task(read(http)) for _ in range(READERS)]
        yield answered
        for reader in readers:
            reader.cancel()
        await asyncio.wait(readers)
