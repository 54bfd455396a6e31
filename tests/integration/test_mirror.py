"""The second engine ends up with the vectors that PostgreSQL has, whatever fails and whoever delivers."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import numpy as np
import pytest
from sqlalchemy.engine import URL

from datastorage.app import dependencies
from datastorage.domain.caller import OPERATOR
from datastorage.domain.enums import OutboxKind, Similarity
from datastorage.domain.remediation import REMEDIATION
from datastorage.domain.selection import Selection
from datastorage.embedding import Vector
from datastorage.errors import EngineUnavailable
from datastorage.observability.metrics import DUALWRITE_FAILURE, FALLBACK, OUTBOX_AGE, OUTBOX_DEPTH
from datastorage.resilience import CircuitBreaker, CircuitName
from datastorage.services import mirror_worker, outbox_state
from datastorage.services.delete_remediations import delete_remediations
from datastorage.services.dependencies import Dependencies
from datastorage.services.embedding_backfill import Backfill
from datastorage.services.mirror_worker import mirroring
from datastorage.services.mirroring.entries import enter_mirrored
from datastorage.services.mirroring.mirror import Delivery, Mirror
from datastorage.services.outbox_state import retry
from datastorage.services.records import RecordKey, create_records, update_record
from datastorage.services.second_engine import SecondEngine
from datastorage.services.second_engine_probe import probing_second_engine
from datastorage.services.unit_of_work import unit_of_work
from datastorage.services.unused_vectors import remove_unused_vectors
from datastorage.settings import Settings
from datastorage.vector_engine.milvus import MilvusEngine
from datastorage.vector_engine.milvus_address import MilvusAddress
from support.milvus_server import MilvusServer
from support.records import remediation_row

TIMEOUT_S = 2.0


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror_worker, "MIRROR_POLL_S", 0.05)


@asynccontextmanager
async def beside(deps: Dependencies, milvus: MilvusServer) -> AsyncIterator[Dependencies]:
    """These parts with that engine, which is given up at its first failure and may be tried again at once."""
    breaker = CircuitBreaker(CircuitName.VECTOR_ENGINE, failures_max=1, open_s=0)
    second = SecondEngine(MilvusEngine(MilvusAddress.parsed(milvus.url), TIMEOUT_S), breaker)
    await prepare(deps, second)
    yield dataclasses.replace(deps, second=second)
    await second.close()


async def prepare(deps: Dependencies, second: SecondEngine) -> None:
    """As the prober would."""
    async with asyncio.timeout(60):
        while not second.available:
            try:
                await second.prepare(deps.embedder.model, deps.embedder.provider.dimensions)
            except EngineUnavailable:
                await asyncio.sleep(0.1)


@pytest.fixture
async def dual(deps: Dependencies, milvus: MilvusServer) -> AsyncIterator[Dependencies]:
    async with beside(deps, milvus) as dual:
        yield dual


def word(number: int) -> str:
    """A headline that no masking makes equal to another."""
    return "trouble " + "".join(chr(ord("a") + int(digit)) for digit in str(number))


async def store(deps: Dependencies, *numbers: int) -> set[Similarity]:
    rows = [
        remediation_row(remediation_request_id=f"rr-{number}", metadata={"summary": word(number)})
        for number in numbers
    ]
    done = await create_records(deps, OPERATOR, REMEDIATION, rows)
    return {written.receipt.similarity for written in done}


async def delete(deps: Dependencies, *numbers: int) -> None:
    request_ids = tuple(f"rr-{number}" for number in numbers)
    async for _ in delete_remediations(deps, OPERATOR, Selection(request_ids=request_ids)):
        pass


async def in_postgresql(sql: asyncpg.Connection) -> set[bytes]:
    return {row[0] for row in await sql.fetch("SELECT content_hash FROM incident_embedding")}


async def in_engine(deps: Dependencies) -> set[bytes]:
    return set(await deps.second.page(deps.embedder.model, b"", 10_000))


async def entries(sql: asyncpg.Connection) -> list[Any]:
    return await sql.fetch("SELECT content_hash, leased_until > now() AS leased, fault FROM outbox")


async def until_delivered(sql: asyncpg.Connection) -> None:
    async with asyncio.timeout(60):
        while await sql.fetchval("SELECT count(*) FROM outbox WHERE parked_at IS NULL"):  # noqa: ASYNC110 -- another process would set no event
            await asyncio.sleep(0.02)


async def make_due(sql: asyncpg.Connection) -> None:
    """As if an hour had passed."""
    await sql.execute(
        "UPDATE outbox SET not_before = now() - interval '1 hour', leased_until = now() - interval '1 hour'"
    )


async def deliver(deps: Dependencies, sql: asyncpg.Connection, mirror: Mirror | None = None) -> Delivery:
    """What is there, as the worker would some time."""
    mirror = mirror or Mirror(deps)
    await make_due(sql)
    return await mirror.deliver(await mirror.lease())


# --- what reaches the engine


async def test_what_is_written_reaches_the_engine_and_leaves_no_entry(
    dual: Dependencies, sql: asyncpg.Connection
) -> None:
    async with mirroring(dual):
        told = await asyncio.gather(*(store(dual, 10 * n, 10 * n + 1) for n in range(20)))
        await until_delivered(sql)

    assert {similarity for each in told for similarity in each} == {Similarity.INDEXED}
    assert len(await in_engine(dual)) == 40
    assert await in_engine(dual) == await in_postgresql(sql)


async def test_the_engine_has_the_very_vectors_of_postgresql(
    dual: Dependencies, sql: asyncpg.Connection
) -> None:
    await store(dual, 1)
    await deliver(dual, sql)

    ((content_hash, vector),) = (await dual.second.page(dual.embedder.model, b"", 10)).items()
    stored = await sql.fetchval(
        "SELECT vector::vector::real[] FROM incident_embedding WHERE content_hash = $1", content_hash
    )
    np.testing.assert_allclose(vector, np.asarray(stored, np.float32), atol=1e-6)


async def test_without_a_second_engine_there_are_no_entries(
    deps: Dependencies, sql: asyncpg.Connection
) -> None:
    async with mirroring(deps):
        await store(deps, 1)
        await delete(deps, 1)

    assert await entries(sql) == []


async def test_a_write_that_rolls_back_leaves_no_entry(dual: Dependencies, sql: asyncpg.Connection) -> None:
    async with mirroring(dual), unit_of_work(dual, OPERATOR) as work:
        await work.embeddings.add_many({b"x" * 32: np.ones(256, np.float32) / 16})

    assert (await entries(sql), await in_engine(dual)) == ([], set())


async def test_a_changed_text_and_a_backfilled_one_reach_the_engine(
    dual: Dependencies, sql: asyncpg.Connection
) -> None:
    await store(dual, 1, 2)
    await sql.execute("DELETE FROM outbox")
    await sql.execute("DELETE FROM incident_embedding")
    async with mirroring(dual):
        await update_record(
            dual, OPERATOR, REMEDIATION, RecordKey(key="rr-1"), {"error_message": "no space left"}, 1
        )
        backfill = Backfill(dual)
        await backfill.find()
        await backfill.round()
        await until_delivered(sql)

    assert len(await in_engine(dual)) == 2
    assert await in_engine(dual) == await in_postgresql(sql)


async def test_what_is_deleted_leaves_the_engine(dual: Dependencies, sql: asyncpg.Connection) -> None:
    async with mirroring(dual):
        await store(dual, 1, 2, 3)
        await until_delivered(sql)
        await delete(dual, 1)
        await sql.execute("DELETE FROM remediation_audit WHERE remediation_request_id = 'rr-2'")
        await remove_unused_vectors(dual)
        await until_delivered(sql)

    assert len(await in_engine(dual)) == 1
    assert await in_engine(dual) == await in_postgresql(sql)


# --- the engine is down


async def test_writes_go_on_without_the_engine_and_reach_it_when_it_is_back(
    dual: Dependencies, milvus: MilvusServer, sql: asyncpg.Connection
) -> None:
    async with mirroring(dual):
        await store(dual, 1)
        await until_delivered(sql)
        milvus.kill()
        with pytest.raises(EngineUnavailable):
            await in_engine(dual)
        served_alone = FALLBACK._value.get()

        told = await store(dual, *range(2, 40))
        waiting = await entries(sql)
        await outbox_state.show(dual)
        shown = [metric.labels(OutboxKind.MIRROR)._value.get() for metric in (OUTBOX_DEPTH, OUTBOX_AGE)]
        served_alone = FALLBACK._value.get() - served_alone

        milvus.start()
        async with probing_second_engine(dual):  # its connection may take more than one try
            await until_delivered(sql)

    assert (told, served_alone) == ({Similarity.INDEXED}, 1)
    assert [(row["leased"], row["fault"]) for row in waiting] == [(None, None)] * 38
    assert (shown[0], shown[1] > 0) == (38, True)
    assert len(await in_engine(dual)) == 39
    assert await in_engine(dual) == await in_postgresql(sql)


async def test_a_delivery_that_fails_is_counted_and_due_when_the_engine_is_back(
    dual: Dependencies, milvus: MilvusServer, sql: asyncpg.Connection
) -> None:
    failures = DUALWRITE_FAILURE.labels("vectordb_failure")
    before = failures._value.get()
    await store(dual, 1)  # nobody delivers yet
    milvus.freeze()
    in_vain = await deliver(dual, sql)
    milvus.thaw()
    await prepare(dual, dual.second)
    mirror = Mirror(dual)
    done = await mirror.deliver(await mirror.lease())

    assert (in_vain, failures._value.get() - before) == (Delivery(1, failed=1), 1)
    assert done == Delivery(1, settled=1)
    assert await entries(sql) == []


async def test_entries_of_a_writer_that_died_are_delivered_when_its_lease_has_ended(
    dual: Dependencies, sql: asyncpg.Connection
) -> None:
    dual.deliveries.open = True  # as if a worker ran
    await store(dual, 1)
    dual.deliveries.open = False
    (left,) = await entries(sql)
    mirror = Mirror(dual)

    assert left["leased"] is True
    assert await mirror.lease() == []
    assert await deliver(dual, sql) == Delivery(1, settled=1)


# --- PostgreSQL changes meanwhile


class Meddled:
    """An engine on which something happens just after it has kept vectors, or before."""

    def __init__(self, second: SecondEngine, after: Any) -> None:
        self._second, self._after = second, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._second, name)

    async def upsert(self, model: str, vectors: Mapping[bytes, Vector]) -> None:
        await self._second.upsert(model, vectors)
        await self._after()

    async def delete(self, model: str, hashes: Iterable[bytes]) -> None:
        await self._second.delete(model, hashes)
        await self._after()


async def test_a_vector_deleted_while_it_is_delivered_keeps_its_entry_and_leaves_the_engine(
    dual: Dependencies, sql: asyncpg.Connection
) -> None:
    await store(dual, 1)
    meddled = dataclasses.replace(dual, second=Meddled(dual.second, lambda: delete(dual, 1)))

    during = await deliver(meddled, sql)
    there = len(await in_engine(dual))
    after = await deliver(dual, sql)

    assert (during, during.busy, there) == (Delivery(1), 1, 1)
    assert (after, await in_engine(dual), await entries(sql)) == (Delivery(1, settled=1), set(), [])


async def test_a_vector_stored_anew_while_its_removal_is_delivered_comes_back(
    dual: Dependencies, sql: asyncpg.Connection
) -> None:
    await store(dual, 1)
    await deliver(dual, sql)
    await delete(dual, 1)
    meddled = dataclasses.replace(dual, second=Meddled(dual.second, lambda: store(dual, 1)))

    during = await deliver(meddled, sql)
    after = await deliver(dual, sql)

    assert (during, after) == (Delivery(1), Delivery(1, settled=1))
    assert len(await in_engine(dual)) == 1
    assert await in_engine(dual) == await in_postgresql(sql)


async def test_an_entry_stays_while_a_write_that_relies_on_it_is_under_way(
    dual: Dependencies, sql: asyncpg.Connection
) -> None:
    await store(dual, 1)
    (content_hash,) = await in_postgresql(sql)
    async with unit_of_work(dual, OPERATOR) as work:
        work.embeddings.removed.add(content_hash)  # as a delete that is about to commit
        await enter_mirrored(dual, work._session, work.embeddings)
        during = await deliver(dual, sql)
        await work.commit()

    assert (during.settled, during.busy) == (0, 1)
    assert len(await entries(sql)) == 1


# --- vectors that no engine would keep


async def test_a_vector_that_no_engine_would_keep_is_parked_with_its_reason_and_the_others_are_delivered(
    dual: Dependencies, sql: asyncpg.Connection
) -> None:
    await store(dual, *range(50))
    poison = min(await in_postgresql(sql))
    whole = await sql.fetchval("SELECT vector::text FROM incident_embedding WHERE content_hash = $1", poison)
    await sql.execute(
        "ALTER TABLE incident_embedding DROP CONSTRAINT ck_incident_embedding_default_dimensions"
    )
    await sql.execute("DROP INDEX ix_incident_embedding_hnsw_default")
    await sql.execute("UPDATE incident_embedding SET vector = '[1,0]' WHERE content_hash = $1", poison)

    done = await deliver(dual, sql)
    parked = await entries(sql)
    await sql.execute(
        f"UPDATE incident_embedding SET vector = '{whole}' WHERE content_hash = $1",  # noqa: S608 -- its own value
        poison,
    )
    tried_again = await retry(dual, [OutboxKind.MIRROR])
    well_again = await deliver(dual, sql)

    assert (done, dual.second.available) == (Delivery(50, settled=49, parked=1), True)
    assert [row["content_hash"] for row in parked] == [poison]
    assert parked[0]["fault"].startswith("the vector has 2 dimensions, those of ")
    assert (tried_again, well_again) == (1, Delivery(1, settled=1))
    assert await in_engine(dual) == await in_postgresql(sql)


# --- many workers


async def test_two_replicas_that_write_and_delete_at_once_leave_both_engines_alike(
    database_url: URL, settings: Settings, milvus: MilvusServer, sql: asyncpg.Connection
) -> None:
    async with AsyncExitStack() as stack:
        replicas = []
        for _ in range(2):
            deps = await stack.enter_async_context(dependencies(database_url, settings))
            replica = await stack.enter_async_context(beside(deps, milvus))
            await stack.enter_async_context(mirroring(replica))
            replicas.append(replica)

        async def come_and_go(replica: Dependencies, number: int) -> None:
            for _ in range(5):
                await store(replica, number)
                await delete(replica, number)
            if number % 2:
                await store(replica, number)

        # Replicas have the texts of a few incidents in common, under keys of their own.
        await asyncio.gather(*(come_and_go(replicas[number % 3 % 2], number) for number in range(12)))
        await until_delivered(sql)

        assert len(await in_postgresql(sql)) == 6
        assert await in_engine(replicas[0]) == await in_postgresql(sql)
