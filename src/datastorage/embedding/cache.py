"""Caches of vectors by the hash of their text. A vector never changes, so nothing is ever invalidated.

Called by the embedder. A cache holds vectors of one model; one that can fail says so to nobody but the metrics.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

from datastorage.embedding.provider import Vector

CACHE_BYTES_MAX: Final = 16 * 1024 * 1024  # 13,000 vectors of 256 float32
CACHE_TTL_S: Final = 300.0
ENTRY_OVERHEAD_BYTES: Final = 250  # key, entry and array header


class VectorCache(Protocol):
    """What the embedder asks of a cache. It never fails: what cannot be had is absent."""

    async def get_many(self, keys: Iterable[bytes]) -> dict[bytes, Vector]:
        """The vectors that are there; using one prolongs its life."""

    async def put_many(self, vectors: Mapping[bytes, Vector]) -> None:
        """Remembers vectors."""

    async def close(self) -> None:
        """Lets go of what the cache holds."""


class MemoryCache:
    """Least recently used first out, bounded in bytes; an entry lives `ttl_s` after its last use."""

    def __init__(
        self,
        *,
        bytes_max: int = CACHE_BYTES_MAX,
        ttl_s: float = CACHE_TTL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bytes_max, self._ttl_s, self._clock = bytes_max, ttl_s, clock
        self._entries: OrderedDict[bytes, tuple[Vector, float]] = OrderedDict()
        self._bytes = 0

    async def get_many(self, keys: Iterable[bytes]) -> dict[bytes, Vector]:
        """The vectors that are there; using one prolongs its life."""
        now = self._clock()
        return {key: vector for key in keys if (vector := self._get(key, now)) is not None}

    async def put_many(self, vectors: Mapping[bytes, Vector]) -> None:
        """Remembers vectors, forgetting the longest unused ones if need be."""
        now = self._clock()
        for key, vector in vectors.items():
            self._forget(key)
            self._entries[key] = (vector, now)
            self._bytes += _size(vector)
        while self._bytes > self._bytes_max:
            self._forget(next(iter(self._entries)))

    async def close(self) -> None:
        """Nothing to let go of."""

    def _get(self, key: bytes, now: float) -> Vector | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        vector, used_at = entry
        if now - used_at > self._ttl_s:
            self._forget(key)
            return None
        self._entries[key] = (vector, now)
        self._entries.move_to_end(key)
        return vector

    def _forget(self, key: bytes) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= _size(entry[0])


def _size(vector: Vector) -> int:
    return vector.nbytes + ENTRY_OVERHEAD_BYTES
