"""The cache that replicas share: Redis, or what speaks like it, from version 6.2 on.

A vector is stored as it is in memory on every machine we run on: float32, little endian, nothing around it. The
key names model and dimensions, so a value is of the right length or it is not ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from datastorage.embedding.cache import CACHE_TTL_S
from datastorage.embedding.provider import Vector
from datastorage.observability.metrics import CACHE_FAULTS
from datastorage.resilience import CircuitName, GuardedRedis

KEY_PREFIX: Final = "datastorage:vector"
STORED: Final = np.dtype("<f4")


class RedisCache:
    """Vectors of one model in Redis."""

    def __init__(
        self, redis: GuardedRedis, *, model: str, dimensions: int, ttl_s: float = CACHE_TTL_S
    ) -> None:
        self._redis, self._ttl_ms = redis, round(ttl_s * 1000)
        self._prefix = f"{KEY_PREFIX}:{model}:{dimensions}:".encode()
        self._bytes = dimensions * STORED.itemsize

    @classmethod
    def connect(cls, url: str, *, model: str, dimensions: int, ttl_s: float = CACHE_TTL_S) -> RedisCache:
        """A cache at this URL; no connection is opened yet."""
        redis = GuardedRedis.connect(url, CircuitName.CACHE, CACHE_FAULTS.inc)
        return cls(redis, model=model, dimensions=dimensions, ttl_s=ttl_s)

    async def get_many(self, keys: Iterable[bytes]) -> dict[bytes, Vector]:
        """The vectors that are there; using one prolongs its life. One round trip."""
        wanted = list(keys)

        async def got() -> list[object]:
            async with self._redis.client.pipeline(transaction=False) as pipe:
                for key in wanted:
                    pipe.getex(self._prefix + key, px=self._ttl_ms)
                return await pipe.execute()

        values = await self._redis.asked(got) if wanted else None
        if values is None:
            return {}
        read = ((key, self._read(value)) for key, value in zip(wanted, values, strict=True))
        return {key: vector for key, vector in read if vector is not None}

    async def put_many(self, vectors: Mapping[bytes, Vector]) -> None:
        """Remembers vectors. One round trip."""

        async def put() -> None:
            async with self._redis.client.pipeline(transaction=False) as pipe:
                for key, vector in vectors.items():
                    pipe.set(self._prefix + key, vector.astype(STORED).tobytes(), px=self._ttl_ms)
                await pipe.execute()

        if vectors:
            await self._redis.asked(put)

    async def check(self) -> None:
        """Asks for a sign of life, whatever the breaker says. Errors: RedisError, OSError."""
        await self._redis.check()

    async def close(self) -> None:
        """Closes the connections."""
        await self._redis.close()

    def _read(self, value: object) -> Vector | None:
        if value is None:
            return None
        if not isinstance(value, bytes) or len(value) != self._bytes:
            CACHE_FAULTS.inc()
            return None
        return np.frombuffer(value, STORED).astype(np.float32, copy=False)
