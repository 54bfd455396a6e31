"""Rate limits and documents that replicas share: one for all of them, and each for itself while Redis is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from hashlib import sha256

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from datastorage.observability.metrics import RATE_LIMIT_FALLBACKS
from datastorage.resilience import CircuitName, CircuitState, GuardedRedis
from datastorage.services.documents import PersistedDocuments
from datastorage.services.rate_limits import MemoryBuckets, Rate, SharedBuckets
from support.redis_server import RedisServer

SLOW = 0.001  # tokens a second: none flows in while a test runs
TEXT = "{ remediationAudits { nodes { name } } }"
DIGEST = sha256(TEXT.encode()).hexdigest()


class Clock:
    """Of the processes; Redis has its own."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Replicas:
    """Processes on one Redis, each with connections of its own."""

    def __init__(self, url: str, opened: AsyncExitStack) -> None:
        self._url, self._opened = url, opened

    def redis(self, name: CircuitName) -> GuardedRedis:
        redis = GuardedRedis.connect(self._url, name)
        self._opened.push_async_callback(redis.close)
        return redis

    def buckets(self, rate: Rate, clock: Clock, alone: int = 1) -> SharedBuckets:
        redis = self.redis(CircuitName.RATE_LIMITS)
        return SharedBuckets(redis, "principal", rate, MemoryBuckets(Rate(SLOW, alone)), clock=clock)

    def documents(self) -> PersistedDocuments:
        return PersistedDocuments(self.redis(CircuitName.DOCUMENTS))


@pytest.fixture
async def replicas(redis_server: RedisServer, redis: Redis) -> AsyncIterator[Replicas]:
    async with AsyncExitStack() as opened:
        yield Replicas(redis_server.url, opened)


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def scripts_run(redis: Redis) -> int:
    stats = await redis.info("commandstats")
    return stats["cmdstat_evalsha"]["calls"]


# --- rates


async def test_replicas_let_through_one_burst_between_them(replicas: Replicas, clock: Clock) -> None:
    rate = Rate(SLOW, burst=100)
    first, second = replicas.buckets(rate, clock), replicas.buckets(rate, clock)

    waits = [await each.take("alice") for _ in range(100) for each in (first, second)]
    of_bob = await first.take("bob")

    assert waits.count(0.0) == 100
    assert of_bob == 0.0


async def test_requests_at_the_same_time_do_too(replicas: Replicas, clock: Clock) -> None:
    rate = Rate(SLOW, burst=100)
    both = [replicas.buckets(rate, clock), replicas.buckets(rate, clock)]

    waits = await asyncio.gather(*(each.take("alice") for _ in range(150) for each in both))

    assert waits.count(0.0) == 100


async def test_the_wait_is_until_the_next_token(replicas: Replicas, clock: Clock) -> None:
    buckets = replicas.buckets(Rate(0.01, burst=2), clock)
    await buckets.take("alice")
    await buckets.take("alice")

    assert await buckets.take("alice") == pytest.approx(100, abs=5)


async def test_most_requests_wait_for_nobody_and_a_flood_does_not_reach_redis(
    replicas: Replicas, redis: Redis, clock: Clock
) -> None:
    buckets = replicas.buckets(Rate(SLOW, burst=100), clock)  # of which a twentieth at a time

    for _ in range(1_000):
        await buckets.take("alice")

    assert await scripts_run(redis) == pytest.approx(100 / 5 + 1, abs=1)  # the first finds no script there


async def test_tokens_that_are_not_used_soon_are_given_up(
    replicas: Replicas, redis: Redis, clock: Clock
) -> None:
    buckets = replicas.buckets(Rate(SLOW, burst=100), clock)
    await buckets.take("alice")
    asked = await scripts_run(redis)
    clock.now += 1.5
    await buckets.take("alice")

    assert await scripts_run(redis) - asked == 1


async def test_a_bucket_is_forgotten_once_it_is_full(replicas: Replicas, redis: Redis, clock: Clock) -> None:
    buckets = replicas.buckets(Rate(per_s=1, burst=20), clock)
    await buckets.take("alice")

    (key,) = await redis.keys("*")

    assert key == b"datastorage:rate:principal:alice"
    assert 0 < await redis.pttl(key) <= 1_000


@pytest.mark.parametrize("outage", ["killed", "frozen"])
async def test_while_redis_is_away_each_process_decides_by_itself_and_no_request_fails(
    replicas: Replicas, redis_server: RedisServer, clock: Clock, outage: str
) -> None:
    buckets = replicas.buckets(Rate(SLOW, burst=1_000), clock, alone=10)
    assert await buckets.take("alice") == 0.0
    clock.now += 60
    before = RATE_LIMIT_FALLBACKS._value.get()

    redis_server.kill() if outage == "killed" else redis_server.freeze()
    try:
        with capture_logs() as lines:
            waits = [await buckets.take("alice") for _ in range(50)]
    finally:
        redis_server.start() if outage == "killed" else redis_server.thaw()

    assert waits.count(0.0) == 10
    assert RATE_LIMIT_FALLBACKS._value.get() - before == 50
    assert [(line["event"], line["circuit"]) for line in lines] == [("circuit_opened", "rate_limits")]


async def test_when_redis_is_back_it_decides_again(
    replicas: Replicas, redis_server: RedisServer, clock: Clock
) -> None:
    buckets = replicas.buckets(Rate(SLOW, burst=1_000), clock, alone=1)
    redis_server.kill()
    for _ in range(5):
        await buckets.take("alice")
    redis_server.start()
    breaker = buckets._redis.breaker
    assert breaker.state is CircuitState.OPEN

    breaker._opened_at -= 60  # a minute later
    with capture_logs() as lines:
        waits = [await buckets.take("alice") for _ in range(20)]

    assert waits == [0.0] * 20
    assert [line["event"] for line in lines] == ["circuit_closed"]


# --- documents


async def test_a_document_that_one_replica_was_told_is_known_to_all(replicas: Replicas, redis: Redis) -> None:
    first, second = replicas.documents(), replicas.documents()
    await first.put(DIGEST, TEXT)

    found = await second.get(DIGEST)

    assert found == TEXT
    assert (
        await second.get(DIGEST) is found
    )  # the same string: no second round trip, and what is compiled is found
    assert 86_390 < await redis.ttl(f"datastorage:document:{DIGEST}") <= 86_400


async def test_what_somebody_else_has_written_there_is_not_believed(replicas: Replicas, redis: Redis) -> None:
    await redis.set(f"datastorage:document:{DIGEST}", "{ __typename }")

    assert await replicas.documents().get(DIGEST) is None


async def test_without_redis_a_replica_knows_what_it_was_told_itself(
    replicas: Replicas, redis_server: RedisServer
) -> None:
    documents = replicas.documents()
    redis_server.kill()
    await documents.put(DIGEST, TEXT)
    known, unknown = await documents.get(DIGEST), await documents.get("0" * 64)
    redis_server.start()

    assert (known, unknown) == (TEXT, None)
