"""Nothing is lost when embedding fails: texts without a vector get one, once, whoever is at it and whatever dies."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import pytest
from prometheus_client import Gauge
from sqlalchemy.engine import URL

from datastorage import limits
from datastorage.app import dependencies
from datastorage.domain.analysis import ANALYSIS
from datastorage.domain.caller import OPERATOR
from datastorage.domain.enums import Similarity
from datastorage.domain.remediation import REMEDIATION
from datastorage.domain.selection import Selection
from datastorage.embedding import MemoryCache, Vector
from datastorage.errors import EmbeddingFailed
from datastorage.observability.metrics import (
    EMBEDDING_BACKFILL_FAILURES,
    EMBEDDING_BACKFILLED,
    EMBEDDING_BACKLOG,
    EMBEDDING_PARKED,
)
from datastorage.resilience import CircuitBreaker, CircuitName
from datastorage.services import embedding_worker
from datastorage.services.delete_remediations import delete_remediations
from datastorage.services.dependencies import Dependencies
from datastorage.services.embedding_backfill import Backfill, Round
from datastorage.services.embedding_worker import backfilling
from datastorage.services.incident_text import incident_text
from datastorage.services.records import create_record, create_records
from datastorage.services.unit_of_work import unit_of_work
from datastorage.settings import ProviderKind, Settings
from support.embedding_server import DIMENSIONS, KEY, MODEL, EmbeddingServer, Manner
from support.records import remediation_row

WITHOUT_VECTOR = """
SELECT count(*) FROM remediation_audit r
WHERE NOT EXISTS (SELECT FROM incident_embedding e WHERE e.content_hash = r.content_hash)
"""
TRIED_IN_VAIN = "SELECT (count(*) > 0)::int FROM outbox WHERE attempts > 0 AND leased_until IS NULL"


@pytest.fixture(scope="module")
def the_endpoint() -> Iterator[EmbeddingServer]:
    server = EmbeddingServer().start()
    yield server
    server.kill()


@pytest.fixture
def endpoint(the_endpoint: EmbeddingServer) -> EmbeddingServer:
    the_endpoint.answer(Manner.RIGHTLY)
    return the_endpoint


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding_worker, "BACKFILL_POLL_S", 0.05)


def settings_for(endpoint: EmbeddingServer) -> Settings:
    return Settings(
        _env_file=None,
        pool_size=24,
        embedding_provider=ProviderKind.OPENAI,
        embedding_url=endpoint.url,
        embedding_model=MODEL,
        embedding_dimensions=DIMENSIONS,
        embedding_api_key=KEY,
        embedding_timeout_s=0.5,
    )


@asynccontextmanager
async def on_endpoint(url: URL, endpoint: EmbeddingServer) -> AsyncIterator[Dependencies]:
    """The parts of one replica, whose breaker lets the provider be tried again at once."""
    async with dependencies(url, settings_for(endpoint)) as deps:
        deps.embedder._guarded._breaker = CircuitBreaker(CircuitName.EMBEDDING, open_s=0)
        yield deps


@pytest.fixture
async def remote(database_url: URL, endpoint: EmbeddingServer) -> AsyncIterator[Dependencies]:
    async with on_endpoint(database_url, endpoint) as deps:
        yield deps


async def store(deps: Dependencies, number: int, summary: str) -> Similarity:
    row = remediation_row(remediation_request_id=f"rr-{number}", metadata={"summary": summary})
    return (await create_record(deps, OPERATOR, REMEDIATION, row)).receipt.similarity


async def store_many(deps: Dependencies, count: int) -> set[Similarity]:
    rows = [
        remediation_row(remediation_request_id=f"rr-{number}", metadata={"summary": word(number)})
        for number in range(count)
    ]
    done = await create_records(deps, OPERATOR, REMEDIATION, rows)
    return {written.receipt.similarity for written in done}


def word(number: int) -> str:
    """A headline that no masking makes equal to another."""
    return "trouble " + "".join(chr(ord("a") + int(digit)) for digit in str(number))


def fail_every_other_call(deps: Dependencies) -> None:
    """Has the provider of one replica fail by turns, so that many writes leave their text over."""
    provider, calls = deps.embedder.provider, itertools.count()
    ask = provider.embed

    async def embed(texts: list[str]) -> list[Vector]:
        if next(calls) % 2:
            raise EmbeddingFailed("this time it fails")
        return await ask(texts)

    provider.embed = embed  # type: ignore[method-assign]
    deps.embedder._cache = NoCache()


class NoCache(MemoryCache):
    """Has every text asked for anew."""

    async def put_many(self, vectors: Mapping[bytes, Vector]) -> None:
        """Forgets them."""


async def entries(sql: asyncpg.Connection) -> int:
    return await sql.fetchval("SELECT count(*) FROM outbox")


async def until(sql: asyncpg.Connection, query: str, wanted: Any) -> None:
    """Waits until the query gives this."""
    async with asyncio.timeout(60):
        while await sql.fetchval(query) != wanted:  # noqa: ASYNC110 -- another process would set no event
            await asyncio.sleep(0.02)


async def until_shown(gauge: Gauge, wanted: float) -> None:
    """Waits until a gauge shows this."""
    async with asyncio.timeout(60):
        while gauge._value.get() != wanted:  # noqa: ASYNC110 -- nor does a gauge
            await asyncio.sleep(0.02)


async def make_due(sql: asyncpg.Connection) -> None:
    """As if hours had passed."""
    await sql.execute(
        "UPDATE outbox SET not_before = not_before - interval '1 hour', leased_until = leased_until - interval '9 hours'"
    )


def asked(endpoint: EmbeddingServer, since: int = 0) -> list[str]:
    return [text for call in endpoint.asked()[since:] for text in call["input"]]


# --- the provider comes back


async def test_the_backlog_drains_to_zero_once_the_provider_is_back(
    remote: Dependencies, endpoint: EmbeddingServer, sql: asyncpg.Connection
) -> None:
    stored, failed = EMBEDDING_BACKFILLED._value.get(), EMBEDDING_BACKFILL_FAILURES._value.get()
    endpoint.kill()
    similarity = await store_many(remote, 100)
    before = await entries(sql)

    async with backfilling(remote):
        await until(sql, TRIED_IN_VAIN, 1)
        endpoint.start()
        await make_due(sql)
        await until(sql, "SELECT count(*) FROM outbox", 0)
        await until_shown(EMBEDDING_BACKLOG, 0)

    assert (similarity, before) == ({Similarity.PENDING}, 100)
    assert await sql.fetchval(WITHOUT_VECTOR) == 0
    assert await sql.fetchval("SELECT count(*) FROM incident_embedding") == 100
    assert EMBEDDING_BACKFILLED._value.get() - stored == 100
    assert EMBEDDING_BACKFILL_FAILURES._value.get() > failed


async def test_a_write_that_rolls_back_leaves_no_entry(remote: Dependencies, sql: asyncpg.Connection) -> None:
    async with unit_of_work(remote, OPERATOR) as work:
        work.leave_over({b"x" * 32})

    assert (await entries(sql), remote.left_over.is_set()) == (0, False)


async def test_texts_that_no_entry_tells_of_are_found(
    remote: Dependencies, deps: Dependencies, sql: asyncpg.Connection
) -> None:
    await store_many(deps, 40)  # with another model
    async with backfilling(remote):
        await until(sql, "SELECT count(*) FROM incident_embedding", 80)
        await until(sql, "SELECT count(*) FROM outbox", 0)

    models = await sql.fetch("SELECT model, count(*) FROM incident_embedding GROUP BY model ORDER BY model")
    assert models == [(remote.embedder.model, 40), (deps.embedder.model, 40)]


async def test_entries_of_another_model_are_left_alone(
    remote: Dependencies, deps: Dependencies, endpoint: EmbeddingServer, sql: asyncpg.Connection
) -> None:
    endpoint.answer(Manner.BROKEN)
    await store(remote, 1, "disk full")
    other = Backfill(deps)

    rounds = [await other.find(), await other.round(), await other.round()]

    assert rounds == [1, Round(leased=1, settled=1), Round()]
    assert await sql.fetch("SELECT model FROM outbox") == [(remote.embedder.model,)]


# --- what is written at the same time


async def test_many_analyses_of_one_remediation_at_once_end_with_its_vector(
    deps: Dependencies, sql: asyncpg.Connection
) -> None:
    await store(deps, 1, "disk full")

    async def analyse(number: int) -> Similarity:
        row = {
            "analysis_id": f"an-{number}",
            "remediation_request_id": "rr-1",
            "provider": "anthropic",
            "model": "claude",
            "confidence_score": 0.9,
            "tokens_used": 10,
            "analysis_duration_ms": 20,
            "root_cause": f"cause of {word(number)}",
        }
        return (await create_record(deps, OPERATOR, ANALYSIS, row)).receipt.similarity

    async with backfilling(deps):
        told = await asyncio.gather(*(analyse(number) for number in range(16)))
        await until(sql, WITHOUT_VECTOR, 0)
        await until(sql, "SELECT count(*) FROM outbox", 0)

    assert Similarity.PENDING in told  # else this test shows nothing
    current = await sql.fetchval("SELECT content_hash FROM remediation_audit")
    assert await sql.fetchval("SELECT count(*) FROM incident_embedding WHERE content_hash = $1", current) == 1


async def test_a_vector_that_nobody_needs_any_more_is_not_stored(
    remote: Dependencies, endpoint: EmbeddingServer, sql: asyncpg.Connection
) -> None:
    endpoint.answer(Manner.BROKEN)
    await store(remote, 1, "disk full")
    endpoint.answer(Manner.RIGHTLY)
    backfill = Backfill(remote)
    leased = await backfill._lease()
    texts = await backfill._texts(leased)
    vectors = await remote.embedder.vectors(texts.current)

    async for _ in delete_remediations(remote, OPERATOR, Selection(request_ids=("rr-1",))):
        pass
    stored = await backfill._store(vectors)
    await backfill._settle(leased, {}, ())

    assert (len(vectors), stored) == (1, set())
    assert await sql.fetchval("SELECT count(*) FROM incident_embedding") == 0
    assert await entries(sql) == 0


async def test_a_delete_that_is_under_way_keeps_the_vector_out_and_its_rollback_lets_it_in(
    remote: Dependencies, endpoint: EmbeddingServer, sql: asyncpg.Connection
) -> None:
    endpoint.answer(Manner.BROKEN)
    await store(remote, 1, "disk full")
    endpoint.answer(Manner.RIGHTLY)
    backfill = Backfill(remote)
    await make_due(sql)

    deletion = sql.transaction()
    await deletion.start()
    await sql.execute("DELETE FROM remediation_audit")
    during = await backfill.round()
    await deletion.rollback()
    await make_due(sql)
    after = await backfill.round()

    assert (during, during.busy) == (Round(leased=1), 1)
    assert after == Round(leased=1, settled=1)
    assert await sql.fetchval(WITHOUT_VECTOR) == 0


async def test_a_worker_gives_way_to_a_writer_that_stores_the_same_vector(
    remote: Dependencies, endpoint: EmbeddingServer, sql: asyncpg.Connection
) -> None:
    endpoint.answer(Manner.BROKEN)
    await store(remote, 1, "disk full")
    endpoint.answer(Manner.RIGHTLY)
    backfill = Backfill(remote)
    await make_due(sql)

    writing = sql.transaction()
    await writing.start()
    await sql.execute(
        "INSERT INTO incident_embedding SELECT content_hash, $1, '[1,0,0,0,0,0,0,0]' FROM remediation_audit",
        remote.embedder.model,
    )
    during = await backfill.round()
    await writing.rollback()
    await make_due(sql)
    after = await backfill.round()

    assert (during, during.busy) == (Round(leased=1), 1)
    assert after == Round(leased=1, settled=1)


async def test_an_entry_stays_while_a_write_that_relies_on_it_is_under_way(
    remote: Dependencies, endpoint: EmbeddingServer, sql: asyncpg.Connection
) -> None:
    endpoint.answer(Manner.BROKEN)
    await store(remote, 1, "disk full")
    (content_hash,) = await sql.fetchrow("SELECT content_hash FROM outbox")

    async with unit_of_work(remote, OPERATOR) as work:
        await work.outbox.put({content_hash})  # as the next incident of this text would
        async for _ in delete_remediations(remote, OPERATOR, Selection(request_ids=("rr-1",))):
            pass
        await work.commit()

    assert await entries(sql) == 1


async def test_a_text_of_an_earlier_release_gets_the_hash_of_this_one(
    remote: Dependencies, endpoint: EmbeddingServer, sql: asyncpg.Connection
) -> None:
    endpoint.answer(Manner.BROKEN)
    await store(remote, 1, "disk full")
    await sql.execute("UPDATE remediation_audit SET content_hash = sha256('as it was made earlier')")
    endpoint.answer(Manner.RIGHTLY)
    backfill = Backfill(remote)
    await backfill.find()
    await make_due(sql)

    while await entries(sql):
        await backfill.round()
        await make_due(sql)

    draft = REMEDIATION.parse(
        remediation_row(remediation_request_id="rr-1", metadata={"summary": "disk full"})
    )
    assert await sql.fetch("SELECT content_hash FROM incident_embedding") == [(incident_text(draft).hash,)]
    assert await sql.fetchval(WITHOUT_VECTOR) == 0


# --- texts that no vector can be had of


async def test_a_text_that_is_refused_is_parked_and_the_others_are_embedded(
    remote: Dependencies, endpoint: EmbeddingServer, sql: asyncpg.Connection
) -> None:
    endpoint.kill()
    await store_many(remote, 10)
    await store(remote, 11, "long " * 100)
    endpoint.start()
    endpoint.answer(Manner.PICKY)

    async with backfilling(remote):
        await make_due(sql)
        await until(sql, "SELECT count(*) FROM outbox WHERE parked_at IS NULL", 0)
        await until_shown(EMBEDDING_PARKED, 1)
    again = await Backfill(remote).round()

    assert again == Round()  # not for ever
    assert await sql.fetchval("SELECT count(*) FROM incident_embedding") == 10
    fault = await sql.fetchval("SELECT fault FROM outbox")
    assert fault.startswith("the endpoint answered 413 Request Entity Too Large: too long")
    assert KEY not in fault


async def test_a_text_at_which_the_provider_fails_does_not_hold_up_the_others(
    remote: Dependencies, endpoint: EmbeddingServer, sql: asyncpg.Connection
) -> None:
    endpoint.kill()
    await store_many(remote, 20)
    await store(remote, 21, "poison")
    endpoint.start()
    provider = remote.embedder.provider
    ask = provider.embed

    async def embed(texts: list[str]) -> list[Any]:
        if any("poison" in text for text in texts):
            endpoint.answer(Manner.BROKEN, times=4)
        return await ask(texts)

    provider.embed = embed  # type: ignore[method-assign]
    backfill = Backfill(remote)
    for _ in range(40):
        await make_due(sql)
        await backfill.round()

    assert await sql.fetchval("SELECT count(*) FROM incident_embedding") == 20
    assert await sql.fetchval("SELECT count(*) FROM outbox") == 1


# --- many workers


async def test_workers_of_two_replicas_embed_each_text_once(
    database_url: URL, endpoint: EmbeddingServer, sql: asyncpg.Connection
) -> None:
    async with AsyncExitStack() as stack:
        replicas = [await stack.enter_async_context(on_endpoint(database_url, endpoint)) for _ in range(2)]
        endpoint.kill()
        await store_many(replicas[0], 300)
        endpoint.start()
        await make_due(sql)
        for replica in replicas:
            await stack.enter_async_context(backfilling(replica))
        await until(sql, "SELECT count(*) FROM outbox", 0)

    texts = asked(endpoint)
    assert len(texts) == len(set(texts)) == 300
    assert await sql.fetchval("SELECT count(*) FROM incident_embedding") == 300


async def test_writers_deletes_and_two_workers_at_once_end_with_a_vector_of_each_text_and_no_other(
    database_url: URL, endpoint: EmbeddingServer, sql: asyncpg.Connection
) -> None:
    async with AsyncExitStack() as stack:
        first, second = [
            await stack.enter_async_context(on_endpoint(database_url, endpoint)) for _ in range(2)
        ]
        for deps in (first, second):
            fail_every_other_call(deps)
            await stack.enter_async_context(backfilling(deps))

        async def write(deps: Dependencies, writer: int) -> None:
            for number in range(30):
                key, shared = writer * 100 + number, word(number % 7)  # texts that many incidents share
                await store(deps, key, shared)
                if number % 2:
                    async for _ in delete_remediations(deps, OPERATOR, Selection(request_ids=(f"rr-{key}",))):
                        pass

        await asyncio.gather(*(write(deps, n) for n, deps in enumerate([first, second, first, second])))
        await make_due(sql)
        await until(sql, WITHOUT_VECTOR, 0)
        await until(sql, "SELECT count(*) FROM outbox", 0)

    unused = "SELECT count(*) FROM incident_embedding LEFT JOIN remediation_audit USING (content_hash) WHERE id IS NULL"
    assert await sql.fetchval("SELECT count(*) FROM remediation_audit") == 4 * 15
    assert await sql.fetchval(unused) == 0


async def test_what_a_dead_worker_had_leased_is_taken_over_when_the_lease_ends(
    remote: Dependencies, endpoint: EmbeddingServer, sql: asyncpg.Connection
) -> None:
    endpoint.answer(Manner.BROKEN)
    await store_many(remote, 5)
    endpoint.answer(Manner.RIGHTLY)
    await make_due(sql)
    leased = await Backfill(remote)._lease()  # and then nothing is heard of it

    at_once = await Backfill(remote).round()
    await make_due(sql)
    later = await Backfill(remote).round()

    assert (len(leased), at_once, later) == (5, Round(), Round(leased=5, settled=5))


async def test_without_a_provider_nothing_waits(database_url: URL, sql: asyncpg.Connection) -> None:
    settings = Settings(_env_file=None, pool_size=9, embedding_provider=ProviderKind.NONE)
    async with dependencies(database_url, settings) as deps, backfilling(deps):
        assert await store(deps, 1, "disk full") is Similarity.DISABLED

    assert await entries(sql) == 0


def test_a_worker_gives_way_before_postgresql_looks_for_deadlocks() -> None:
    assert limits.BACKFILL_LOCK_TIMEOUT_MS < 1_000
