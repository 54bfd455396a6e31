"""timeSeries: every metric, the names and order of series, buckets without gaps, and how much is too much."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.engine import URL

from datastorage.domain.caller import ANONYMOUS, Caller, Right, Scope
from datastorage.domain.filters import EVERYTHING
from datastorage.domain.statistics import StatisticsQuestion, TimeBucket
from datastorage.domain.time_series import TimeSeriesMetric
from datastorage.errors import Forbidden
from datastorage.services import statistics
from support.api import Api, opened_api
from support.client import GraphQLClient
from support.records import remediation_input

# The night of 25 October 2026, in which Berlin has two o'clock twice: at 00:00 and at 01:00 in UTC.
ROWS: dict[str, dict[str, Any]] = {
    "before": {
        "phase": "COMPLETED",
        "startTime": "2026-10-24T23:10:00Z",
        "endTime": "2026-10-24T23:10:01Z",
    },
    "first-two": {
        "phase": "COMPLETED",
        "severity": "LOW",
        "startTime": "2026-10-25T00:30:00Z",
        "endTime": "2026-10-25T00:30:03Z",
    },
    "second-two": {
        "phase": "FAILED",
        "targetResource": "shop/Pod/a",
        "startTime": "2026-10-25T01:30:00Z",
        "endTime": "2026-10-25T01:30:04Z",
    },
    "second-two-too": {"phase": "PENDING", "startTime": "2026-10-25T01:59:59.999999Z"},
    "last": {
        "phase": "COMPLETED",
        "startTime": "2026-10-25T22:59:59Z",
        "endTime": "2026-10-25T23:00:00Z",
    },
}
SERIES = """
query Series($metric: TimeSeriesMetric!, $bucket: TimeBucket!, $filter: RemediationAuditFilter, $from: DateTime,
             $to: DateTime, $groupBy: [RemediationGroupField!], $timezone: String, $fillGaps: Boolean) {
  timeSeries(metric: $metric, bucket: $bucket, filter: $filter, from: $from, to: $to, groupBy: $groupBy,
             timezone: $timezone, fillGaps: $fillGaps) { time series value }
}
"""
NIGHT = {"from": "2026-10-25T00:00:00Z", "to": "2026-10-25T04:00:00Z"}


@pytest.fixture(scope="module")
async def api(server_url: URL, template: str) -> AsyncIterator[Api]:
    async with opened_api(server_url, template) as opened:
        for key, fields in ROWS.items():
            created = await opened.client.create(**remediation_input(remediationRequestId=key, **fields))
            assert created["__typename"] == "CreateRemediationAuditPayload"
        yield opened


@pytest.fixture
def client(api: Api) -> GraphQLClient:
    return api.client


async def series(client: GraphQLClient, **variables: Any) -> list[tuple[str, str, float | None]]:
    """Time, series and value of each point; hours of Berlin's counts unless told otherwise."""
    asked = {"metric": "COUNT", "bucket": "HOUR", "timezone": "Europe/Berlin", **variables}
    points = (await client.ask(SERIES, **asked)).data["timeSeries"]
    return [(point["time"], point["series"], point["value"]) for point in points]


async def refused(client: GraphQLClient, **variables: Any) -> tuple[str, str]:
    """Field and message of the only fault."""
    error = (await client.ask(SERIES, **{"metric": "COUNT", "bucket": "HOUR", **variables})).error
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    (fault,) = error["extensions"]["faults"]
    return fault["field"], fault["message"]


async def test_the_hour_that_comes_twice_is_two_points(client: GraphQLClient, statements: Any) -> None:
    with statements.counted() as seen:
        points = await series(client)

    assert points == [
        ("2026-10-24T23:00:00Z", "count", 1.0),
        ("2026-10-25T00:00:00Z", "count", 1.0),
        ("2026-10-25T01:00:00Z", "count", 2.0),
        ("2026-10-25T22:00:00Z", "count", 1.0),
    ]
    assert len(seen) == 1


async def test_the_day_of_25_hours_is_one_point(client: GraphQLClient) -> None:
    assert await series(client, bucket="DAY") == [("2026-10-24T22:00:00Z", "count", 5.0)]
    assert await series(client, bucket="DAY", timezone="UTC") == [
        ("2026-10-24T00:00:00Z", "count", 1.0),
        ("2026-10-25T00:00:00Z", "count", 4.0),
    ]


@pytest.mark.parametrize(
    ("metric", "values"),
    [
        ("COUNT", [3.0, 1.0]),
        ("SUCCESS_COUNT", [2.0, 1.0]),
        ("FAILURE_COUNT", [1.0, 0.0]),
        ("SUCCESS_RATE", [2 / 3, 1.0]),
        ("P50_DURATION_MS", [3000.0, 1000.0]),
        ("P95_DURATION_MS", [3900.0, 1000.0]),
        ("P99_DURATION_MS", [3980.0, 1000.0]),
        ("RECURRENCE_RATE", [2 / 3, 0.0]),
    ],
)
async def test_every_metric(client: GraphQLClient, metric: str, values: list[float]) -> None:
    # Kathmandu's day turns at 18:15 in UTC, before "last"; what is pending counts as a recurrence all the same.
    points = await series(
        client,
        metric=metric,
        bucket="DAY",
        timezone="Asia/Kathmandu",
        filter={"remediationRequestId": {"ne": "second-two-too"}},
    )

    assert points == [
        ("2026-10-24T18:15:00Z", metric.lower(), pytest.approx(values[0])),
        ("2026-10-25T18:15:00Z", metric.lower(), values[1]),
    ]


async def test_a_series_is_named_by_its_values(client: GraphQLClient) -> None:
    points = await series(client, groupBy=["SEVERITY", "TARGET_NAMESPACE"], **NIGHT)

    assert points == [
        ("2026-10-25T00:00:00Z", "LOW, none", 1.0),
        ("2026-10-25T01:00:00Z", "HIGH, none", 1.0),
        ("2026-10-25T01:00:00Z", "HIGH, shop", 1.0),
    ]


async def test_gaps_are_filled_in_every_series(client: GraphQLClient, statements: Any) -> None:
    with statements.counted() as seen:
        points = await series(client, groupBy=["SEVERITY"], fillGaps=True, **NIGHT)

    assert points == [
        ("2026-10-25T00:00:00Z", "HIGH", 0.0),
        ("2026-10-25T00:00:00Z", "LOW", 1.0),
        ("2026-10-25T01:00:00Z", "HIGH", 2.0),
        ("2026-10-25T01:00:00Z", "LOW", 0.0),
        ("2026-10-25T02:00:00Z", "HIGH", 0.0),
        ("2026-10-25T02:00:00Z", "LOW", 0.0),
        ("2026-10-25T03:00:00Z", "HIGH", 0.0),
        ("2026-10-25T03:00:00Z", "LOW", 0.0),
    ]
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("COUNT", 0.0),
        ("SUCCESS_COUNT", 0.0),
        ("FAILURE_COUNT", 0.0),
        ("SUCCESS_RATE", None),
        ("P50_DURATION_MS", None),
        ("P95_DURATION_MS", None),
        ("P99_DURATION_MS", None),
        ("RECURRENCE_RATE", None),
    ],
)
async def test_a_bucket_of_nothing_counts_0_and_has_no_rate(
    client: GraphQLClient, metric: str, value: float | None
) -> None:
    nowhere = {"namespace": {"eq": "nowhere"}}

    points = await series(client, metric=metric, filter=nowhere, fillGaps=True, **NIGHT)

    assert points == [(f"2026-10-25T0{hour}:00:00Z", metric.lower(), value) for hour in range(4)]


async def test_groups_that_do_not_occur_are_no_series(client: GraphQLClient) -> None:
    nowhere = {"namespace": {"eq": "nowhere"}}

    assert await series(client, filter=nowhere, groupBy=["PHASE"], fillGaps=True, **NIGHT) == []


async def test_the_first_bucket_starts_before_the_range(client: GraphQLClient) -> None:
    points = await series(
        client, fillGaps=True, **{"from": "2026-10-25T00:31:00Z", "to": "2026-10-25T01:00:00.000001Z"}
    )

    assert points == [("2026-10-25T00:00:00Z", "count", 0.0), ("2026-10-25T01:00:00Z", "count", 0.0)]


@pytest.mark.parametrize("bounds", [{}, {"from": NIGHT["from"]}, {"to": NIGHT["to"]}])
async def test_gaps_need_an_end_on_both_sides(client: GraphQLClient, bounds: dict[str, str]) -> None:
    assert await refused(client, fillGaps=True, **bounds) == ("fillGaps", "needs `from` and `to`")


async def test_gaps_without_end_are_not_filled(client: GraphQLClient) -> None:
    early = {"from": "0001-01-01T00:00:00Z", "to": "0001-01-01T01:00:00Z"}
    late = {"from": "9999-12-31T23:00:00Z", "to": "9999-12-31T23:59:59.999999Z"}

    for bounds in (early, late):
        field, _ = await refused(client, fillGaps=True, **bounds)
        assert field == "fillGaps"


TOO_MANY = "makes more than 10000 points; take a coarser bucket, a shorter range or fewer groups"


async def test_ten_thousand_points_are_the_most(client: GraphQLClient, statements: Any) -> None:
    start = "2026-10-01T00:00:00Z"
    most = {"bucket": "MINUTE", "fillGaps": True, "from": start, "to": "2026-10-07T22:40:00Z"}

    assert len(await series(client, **most)) == 10_000
    assert await refused(client, **{**most, "to": "2026-10-07T22:40:00.000001Z"}) == ("bucket", TOO_MANY)
    with statements.counted() as seen:
        assert await refused(client, **{**most, "to": "9999-01-01T00:00:00Z"}) == ("bucket", TOO_MANY)
    assert seen == []  # refused before a bucket is made


async def test_filled_points_of_all_series_count(client: GraphQLClient) -> None:
    bounds = {"from": "2026-10-20T00:00:00Z", "to": "2026-10-25T12:00:00Z"}  # 7,920 minutes

    assert await refused(client, bucket="MINUTE", fillGaps=True, groupBy=["SEVERITY"], **bounds) == (
        "bucket",
        TOO_MANY,
    )


@pytest.mark.parametrize(
    ("bucket", "end", "count"),
    [
        ("MINUTE", "2000-01-07T05:00:00Z", 6 * 1440),
        ("HOUR", "2001-02-01T05:00:00Z", 397 * 24),
        ("DAY", "2027-01-01T05:00:00Z", 27 * 365 + 7),
        ("WEEK", "2190-01-01T05:00:00Z", 9915),
        ("MONTH", "2800-01-01T05:00:00Z", 9600),
    ],
)
async def test_long_ranges_are_filled(client: GraphQLClient, bucket: str, end: str, count: int) -> None:
    bounds = {"from": "2000-01-01T05:00:00Z", "to": end}

    points = await series(client, bucket=bucket, timezone="America/New_York", fillGaps=True, **bounds)

    assert len(points) == len({time for time, _, _ in points}) == count


async def test_only_rows_within_the_scope_are_counted(api: Api) -> None:
    question = StatisticsQuestion(where=EVERYTHING, bucket=TimeBucket.DAY)
    elsewhere = Caller("bob", frozenset({Right.READ}), Scope(namespaces=frozenset({"search"})))
    metric = TimeSeriesMetric.COUNT

    every = await statistics.time_series(api.deps, ANONYMOUS, metric, question, fill_gaps=False)
    none = await statistics.time_series(api.deps, elsewhere, metric, question, fill_gaps=False)

    assert [point.value for point in every] == [1, 4]
    assert none == []


async def test_who_may_not_read_sees_no_series(api: Api) -> None:
    writer = Caller("writer", frozenset({Right.WRITE}))
    question = StatisticsQuestion(where=EVERYTHING, bucket=TimeBucket.DAY)

    for fill_gaps in (False, True):
        with pytest.raises(Forbidden):
            await statistics.time_series(
                api.deps, writer, TimeSeriesMetric.COUNT, question, fill_gaps=fill_gaps
            )
