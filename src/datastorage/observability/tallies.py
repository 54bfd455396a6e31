"""What is measured with each request, kept as plain numbers and handed over to Prometheus' own before they are read.

Its counters take a lock each, and histograms walk through their buckets: 5 % of the fastest request. Handed over when
this process is scraped, and now and then for the process that is scraped for several workers.
A thread is never interrupted within the statements that change a number here, as they call nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Protocol

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, Metric
from prometheus_client.registry import Collector


class Tally(Protocol):
    """A number that waits to be handed over."""

    def hand_over(self) -> None:
        """Brings Prometheus up to date."""


class Count:
    """How often something happened, of one label set."""

    __slots__ = ("_child", "_waiting")

    def __init__(self, child: Counter) -> None:
        self._child, self._waiting = child, 0
        _ALL.append(self)

    def add(self, times: int = 1) -> None:
        """It happened again."""
        self._waiting += times

    def hand_over(self) -> None:
        """Adds what has come since the last time."""
        waiting, self._waiting = self._waiting, 0
        if waiting:
            self._child.inc(waiting)


class Level:
    """How many there are just now."""

    __slots__ = ("_child", "_now")

    def __init__(self, child: Gauge) -> None:
        self._child, self._now = child, 0
        _ALL.append(self)

    def up(self) -> None:
        """One more."""
        self._now += 1

    def down(self) -> None:
        """One less."""
        self._now -= 1

    def hand_over(self) -> None:
        """Shows it."""
        self._child.set(self._now)


class Durations:
    """How long something took, each time; of one label set of a histogram with these buckets."""

    __slots__ = ("_bounds", "_child", "_counts", "_none", "_seconds")

    def __init__(self, child: Histogram, bounds: Sequence[float]) -> None:
        self._child, self._bounds = child, tuple(bounds)
        self._none = [0] * (len(bounds) + 1)
        self._counts, self._seconds = self._none[:], 0.0
        _ALL.append(self)

    def add(self, seconds: float, times: int = 1) -> None:
        """So many that took so long each."""
        bucket = bisect_left(self._bounds, seconds)
        self._counts[bucket] += times
        self._seconds += seconds * times

    def hand_over(self) -> None:
        """Adds what has come since the last time; the library itself would take them one by one only."""
        fresh = self._none[:]
        counts, self._counts = self._counts, fresh
        seconds, self._seconds = self._seconds, 0.0
        if counts == self._none:
            return
        self._child._sum.inc(seconds)  # noqa: SLF001
        for bucket, times in zip(self._child._buckets, counts, strict=True):  # noqa: SLF001
            if times:
                bucket.inc(times)


def hand_over() -> None:
    """Hands over everything."""
    for tally in _ALL:
        tally.hand_over()


class _BeforeTheRead(Collector):
    """First in the registry, so that those that follow are up to date."""

    def describe(self) -> Iterable[Metric]:
        """It has no metric of its own."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Hands over."""
        hand_over()
        return ()


_ALL: list[Tally] = []
REGISTRY.register(_BeforeTheRead())
