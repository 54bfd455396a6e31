"""Lines of a stack trace, so that thousands of failures of one kind read differently.

Letters only: digits are masked before a text is embedded, and would make all of them one.
"""

from __future__ import annotations

from random import Random
from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


AREAS: Final = _words(
    "order ledger cart invoice refund shipment stock price catalog search session token profile "
    "audit quota billing payout voucher basket review rating address courier parcel returns loyalty "
    "campaign mail push feed report export import archive backup replica shard segment cursor batch "
    "stream topic offset lease lock"
)
PARTS: Final = _words(
    "Gateway Mapper Repository Scheduler Dispatcher Resolver Validator Aggregator Listener Publisher "
    "Consumer Client Pool Router Encoder Decoder Cache Planner Executor Monitor Balancer Limiter "
    "Collector Builder Loader"
)
VERBS: Final = _words(
    "flush acquire release commit rollback refresh resolve encode decode publish consume merge split "
    "retry poll drain rebalance compact snapshot restore verify reserve settle expire evict hydrate "
    "prune replay seal"
)
OBJECTS: Final = _words(
    "Batch Window Page Entry Header Payload Segment Partition Chunk Frame Record Buffer Row Key Slot Lease"
)
FAULTS: Final = _words(
    "TimeoutException IllegalStateException ConnectionReset BrokenPipe DeadlineExceeded "
    "ResourceExhausted SerializationFault StaleLease QuotaExceeded ChecksumMismatch LeaderChanged "
    "NoRouteToHost PoolExhausted OutOfMemoryError ThreadStarvation CorruptedIndex"
)
FRAMES: Final = (2, 5)


def trace(random: Random) -> str:
    """A fault and the frames it came through; the common names come far more often, as in any code base."""
    frames = [_frame(random) for _ in range(random.randint(*FRAMES))]
    return "\n".join([f"caused by {_often(random, FAULTS)} in {_often(random, AREAS)}", *frames])


def _frame(random: Random) -> str:
    area = _often(random, AREAS)
    kind = f"{_often(random, AREAS).capitalize()}{_often(random, PARTS)}"
    return f"  at com.example.{area}.{kind}.{_often(random, VERBS)}{_often(random, OBJECTS)}({kind}.java)"


def _often(random: Random, words: tuple[str, ...]) -> str:
    return words[int(random.random() ** 1.5 * len(words))]
