"""Redis behind a breaker: whoever asks it does without when it does not answer.

Called by what replicas share: the cache of vectors, rate limits, persisted documents.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from datastorage.errors import CircuitOpen
from datastorage.limits import REDIS_CONNECTIONS_MAX, REDIS_TIMEOUT_S
from datastorage.observability.labels import CircuitName
from datastorage.resilience.circuit_breaker import CircuitBreaker

# What redis-py lets through: its own errors, those of the socket, and a full pool.
FAULTS: Final = (RedisError, OSError)

T = TypeVar("T")


class GuardedRedis:
    """A dead or frozen Redis is found out by a few calls, and then left alone for a while."""

    def __init__(self, client: Redis, name: CircuitName, on_fault: Callable[[], None] | None = None) -> None:
        self.client, self._on_fault = client, on_fault
        self.breaker = CircuitBreaker(name, failures_max=3, open_s=5.0)

    @classmethod
    def connect(cls, url: str, name: CircuitName, on_fault: Callable[[], None] | None = None) -> GuardedRedis:
        """Redis at this URL; no connection is opened yet. `on_fault` is told of each call that failed."""
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=REDIS_CONNECTIONS_MAX,
            timeout=REDIS_TIMEOUT_S,  # for a connection that is free
            socket_timeout=REDIS_TIMEOUT_S,
            socket_connect_timeout=REDIS_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),  # to ask again takes longer than to do without
            protocol=2,  # no pushes are wanted, and each new connection is spared a round trip
        )
        return cls(Redis.from_pool(pool), name, on_fault)  # a client that closes the pool with it

    async def asked(self, call: Callable[[], Awaitable[T]]) -> T | None:
        """What a call of `client` answers; None where it fails, or is not made at all."""
        try:
            with self.breaker.guarding(*FAULTS):
                return await call()
        except FAULTS:
            if self._on_fault is not None:
                self._on_fault()
        except CircuitOpen:
            pass
        return None

    async def check(self) -> None:
        """Asks for a sign of life, whatever the breaker says. Errors: RedisError, OSError."""
        await self.client.ping()

    async def close(self) -> None:
        """Closes the connections."""
        await self.client.aclose()
