"""Caches of vectors by the hash of their text. A vector never changes, so nothing is ever invalidated."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol

from datastorage.embedding.provider import Vector

CACHE_BYTES_MAX: Final = 16 * 1024 * 1024  # 16,000 vectors of 256 float32
ENTRY_OVERHEAD_BYTES: Final = 250  # key, entry and array header


class VectorCache(Protocol):
    """What the embedder asks of a cache."""

    def get(self, key: bytes) -> Vector | None:
        """The vector of a text, if it is there."""

    def put(self, key: bytes, vector: Vector) -> None:
        """Remembers a vector."""


class MemoryCache:
    """Least recently used first out, bounded in bytes; an entry lives `ttl_s` after its last use."""

    def __init__(
        self,
        *,
        bytes_max: int = CACHE_BYTES_MAX,
        ttl_s: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bytes_max, self._ttl_s, self._clock = bytes_max, ttl_s, clock
        self._entries: OrderedDict[bytes, tuple[Vector, float]] = OrderedDict()
        self._bytes = 0

    def get(self, key: bytes) -> Vector | None:
        """The vector of a text; using it prolongs its life."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return None
        vector, used_at = entry
        now = self._clock()
        if now - used_at > self._ttl_s:
            self._bytes -= _size(vector)
            return None
        self._entries[key] = (vector, now)
        return vector

    def put(self, key: bytes, vector: Vector) -> None:
        """Remembers a vector, forgetting the longest unused ones if need be."""
        before = self._entries.pop(key, None)
        if before is not None:
            self._bytes -= _size(before[0])
        self._entries[key] = (vector, self._clock())
        self._bytes += _size(vector)
        while self._bytes > self._bytes_max:
            _, (forgotten, _) = self._entries.popitem(last=False)
            self._bytes -= _size(forgotten)


def _size(vector: Vector) -> int:
    return vector.nbytes + ENTRY_OVERHEAD_BYTES
