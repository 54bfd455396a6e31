"""When the incidents of the demo happen, and how long things take."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Final

from datastorage.cli.demo_catalogue import Cluster

DAYS: Final = 60
WEEKEND: Final = 0.45  # incidents on a day without deploys, as a share of those on a working day
FAILURE_TAKES_LONGER: Final = 1.8  # most failures are time-outs
# Share of the busiest hour, by hour of the cluster's users: deploys in the morning, load in the evening.
HOURS: Final = (
    *(0.25, 0.35, 0.40, 0.25, 0.20, 0.20, 0.30, 0.45, 0.70, 0.95, 1.00, 0.95),  # backups and batches at two
    *(0.75, 0.85, 0.95, 0.90, 0.85, 0.75, 0.70, 0.75, 0.80, 0.70, 0.50, 0.35),
)


def moment(random: Random, cluster: Cluster, now: datetime) -> datetime:
    """Some time in the days before `now`, in the rhythm of the cluster's users."""
    while True:
        chosen = now - timedelta(milliseconds=random.randrange(DAYS * 24 * 3_600_000))
        if random.random() < _busyness(chosen + timedelta(hours=cluster.utc_offset_h)):
            return chosen


def duration(random: Random, minutes: float, *, succeeds: bool) -> timedelta:
    """How long an attempt takes that typically takes `minutes`."""
    typical_ms = minutes * 60_000 * (1 if succeeds else FAILURE_TAKES_LONGER)
    return timedelta(milliseconds=int(typical_ms * random.lognormvariate(0, 0.4)))


def until_next_attempt(random: Random) -> timedelta:
    """From a failed attempt to the next one."""
    return timedelta(milliseconds=random.randint(40_000, 900_000))


def until_recurrence(random: Random) -> timedelta:
    """From a success that did not last to the next alert; less than a day."""
    return timedelta(milliseconds=random.randint(1_200_000, 80_000_000))


def _busyness(local: datetime) -> float:
    return HOURS[local.hour] * (WEEKEND if local.weekday() >= 5 else 1)  # noqa: PLR2004 -- Saturday
