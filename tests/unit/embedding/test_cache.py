"""The cache of vectors in memory."""

import numpy as np

from datastorage.embedding.cache import ENTRY_OVERHEAD_BYTES, MemoryCache

VECTOR = np.ones(256, dtype=np.float32)
ENTRY_BYTES = VECTOR.nbytes + ENTRY_OVERHEAD_BYTES


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_was_put_is_found_and_nothing_else() -> None:
    cache = MemoryCache()
    cache.put(b"a", VECTOR)

    assert cache.get(b"a") is VECTOR
    assert cache.get(b"b") is None


def test_the_longest_unused_goes_first() -> None:
    cache = MemoryCache(bytes_max=2 * ENTRY_BYTES)
    cache.put(b"a", VECTOR)
    cache.put(b"b", VECTOR)
    cache.get(b"a")

    cache.put(b"c", VECTOR)

    assert [key for key in (b"a", b"b", b"c") if cache.get(key) is not None] == [b"a", b"c"]


def test_an_entry_lives_for_its_time_after_the_last_use() -> None:
    clock = Clock()
    cache = MemoryCache(ttl_s=300, clock=clock)
    cache.put(b"a", VECTOR)

    clock.now = 299
    assert cache.get(b"a") is VECTOR
    clock.now = 598
    assert cache.get(b"a") is VECTOR
    clock.now = 899
    assert cache.get(b"a") is None


def test_putting_a_key_again_takes_no_more_room() -> None:
    cache = MemoryCache(bytes_max=2 * ENTRY_BYTES)
    for _ in range(10):
        cache.put(b"a", VECTOR)
    cache.put(b"b", VECTOR)

    assert cache.get(b"a") is not None
    assert cache.get(b"b") is not None


def test_expired_entries_give_their_room_back() -> None:
    clock = Clock()
    cache = MemoryCache(bytes_max=2 * ENTRY_BYTES, ttl_s=10, clock=clock)
    cache.put(b"a", VECTOR)
    clock.now = 11
    assert cache.get(b"a") is None

    cache.put(b"b", VECTOR)
    cache.put(b"c", VECTOR)

    assert cache.get(b"b") is not None
