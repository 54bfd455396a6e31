"""Both caches keep one contract, and Redis, whatever happens to it, fails nobody."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress

import numpy as np
import pytest
from redis.asyncio import Redis

from datastorage.embedding import MemoryCache, RedisCache, Vector, VectorCache
from datastorage.observability.metrics import CACHE_FAULTS
from datastorage.resilience import CircuitState
from support.redis_server import RedisServer

MODEL, DIMENSIONS = "wordllama-l2-supercat-256", 4


def vector(number: float) -> Vector:
    return np.array([number, -number, 0.5, 1e-7], np.float32)


@pytest.fixture
async def redis_cache(redis_server: RedisServer, redis: Redis) -> AsyncIterator[RedisCache]:
    cache = RedisCache.connect(redis_server.url, model=MODEL, dimensions=DIMENSIONS)
    yield cache
    await cache.close()


@pytest.fixture(params=["memory", "redis"])
async def cache(request: pytest.FixtureRequest, redis_server: RedisServer) -> AsyncIterator[VectorCache]:
    """Each cache, with entries that live for 0.2 s after their last use."""
    if request.param == "memory":
        opened: VectorCache = MemoryCache(ttl_s=0.2)
    else:
        redis_server.kill()
        redis_server.start()
        opened = RedisCache.connect(redis_server.url, model=MODEL, dimensions=DIMENSIONS, ttl_s=0.2)
    yield opened
    await opened.close()


def faults() -> float:
    return CACHE_FAULTS._value.get()


# --- the contract


async def test_what_was_put_is_found_to_the_bit_and_nothing_else(cache: VectorCache) -> None:
    await cache.put_many({b"a" * 32: vector(1), b"b" * 32: vector(2)})

    found = await cache.get_many([b"a" * 32, b"c" * 32, b"b" * 32])

    assert {key: value.tobytes() for key, value in found.items()} == {
        b"a" * 32: vector(1).tobytes(),
        b"b" * 32: vector(2).tobytes(),
    }
    assert [value.dtype for value in found.values()] == [np.float32, np.float32]


async def test_nothing_asked_is_nothing_found(cache: VectorCache) -> None:
    await cache.put_many({})

    assert await cache.get_many([]) == {}


async def test_keys_may_be_any_bytes(cache: VectorCache) -> None:
    keys = [bytes([number]) * 32 for number in (0, 10, 13, 58, 255)]
    await cache.put_many({key: vector(number) for number, key in enumerate(keys)})

    assert [value[0] for value in (await cache.get_many(keys)).values()] == [0, 1, 2, 3, 4]


async def test_an_unused_entry_is_forgotten_and_a_used_one_is_not(cache: VectorCache) -> None:
    await cache.put_many({b"used": vector(1), b"unused": vector(2)})
    for _ in range(8):
        await asyncio.sleep(0.05)
        await cache.get_many([b"used"])

    assert list(await cache.get_many([b"used", b"unused"])) == [b"used"]


async def test_the_last_vector_put_counts(cache: VectorCache) -> None:
    await cache.put_many({b"a": vector(1)})
    await cache.put_many({b"a": vector(2)})

    assert (await cache.get_many([b"a"]))[b"a"][0] == 2


# --- Redis


async def test_what_lies_in_redis_is_float32_under_a_key_that_names_the_model(
    redis_cache: RedisCache, redis: Redis
) -> None:
    await redis_cache.put_many({b"\x00" * 32: vector(1)})

    (key,) = await redis.keys("*")

    assert key == b"datastorage:vector:wordllama-l2-supercat-256:4:" + b"\x00" * 32
    assert await redis.get(key) == vector(1).astype("<f4").tobytes()
    assert 299_000 < await redis.pttl(key) <= 300_000


async def test_another_model_or_dimension_has_entries_of_its_own(
    redis_server: RedisServer, redis_cache: RedisCache
) -> None:
    await redis_cache.put_many({b"a": vector(1)})
    for model, dimensions in (("another", DIMENSIONS), (MODEL, DIMENSIONS + 1)):
        other = RedisCache.connect(redis_server.url, model=model, dimensions=dimensions)
        assert await other.get_many([b"a"]) == {}
        await other.close()


async def test_a_value_of_another_length_is_a_fault_and_no_vector(
    redis_cache: RedisCache, redis: Redis
) -> None:
    before = faults()
    await redis_cache.put_many({b"a": vector(1), b"b": vector(2)})
    await redis.set(b"datastorage:vector:wordllama-l2-supercat-256:4:a", b"short")

    found = await redis_cache.get_many([b"a", b"b"])

    assert list(found) == [b"b"]
    assert faults() - before == 1


async def test_a_value_of_another_type_fails_nobody(redis_cache: RedisCache, redis: Redis) -> None:
    await redis.lpush(b"datastorage:vector:wordllama-l2-supercat-256:4:a", b"x")

    assert await redis_cache.get_many([b"a"]) == {}


async def test_a_full_redis_fails_nobody(redis_cache: RedisCache, redis: Redis) -> None:
    await redis.config_set("maxmemory", "1")
    before = faults()

    await redis_cache.put_many({b"a": vector(1)})

    assert await redis_cache.get_many([b"a"]) == {}
    assert faults() > before


async def test_a_dead_redis_is_found_out_and_then_costs_nothing(
    redis_server: RedisServer, redis_cache: RedisCache
) -> None:
    await redis_cache.put_many({b"a": vector(1)})
    redis_cache._redis.breaker._open_s = 3_600  # however slow the machine is
    redis_server.kill()
    before = faults()

    for _ in range(20):
        assert await redis_cache.get_many([b"a"]) == {}

    assert faults() - before == 3
    assert redis_cache._redis.breaker.state is CircuitState.OPEN


async def test_a_frozen_redis_is_found_out_and_used_again_once_it_answers(
    redis_server: RedisServer, redis_cache: RedisCache
) -> None:
    await redis_cache.put_many({b"a": vector(1)})
    redis_server.freeze()
    try:
        asked = [redis_cache.get_many([b"a"]) for _ in range(50)]
        assert await asyncio.gather(*asked) == [{}] * 50
        assert redis_cache._redis.breaker.state is CircuitState.OPEN
    finally:
        redis_server.thaw()

    redis_cache._redis.breaker._opened_at -= 60  # a minute later
    found = await redis_cache.get_many([b"a"])

    assert found[b"a"][0] == 1
    assert redis_cache._redis.breaker.state is CircuitState.CLOSED


async def test_callers_that_are_cancelled_leave_no_answer_behind_for_the_next(
    redis_cache: RedisCache,
) -> None:
    chance = random.Random(7)
    keys = [bytes([number]) * 32 for number in range(64)]
    await redis_cache.put_many({key: vector(number) for number, key in enumerate(keys)})

    async def ask(number: int) -> None:
        found = await redis_cache.get_many([keys[number]])  # nothing, when the machine is too busy
        assert [value[0] for value in found.values()] in ([number], [])

    async def ask_and_maybe_go() -> None:
        task = asyncio.ensure_future(ask(chance.randrange(64)))
        await asyncio.sleep(chance.random() * 0.002)
        if chance.random() < 0.5:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    for _ in range(20):
        await asyncio.gather(*(ask_and_maybe_go() for _ in range(16)))
    redis_cache._redis.breaker._opened_at -= 60
    for number in range(64):
        await ask(number)
