"""The cache that replicas share: Redis, or what speaks like it, from version 6.2 on.

A vector is stored as it is in memory on every machine we run on: float32, little endian, nothing around it. The
key names model and dimensions, so a value is of the right length or it is not ours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final, TypeVar

import numpy as np
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from datastorage.embedding.cache import CACHE_TTL_S
from datastorage.embedding.provider import Vector
from datastorage.errors import CircuitOpen
from datastorage.limits import CACHE_CONNECTIONS_MAX, CACHE_TIMEOUT_S
from datastorage.observability.metrics import CACHE_FAULTS
from datastorage.resilience import CircuitBreaker, CircuitName

KEY_PREFIX: Final = "datastorage:vector"
STORED: Final = np.dtype("<f4")
# What redis-py lets through: its own errors, those of the socket, and a full pool.
FAULTS: Final = (RedisError, OSError)

T = TypeVar("T")


class RedisCache:
    """Vectors of one model in Redis. A dead or frozen one is found out by a few calls, and then left alone."""

    def __init__(self, client: Redis, *, model: str, dimensions: int, ttl_s: float = CACHE_TTL_S) -> None:
        self._client, self._ttl_ms = client, round(ttl_s * 1000)
        self._prefix = f"{KEY_PREFIX}:{model}:{dimensions}:".encode()
        self._bytes = dimensions * STORED.itemsize
        self._breaker = CircuitBreaker(CircuitName.CACHE, failures_max=3, open_s=5.0)

    @classmethod
    def connect(cls, url: str, *, model: str, dimensions: int, ttl_s: float = CACHE_TTL_S) -> RedisCache:
        """A cache at this URL; no connection is opened yet."""
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CACHE_CONNECTIONS_MAX,
            timeout=CACHE_TIMEOUT_S,  # for a connection that is free
            socket_timeout=CACHE_TIMEOUT_S,
            socket_connect_timeout=CACHE_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),  # to ask again takes longer than to do without
            protocol=2,  # no pushes are wanted, and each new connection is spared a round trip
        )
        client = Redis.from_pool(pool)  # which closes the pool with it
        return cls(client, model=model, dimensions=dimensions, ttl_s=ttl_s)

    async def get_many(self, keys: Iterable[bytes]) -> dict[bytes, Vector]:
        """The vectors that are there; using one prolongs its life. One round trip."""
        wanted = list(keys)

        async def got() -> list[object]:
            async with self._client.pipeline(transaction=False) as pipe:
                for key in wanted:
                    pipe.getex(self._prefix + key, px=self._ttl_ms)
                return await pipe.execute()

        values = await self._asked(got) if wanted else None
        if values is None:
            return {}
        read = ((key, self._read(value)) for key, value in zip(wanted, values, strict=True))
        return {key: vector for key, vector in read if vector is not None}

    async def put_many(self, vectors: Mapping[bytes, Vector]) -> None:
        """Remembers vectors. One round trip."""

        async def put() -> None:
            async with self._client.pipeline(transaction=False) as pipe:
                for key, vector in vectors.items():
                    pipe.set(self._prefix + key, vector.astype(STORED).tobytes(), px=self._ttl_ms)
                await pipe.execute()

        if vectors:
            await self._asked(put)

    async def check(self) -> None:
        """Asks for a sign of life, whatever the breaker says. Errors: RedisError, OSError."""
        await self._client.ping()

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _asked(self, call: Callable[[], Awaitable[T]]) -> T | None:
        try:
            with self._breaker.guarding(*FAULTS):
                return await call()
        except FAULTS:
            CACHE_FAULTS.inc()
        except CircuitOpen:
            pass
        return None

    def _read(self, value: object) -> Vector | None:
        if value is None:
            return None
        if not isinstance(value, bytes) or len(value) != self._bytes:
            CACHE_FAULTS.inc()
            return None
        return np.frombuffer(value, STORED).astype(np.float32, copy=False)
