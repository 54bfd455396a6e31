"""The buckets between two times are those that times in between fall into, wherever and however clocks are moved."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from anyio.from_thread import BlockingPortal
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.engine import URL

from datastorage.domain.statistics import BucketRange, TimeBucket, time_zones
from datastorage.repositories.time_buckets import buckets_between
from datastorage.services.dependencies import Dependencies
from support.api import services_from_sync_tests

ODD_ZONES = (
    "Africa/Casablanca",  # moves twice around Ramadan
    "America/Havana",  # midnight comes twice, or not at all
    "America/Sao_Paulo",  # had days without a midnight
    "America/St_Johns",  # half hours, and moves at a minute past midnight
    "Antarctica/Troll",  # moves by two hours
    "Asia/Gaza",
    "Asia/Kathmandu",  # quarter hours
    "Asia/Kolkata",
    "Australia/Lord_Howe",  # moves by half an hour
    "Europe/Berlin",
    "Pacific/Apia",  # left out a day
    "Pacific/Chatham",
)
SPAN: Final = {
    TimeBucket.MINUTE: timedelta(minutes=1),
    TimeBucket.HOUR: timedelta(hours=1),
    TimeBucket.DAY: timedelta(days=1),
    TimeBucket.WEEK: timedelta(weeks=1),
    TimeBucket.MONTH: timedelta(days=30),
}
# Since 1973 every offset is of whole minutes: one look a minute sees every bucket, and one a quarter of an hour
# those of long ranges, whose ends are looked at closely.
LOOKED_UP = text(
    """
    SELECT DISTINCT date_trunc(:bucket, t, :zone) AS time FROM (
      SELECT CAST(:start AS timestamptz) AS t
      UNION ALL SELECT CAST(:end AS timestamptz) - interval '1 microsecond'
      UNION ALL SELECT generate_series(date_trunc('day', :start, 'UTC'), :end, make_interval(mins => :minutes))
      UNION ALL SELECT generate_series(date_trunc('day', :start, 'UTC'), :start + interval '25 hours', '1 minute')
      UNION ALL SELECT generate_series(date_trunc('minute', :end, 'UTC') - interval '25 hours', :end, '1 minute')
    ) AS times WHERE t >= :start AND t < :end
    """
)


@pytest.fixture(scope="module")
def services(server_url: URL, template: str) -> Iterator[tuple[BlockingPortal, Dependencies]]:
    with services_from_sync_tests(server_url, template) as opened:
        yield opened


async def filled(
    deps: Dependencies, bucket: TimeBucket, zone: str, start: datetime, end: datetime
) -> list[datetime]:
    """The buckets that fill gaps."""
    async with deps.database.read() as session:
        return sorted(await session.scalars(buckets_between(BucketRange(bucket, zone, start, end))))


async def looked_up(
    deps: Dependencies, bucket: TimeBucket, zone: str, start: datetime, end: datetime
) -> list[datetime]:
    """The buckets of many times."""
    minutes = 15 if bucket in (TimeBucket.WEEK, TimeBucket.MONTH) else 1
    parameters = {"bucket": bucket.value, "zone": zone, "start": start, "end": end, "minutes": minutes}
    async with deps.database.read() as session:
        return sorted(await session.scalars(LOOKED_UP, parameters))


def moves(zone: str, year: int) -> list[datetime]:
    """When the clocks of a zone are moved in a year, to the second."""
    zone_info = ZoneInfo(zone)
    days = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(366)]
    found = []
    for earlier, later in pairwise(days):
        low, high = earlier, later
        if low.astimezone(zone_info).utcoffset() == high.astimezone(zone_info).utcoffset():
            continue
        while high - low > timedelta(seconds=1):
            middle = low + (high - low) // 2
            moved = middle.astimezone(zone_info).utcoffset() != low.astimezone(zone_info).utcoffset()
            low, high = (low, middle) if moved else (middle, high)
        found.append(high.replace(microsecond=0))
    return found


def ranges(pick: random.Random) -> tuple[TimeBucket, str, datetime, datetime]:
    """A bucket, a zone and a range of up to 30 buckets, often around a move of the clock."""
    bucket = pick.choice(list(TimeBucket))
    zone = pick.choice([pick.choice(ODD_ZONES), pick.choice(sorted(time_zones()))])
    year = pick.randrange(1974, 2030)
    at = pick.choice([*moves(zone, year), datetime(year, 6, 15, 12, tzinfo=UTC)])
    before, after = (SPAN[bucket] * pick.choice((0, 1, 2, 15)) * pick.random() for _ in range(2))
    fine = pick.choice((timedelta(0), timedelta(minutes=30), timedelta(microseconds=1)))
    return bucket, zone, at - before - fine, at + after + timedelta(microseconds=1)


@settings(max_examples=300, deadline=None)
@given(pick=st.randoms(use_true_random=True))
def test_buckets_are_those_that_times_fall_into(
    services: tuple[BlockingPortal, Dependencies], pick: random.Random
) -> None:
    portal, deps = services
    question = ranges(pick)

    assert portal.call(filled, deps, *question) == portal.call(looked_up, deps, *question), question


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "bucket", "start", "end", "expected"),
    [
        (  # 23 and 25 hours
            "Europe/Berlin",
            TimeBucket.DAY,
            "2026-03-28T12:00",
            "2026-03-30T12:00",
            ["2026-03-27T23:00", "2026-03-28T23:00", "2026-03-29T22:00"],
        ),
        (
            "Europe/Berlin",
            TimeBucket.DAY,
            "2026-10-24T12:00",
            "2026-10-26T12:00",
            ["2026-10-23T22:00", "2026-10-24T22:00", "2026-10-25T23:00"],
        ),
        (  # two o'clock comes twice
            "Europe/Berlin",
            TimeBucket.HOUR,
            "2026-10-25T00:00",
            "2026-10-25T02:00",
            ["2026-10-25T00:00", "2026-10-25T01:00"],
        ),
        (
            "Asia/Kolkata",
            TimeBucket.HOUR,
            "2026-01-01T00:00",
            "2026-01-01T01:00",
            ["2025-12-31T23:30", "2026-01-01T00:30"],
        ),
        (  # from two back to half past one: the hour from one comes twice, the second time only its latter half
            "Australia/Lord_Howe",
            TimeBucket.HOUR,
            "2026-04-04T14:00",
            "2026-04-04T16:00",
            ["2026-04-04T14:00", "2026-04-04T14:30", "2026-04-04T15:30"],
        ),
        (  # there was no 30 December
            "Pacific/Apia",
            TimeBucket.DAY,
            "2011-12-29T12:00",
            "2011-12-31T12:00",
            ["2011-12-29T10:00", "2011-12-30T10:00", "2011-12-31T10:00"],
        ),
        (  # a minute of the 28th, then an hour of the 27th again: whatever is seen of it counts
            "America/St_Johns",
            TimeBucket.DAY,
            "1990-10-28T02:30:30",
            "1990-10-28T12:00",
            ["1990-10-27T02:30", "1990-10-28T03:30"],
        ),
        (
            "America/St_Johns",
            TimeBucket.DAY,
            "1990-10-27T12:00",
            "1990-10-28T03:00",
            ["1990-10-27T02:30", "1990-10-28T03:30"],
        ),
        (
            "UTC",
            TimeBucket.WEEK,
            "2026-01-01T00:00",
            "2026-01-05T00:00:00.000001",
            ["2025-12-29T00:00", "2026-01-05T00:00"],
        ),
        (
            "UTC",
            TimeBucket.MONTH,
            "2025-12-31T23:59",
            "2026-03-01T00:00",
            ["2025-12-01T00:00", "2026-01-01T00:00", "2026-02-01T00:00"],
        ),
        ("UTC", TimeBucket.MINUTE, "2026-01-01T00:00:30", "2026-01-01T00:00:31", ["2026-01-01T00:00"]),
    ],
)
def test_buckets_where_clocks_are_moved(
    services: tuple[BlockingPortal, Dependencies],
    zone: str,
    bucket: TimeBucket,
    start: str,
    end: str,
    expected: list[str],
) -> None:
    portal, deps = services

    found = portal.call(filled, deps, bucket, zone, utc(start), utc(end))

    assert found == [utc(moment) for moment in expected]
