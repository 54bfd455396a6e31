"""The rate limits that the settings ask for. Called when the application is built."""

from __future__ import annotations

from datastorage.domain.caller import ANONYMOUS
from datastorage.errors import Throttled
from datastorage.observability.labels import CircuitName, ThrottledBy
from datastorage.observability.metrics import count_throttled
from datastorage.resilience import GuardedRedis
from datastorage.services.rate_limits.buckets import Buckets, MemoryBuckets, Rate
from datastorage.services.rate_limits.shared_buckets import SharedBuckets
from datastorage.settings import RateLimitBackend, Settings


class RateLimits:
    """Whom a request is charged to. Buckets that are None have no limit."""

    def __init__(
        self, addresses: Buckets | None, principals: Buckets | None, redis: GuardedRedis | None = None
    ) -> None:
        self._addresses, self._principals, self._redis = addresses, principals, redis

    async def charge_address(self, address: str | None) -> None:
        """Charges where a request comes from; None is not limited. Errors: Throttled."""
        if self._addresses is not None and address is not None:
            _allow(await self._addresses.take(address), ThrottledBy.ADDRESS)

    async def charge_principal(self, principal: str) -> None:
        """Charges whoever asks; who is nobody in particular has an address only. Errors: Throttled."""
        if self._principals is not None and principal != ANONYMOUS.principal:
            _allow(await self._principals.take(principal), ThrottledBy.PRINCIPAL)

    async def close(self) -> None:
        """Closes the connections to Redis."""
        if self._redis is not None:
            await self._redis.close()


def configured_rate_limits(settings: Settings) -> RateLimits:
    """Buckets in memory, where each process has its share of a limit, or in Redis."""
    redis = None
    if settings.rate_limit_backend is RateLimitBackend.REDIS and settings.redis_url is not None:
        redis = GuardedRedis.connect(settings.redis_url.get_secret_value(), CircuitName.RATE_LIMITS)

    def buckets(limit: ThrottledBy, per_s: float, burst: int) -> Buckets | None:
        if not per_s:
            return None
        rate = Rate(per_s, burst)
        alone = MemoryBuckets(rate.divided(settings.workers))
        return alone if redis is None else SharedBuckets(redis, limit, rate, alone)

    return RateLimits(
        buckets(ThrottledBy.ADDRESS, settings.rate_limit_address_per_s, settings.rate_limit_address_burst),
        buckets(
            ThrottledBy.PRINCIPAL, settings.rate_limit_principal_per_s, settings.rate_limit_principal_burst
        ),
        redis,
    )


def _allow(wait_s: float, by: ThrottledBy) -> None:
    if wait_s > 0:
        count_throttled(by)
        raise Throttled("too many requests; try again later", wait_s)
