"""The engine of Milvus against a real server, which is killed, frozen and started again, and against a file."""

import asyncio
import fcntl
import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest
from pymilvus import DataType, MilvusClient

from datastorage.errors import EngineUnavailable
from datastorage.settings import Settings
from datastorage.vector_engine import Vector, VectorEngine
from datastorage.vector_engine.configured import configured_engine
from datastorage.vector_engine.milvus_collection import collection_name
from support.milvus_server import MilvusServer

MODEL = "openai:text-embedding@8"
DIMENSIONS = 8
TOKEN = "root:Sesam-0effne-dich"
PATIENCE_S = 30
OpenEngine = Callable[..., VectorEngine]


@pytest.fixture
async def open_engine() -> AsyncIterator[OpenEngine]:
    opened: list[VectorEngine] = []

    def open_(url: str, timeout_s: float = 5.0) -> VectorEngine:
        engine = configured_engine(
            Settings(
                _env_file=None,
                vector_engine_url=url,
                vector_engine_token=TOKEN,
                vector_engine_timeout_s=timeout_s,
            )
        )
        assert engine is not None
        opened.append(engine)
        return engine

    yield open_
    for engine in opened:
        await engine.close()


@pytest.fixture
async def engine(milvus: MilvusServer, open_engine: OpenEngine) -> VectorEngine:
    """Prepared for the model, and empty."""
    made = open_engine(milvus.url)
    await made.prepare(MODEL, DIMENSIONS)
    return made


def hash_of(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


def vectors(count: int, dimensions: int = DIMENSIONS) -> dict[bytes, Vector]:
    """Of length 1, in directions of no order."""
    drawn = np.random.default_rng(7).normal(size=(count, dimensions)).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return {hash_of(number): vector for number, vector in enumerate(drawn)}


async def pages(engine: VectorEngine, texts_max: int) -> list[dict[bytes, Vector]]:
    """All, until an empty one."""
    read: list[dict[bytes, Vector]] = []
    after = b""
    while page := await engine.page(MODEL, after, texts_max):
        read.append(page)
        after = list(page)[-1]
    return read


async def stored(engine: VectorEngine) -> dict[bytes, list[float]]:
    return {key: list(vector) for page in await pages(engine, 1_000) for key, vector in page.items()}


def as_lists(given: dict[bytes, Vector]) -> dict[bytes, list[float]]:
    return {key: list(vector) for key, vector in given.items()}


async def eventually_answers(engine: VectorEngine) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await engine.prepare(MODEL, DIMENSIONS)
                await engine.page(MODEL, b"", 1)
            except EngineUnavailable:
                await asyncio.sleep(0.1)
            else:
                return


async def test_vectors_kept_twice_are_there_once_and_to_the_bit(engine: VectorEngine) -> None:
    given = vectors(3)

    await engine.upsert(MODEL, given)
    await engine.upsert(MODEL, given)

    assert await stored(engine) == as_lists(given)


async def test_forgotten_vectors_are_gone_and_may_be_forgotten_again(engine: VectorEngine) -> None:
    given = vectors(3)
    await engine.upsert(MODEL, given)

    await engine.delete(MODEL, [hash_of(1), hash_of(99)])
    await engine.delete(MODEL, [hash_of(1)])
    await engine.delete(MODEL, [])

    assert set(await stored(engine)) == {hash_of(0), hash_of(2)}
    found = await engine.nearest(MODEL, given[hash_of(1)], 10)
    assert {near.content_hash for near in found} == {hash_of(0), hash_of(2)}


async def test_a_forgotten_vector_can_come_back(engine: VectorEngine) -> None:
    given = vectors(1)
    await engine.upsert(MODEL, given)
    await engine.delete(MODEL, given)

    await engine.upsert(MODEL, given)

    assert await stored(engine) == as_lists(given)


async def test_the_nearest_come_first_with_their_cosine(engine: VectorEngine) -> None:
    given = vectors(600)
    await engine.upsert(MODEL, given)
    question = given[hash_of(17)]

    found = await engine.nearest(MODEL, question, 20)

    cosines = {key: float(vector @ question) for key, vector in given.items()}
    expected = sorted(cosines, key=lambda key: -cosines[key])[:20]
    assert [near.content_hash for near in found] == expected
    assert [near.similarity for near in found] == pytest.approx([cosines[key] for key in expected], abs=1e-6)


async def test_nothing_stored_finds_nothing(engine: VectorEngine) -> None:
    assert await engine.nearest(MODEL, vectors(1)[hash_of(0)], 5) == []
    assert await engine.page(MODEL, b"", 5) == {}


@pytest.mark.parametrize("texts_max", [1, 97, 1_000])
async def test_pages_hold_everything_once_in_order(engine: VectorEngine, texts_max: int) -> None:
    given = vectors(2_300 if texts_max > 1 else 40)
    await engine.upsert(MODEL, given)

    read = await pages(engine, texts_max)

    hashes = [key for page in read for key in page]
    assert hashes == sorted(given)
    assert max(map(len, read)) <= texts_max
    assert {key: list(vector) for page in read for key, vector in page.items()} == as_lists(given)


async def test_pages_are_complete_where_hashes_lie_close_together(engine: VectorEngine) -> None:
    given = dict(zip((n.to_bytes(32) for n in range(1, 701)), vectors(700).values(), strict=True))
    given[b"\xff" * 32] = given[(1).to_bytes(32)]
    await engine.upsert(MODEL, given)

    read = await pages(engine, 100)

    assert [key for page in read for key in page] == sorted(given)


async def test_models_do_not_see_each_other(engine: VectorEngine) -> None:
    other = "openai:text_embedding@8"  # the same letters, another sign
    await engine.prepare(other, DIMENSIONS)

    await engine.upsert(MODEL, vectors(2))

    assert await engine.page(other, b"", 10) == {}


async def test_preparing_again_keeps_what_is_stored(
    milvus: MilvusServer, engine: VectorEngine, open_engine: OpenEngine
) -> None:
    await engine.upsert(MODEL, vectors(2))

    another = open_engine(milvus.url)
    await asyncio.gather(another.prepare(MODEL, DIMENSIONS), engine.prepare(MODEL, DIMENSIONS))

    assert await stored(another) == as_lists(vectors(2))


async def test_replicas_that_start_together_make_one_collection(
    milvus: MilvusServer, open_engine: OpenEngine
) -> None:
    replicas = [open_engine(milvus.url) for _ in range(4)]

    await asyncio.gather(*(replica.prepare(MODEL, DIMENSIONS) for replica in replicas))

    await replicas[0].upsert(MODEL, vectors(1))
    assert [len(await stored(replica)) for replica in replicas] == [1, 1, 1, 1]


async def test_a_start_finishes_what_an_interrupted_one_began(
    milvus: MilvusServer, open_engine: OpenEngine
) -> None:
    client = MilvusClient(milvus.address, dedicated=True)
    schema = MilvusClient.create_schema(auto_id=False)
    schema.add_field("hash", DataType.VARCHAR, max_length=64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIMENSIONS)
    client.create_collection(collection_name(MODEL, DIMENSIONS), schema=schema)  # no index, not loaded
    engine = open_engine(milvus.url)

    await engine.prepare(MODEL, DIMENSIONS)

    index = client.describe_index(collection_name(MODEL, DIMENSIONS), "vector")
    assert (index["index_type"], index["metric_type"]) == ("HNSW", "COSINE")
    await engine.upsert(MODEL, vectors(1))
    assert len(await engine.nearest(MODEL, vectors(1)[hash_of(0)], 5)) == 1
    client.close()


async def test_a_collection_of_other_dimensions_is_refused_by_name(
    milvus: MilvusServer, open_engine: OpenEngine
) -> None:
    name = collection_name(MODEL, DIMENSIONS)
    client = MilvusClient(milvus.address, dedicated=True)
    client.create_collection(name, dimension=4)
    client.close()

    with pytest.raises(EngineUnavailable) as refused:
        await open_engine(milvus.url).prepare(MODEL, DIMENSIONS)

    assert str(refused.value) == (
        f"The vector engine has a collection {name} of another shape (vectors of 4 dimensions, "
        "needed are 8): drop it, or take another database."
    )


async def test_a_vector_of_other_dimensions_is_refused(engine: VectorEngine) -> None:
    with pytest.raises(EngineUnavailable):
        await engine.upsert(MODEL, vectors(1, dimensions=9))

    assert await stored(engine) == {}


async def test_a_model_that_was_not_prepared_is_refused(engine: VectorEngine) -> None:
    with pytest.raises(EngineUnavailable, match="not prepared for this model"):
        await engine.nearest("another", vectors(1)[hash_of(0)], 1)


async def test_a_killed_server_is_unavailable_and_keeps_its_vectors(
    milvus: MilvusServer, engine: VectorEngine
) -> None:
    await engine.upsert(MODEL, vectors(1_200))

    milvus.kill()

    with pytest.raises(EngineUnavailable):
        await engine.nearest(MODEL, vectors(1)[hash_of(0)], 1)
    milvus.start()
    await eventually_answers(engine)
    assert await stored(engine) == as_lists(vectors(1_200))


async def test_a_server_that_lost_everything_is_prepared_anew(
    milvus: MilvusServer, engine: VectorEngine
) -> None:
    await engine.upsert(MODEL, vectors(2))
    milvus.forget()

    await eventually_answers(engine)

    assert await stored(engine) == {}
    await engine.upsert(MODEL, vectors(2))
    assert await stored(engine) == as_lists(vectors(2))


async def test_a_frozen_server_is_unavailable_in_time_and_holds_nobody_up(
    milvus: MilvusServer, open_engine: OpenEngine
) -> None:
    engine = open_engine(milvus.url, timeout_s=0.5)
    await engine.prepare(MODEL, DIMENSIONS)
    await engine.upsert(MODEL, vectors(2))
    milvus.freeze()
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.01)
            beats += 1

    beating = asyncio.create_task(beat())
    refusals = await asyncio.gather(
        *(engine.nearest(MODEL, vectors(1)[hash_of(0)], 1) for _ in range(5)), return_exceptions=True
    )
    beating.cancel()

    assert [type(refusal) for refusal in refusals] == [EngineUnavailable] * 5
    assert beats > 10, "the event loop stood still"
    milvus.thaw()
    await eventually_answers(engine)
    assert await stored(engine) == as_lists(vectors(2))


async def test_a_server_frozen_before_the_first_call_holds_nobody_up(
    milvus: MilvusServer, open_engine: OpenEngine
) -> None:
    milvus.freeze()
    engine = open_engine(milvus.url, timeout_s=0.3)

    with pytest.raises(EngineUnavailable):
        await engine.prepare(MODEL, DIMENSIONS)

    milvus.thaw()
    await eventually_answers(engine)


async def test_failures_tell_no_host_and_no_token_and_print_nothing(
    milvus: MilvusServer,
    open_engine: OpenEngine,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    milvus.kill()
    engine = open_engine(milvus.url, timeout_s=0.3)

    with pytest.raises(EngineUnavailable) as refused:
        await engine.prepare(MODEL, DIMENSIONS)

    for secret in ("127.0.0.1", str(milvus.port), TOKEN):
        assert secret not in str(refused.value)
    assert refused.value.__suppress_context__
    assert [record.getMessage() for record in caplog.records] == []
    assert "".join(capfd.readouterr()) == ""


async def test_a_file_serves_and_keeps_what_is_stored(tmp_path: Path, open_engine: OpenEngine) -> None:
    engine = open_engine(str(tmp_path / "vectors.db"))
    await engine.prepare(MODEL, DIMENSIONS)
    await engine.upsert(MODEL, vectors(5))
    found = await engine.nearest(MODEL, vectors(5)[hash_of(3)], 1)
    assert [near.content_hash for near in found] == [hash_of(3)]
    await engine.close()

    again = open_engine(str(tmp_path / "vectors.db"))
    await again.prepare(MODEL, DIMENSIONS)

    assert await stored(again) == as_lists(vectors(5))


async def test_a_file_that_another_process_has_open_is_unavailable_and_says_so(
    tmp_path: Path, open_engine: OpenEngine
) -> None:
    place = tmp_path / "vectors.db"
    place.mkdir()
    with (place / "LOCK").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        with pytest.raises(EngineUnavailable, match="another process has it open"):
            await open_engine(str(place)).prepare(MODEL, DIMENSIONS)
