"""Token buckets of this process.

A bucket holds `burst` tokens and regains `per_s` of them a second; each request takes one. All of it is one number:
when the bucket is full again (the generic cell rate algorithm). `limits`, the usual library, has windows only, which
let twice as much pass around their edges.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from datastorage.limits import RATE_BUCKETS_MAX


@dataclass(frozen=True, slots=True)
class Rate:
    """How many requests: `per_s` in the long run, and `burst` at once."""

    per_s: float
    burst: int

    def divided(self, processes: int) -> Rate:
        """The share of one of so many processes that know nothing of each other."""
        return Rate(self.per_s / processes, max(1, self.burst // processes))


class Buckets(Protocol):
    """Buckets of one rate, by the name of whoever they belong to."""

    async def take(self, name: str) -> float:
        """Takes a token: 0. Where there is none: the seconds until there is."""


class MemoryBuckets:
    """Those used last are kept; a bucket that is forgotten is full when it is asked for again."""

    def __init__(
        self,
        rate: Rate,
        *,
        buckets_max: int = RATE_BUCKETS_MAX,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._interval_s = 1 / rate.per_s
        # A thousandth of a token more: sums of fractions must not cost the last of a burst.
        self._burst_s = (rate.burst + 0.001) * self._interval_s
        self._buckets_max, self._clock = buckets_max, clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    async def take(self, name: str) -> float:
        """As `Buckets`."""
        now = self._clock()
        full_at = max(self._full_at.get(name, now), now) + self._interval_s
        if full_at - now > self._burst_s:
            return full_at - now - self._burst_s
        self._full_at[name] = full_at
        self._full_at.move_to_end(name)
        if len(self._full_at) > self._buckets_max:
            self._full_at.popitem(last=False)
        return 0.0
