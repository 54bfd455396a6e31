"""What is peculiar to the cache in memory: its bound and its clock."""

import asyncio

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from datastorage.embedding.cache import ENTRY_OVERHEAD_BYTES, MemoryCache

VECTOR = np.ones(256, dtype=np.float32)
ENTRY_BYTES = VECTOR.nbytes + ENTRY_OVERHEAD_BYTES


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def kept(cache: MemoryCache, *keys: bytes) -> list[bytes]:
    return list(await cache.get_many(keys))


async def test_what_was_put_is_found_and_nothing_else() -> None:
    cache = MemoryCache()
    await cache.put_many({b"a": VECTOR})

    found = await cache.get_many([b"a", b"b"])

    assert list(found) == [b"a"]
    assert found[b"a"] is VECTOR


async def test_the_longest_unused_goes_first() -> None:
    cache = MemoryCache(bytes_max=2 * ENTRY_BYTES)
    await cache.put_many({b"a": VECTOR, b"b": VECTOR})
    await cache.get_many([b"a"])

    await cache.put_many({b"c": VECTOR})

    assert await kept(cache, b"a", b"b", b"c") == [b"a", b"c"]


async def test_an_entry_lives_for_its_time_after_the_last_use() -> None:
    clock = Clock()
    cache = MemoryCache(ttl_s=300, clock=clock)
    await cache.put_many({b"a": VECTOR})

    clock.now = 299
    assert await kept(cache, b"a") == [b"a"]
    clock.now = 598
    assert await kept(cache, b"a") == [b"a"]
    clock.now = 899
    assert await kept(cache, b"a") == []


async def test_putting_a_key_again_takes_no_more_room() -> None:
    cache = MemoryCache(bytes_max=2 * ENTRY_BYTES)
    for _ in range(10):
        await cache.put_many({b"a": VECTOR})
    await cache.put_many({b"b": VECTOR})

    assert await kept(cache, b"a", b"b") == [b"a", b"b"]


async def test_expired_entries_give_their_room_back() -> None:
    clock = Clock()
    cache = MemoryCache(bytes_max=2 * ENTRY_BYTES, ttl_s=10, clock=clock)
    await cache.put_many({b"a": VECTOR})
    clock.now = 11
    assert await kept(cache, b"a") == []

    await cache.put_many({b"b": VECTOR, b"c": VECTOR})

    assert await kept(cache, b"b", b"c") == [b"b", b"c"]


async def test_a_vector_larger_than_the_cache_is_not_kept() -> None:
    cache = MemoryCache(bytes_max=ENTRY_BYTES - 1)

    await cache.put_many({b"a": VECTOR})

    assert await kept(cache, b"a") == []


STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "get", "wait"]), st.integers(0, 9), st.integers(1, 400)), max_size=60
)


@given(bytes_max=st.integers(0, 8_000), steps=STEPS)
def test_it_never_takes_more_than_its_bytes_and_never_mixes_vectors_up(
    bytes_max: int, steps: list[tuple[str, int, int]]
) -> None:
    clock = Clock()
    cache = MemoryCache(bytes_max=bytes_max, ttl_s=500, clock=clock)
    put: dict[bytes, np.ndarray] = {}

    async def run() -> None:
        for step, number, size in steps:
            key = bytes([number])
            if step == "wait":
                clock.now += size
            elif step == "put":
                put[key] = np.full(size, number, np.float32)
                await cache.put_many({key: put[key]})
            else:
                for found, vector in (await cache.get_many([key, b"never"])).items():
                    assert vector is put[found]
            taken = sum(vector.nbytes + ENTRY_OVERHEAD_BYTES for vector, _ in cache._entries.values())
            assert taken == cache._bytes <= bytes_max

    asyncio.run(run())
