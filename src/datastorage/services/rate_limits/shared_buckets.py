"""Token buckets that all processes share, in Redis; each process by itself while Redis does not answer.

Tokens are taken from Redis some at a time and handed out here, so that most requests wait for nobody; who has none
left is refused here until there can be one again, so that a flood reaches Redis no more often than what is allowed.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from datastorage.limits import RATE_BUCKETS_MAX, RATE_TOKENS_LENT_S, RATE_TOKENS_LENT_SHARE
from datastorage.observability.metrics import RATE_LIMIT_FALLBACKS
from datastorage.resilience import GuardedRedis
from datastorage.services.rate_limits.buckets import MemoryBuckets, Rate

KEY_PREFIX: Final = "datastorage:rate"

# The same reckoning as in `buckets`, by Redis' own clock. Answers how many of the wanted tokens it gives, and if none
# the seconds until there is one; as text, since Redis makes whole numbers of what Lua returns.
_TAKE: Final = """
local interval_s, burst_s, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local room_s = burst_s - (full_at - now)
local given = math.min(wanted, math.floor(room_s / interval_s))
if given < 1 then
  return {'0', string.format('%.6f', interval_s - room_s)}
end
full_at = full_at + given * interval_s
redis.call('SET', KEYS[1], string.format('%.6f', full_at), 'PX', math.ceil((full_at - now) * 1000))
return {tostring(given), '0'}
"""


@dataclass(slots=True)
class _Held:
    """What this process has of one bucket."""

    tokens: int = 0
    until: float = 0.0  # when tokens are given up, or when asking makes sense again
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class SharedBuckets:
    """`what` tells rates apart; `alone` decides while Redis does not answer."""

    def __init__(
        self,
        redis: GuardedRedis,
        what: str,
        rate: Rate,
        alone: MemoryBuckets,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis, self._alone, self._clock = redis, alone, clock
        self._prefix = f"{KEY_PREFIX}:{what}:"
        self._interval_s, self._burst_s = 1 / rate.per_s, (rate.burst + 0.001) / rate.per_s
        self._lent = max(1, int(rate.burst * RATE_TOKENS_LENT_SHARE))
        self._script = redis.client.register_script(_TAKE)
        self._held: OrderedDict[str, _Held] = OrderedDict()

    async def take(self, name: str) -> float:
        """As `Buckets`."""
        held = self._held.get(name)
        if held is None:
            held = self._held[name] = _Held()
            if len(self._held) > RATE_BUCKETS_MAX:
                self._held.popitem(last=False)
        else:
            self._held.move_to_end(name)
        wait_s = self._taken_here(held)
        if wait_s is not None:
            return wait_s
        async with held.asking:  # whoever waited here finds what the first was given
            wait_s = self._taken_here(held)
            return await self._taken_there(name, held) if wait_s is None else wait_s

    def _taken_here(self, held: _Held) -> float | None:
        """As `take`, without asking Redis; None where only Redis knows."""
        left_s = held.until - self._clock()
        if left_s <= 0:
            return None
        if held.tokens:
            held.tokens -= 1
            if not held.tokens:
                held.until = 0.0
            return 0.0
        return left_s

    async def _taken_there(self, name: str, held: _Held) -> float:
        answer = await self._redis.asked(
            lambda: self._script(
                keys=[self._prefix + name], args=[self._interval_s, self._burst_s, self._lent]
            )
        )
        if answer is None:
            RATE_LIMIT_FALLBACKS.inc()
            return await self._alone.take(name)
        given, wait_s = int(float(answer[0])), float(answer[1])
        held.tokens = max(given - 1, 0)
        if given:
            held.until = self._clock() + RATE_TOKENS_LENT_S if held.tokens else 0.0
            return 0.0
        held.until = self._clock() + wait_s
        return wait_s
