"""Token buckets of one process, by a clock that the test moves."""

import asyncio

import pytest

from datastorage.services.rate_limits import MemoryBuckets, Rate


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.1  # as much as a machine that has been up for days, and no round number

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def allowed(buckets: MemoryBuckets, name: str, asked: int) -> int:
    """How many of so many requests at once are let through."""
    waits = [await buckets.take(name) for _ in range(asked)]
    return waits.count(0.0)


@pytest.mark.parametrize("rate", [Rate(10, 1), Rate(7, 3), Rate(1 / 3, 50), Rate(200, 400), Rate(1e6, 1)])
async def test_a_burst_passes_whole_and_nothing_beyond_it(rate: Rate, clock: Clock) -> None:
    buckets = MemoryBuckets(rate, clock=clock)

    assert await allowed(buckets, "a", rate.burst + 100) == rate.burst


async def test_afterwards_as_much_passes_as_flows_in(clock: Clock) -> None:
    buckets = MemoryBuckets(Rate(per_s=5, burst=20), clock=clock)
    await allowed(buckets, "a", 100)

    passed = []
    for _ in range(10):
        clock.now += 1
        passed.append(await allowed(buckets, "a", 100))

    assert passed == [5] * 10


async def test_a_bucket_never_holds_more_than_its_burst(clock: Clock) -> None:
    buckets = MemoryBuckets(Rate(per_s=5, burst=20), clock=clock)
    await allowed(buckets, "a", 1)
    clock.now += 3_600

    assert await allowed(buckets, "a", 100) == 20


async def test_who_waits_as_told_is_let_through_and_who_waits_less_is_not(clock: Clock) -> None:
    buckets = MemoryBuckets(Rate(per_s=4, burst=2), clock=clock)
    await allowed(buckets, "a", 2)

    wait_s = await buckets.take("a")
    clock.now += wait_s - 0.001
    too_early = await buckets.take("a")
    clock.now += 0.002

    assert wait_s == pytest.approx(0.25, abs=0.001)
    assert too_early > 0
    assert await buckets.take("a") == 0


async def test_refused_requests_cost_nothing(clock: Clock) -> None:
    buckets = MemoryBuckets(Rate(per_s=1, burst=1), clock=clock)
    await allowed(buckets, "a", 1_000)
    clock.now += 1

    assert await buckets.take("a") == 0


async def test_everybody_has_a_bucket_of_their_own(clock: Clock) -> None:
    buckets = MemoryBuckets(Rate(per_s=1, burst=2), clock=clock)
    await allowed(buckets, "a", 100)

    assert await allowed(buckets, "b", 100) == 2


async def test_the_buckets_that_were_used_last_are_kept(clock: Clock) -> None:
    buckets = MemoryBuckets(Rate(per_s=1, burst=1), buckets_max=2, clock=clock)
    for name in ("a", "b", "a", "c"):
        clock.now += 1
        await buckets.take(name)

    assert list(buckets._full_at) == ["a", "c"]


def test_processes_that_do_not_know_of_each_other_have_a_share_each() -> None:
    assert Rate(per_s=200, burst=400).divided(4) == Rate(per_s=50, burst=100)
    assert Rate(per_s=1, burst=1).divided(4) == Rate(per_s=0.25, burst=1)


async def test_many_at_once_share_one_bucket(clock: Clock) -> None:
    buckets = MemoryBuckets(Rate(per_s=1, burst=10), clock=clock)

    waits = await asyncio.gather(*(buckets.take("a") for _ in range(50)))

    assert waits.count(0.0) == 10
