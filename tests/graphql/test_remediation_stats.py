"""remediationStats: exact figures of hand-made rows, groups and their order, recurrence, scope, and what is refused."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy.engine import URL

from datastorage import limits
from datastorage.domain import statistics as domain
from datastorage.domain.caller import Caller, Right, Scope
from datastorage.domain.filters import EVERYTHING
from datastorage.domain.statistics import StatisticsQuestion
from datastorage.errors import Forbidden
from datastorage.services import statistics
from support.api import Api, opened_api
from support.client import GraphQLClient
from support.records import remediation_input

# One alert that comes back, and what looks like it without being it.
ROWS: dict[str, dict[str, Any]] = {
    "first": {  # comes back as "again", 24 hours after its end
        "phase": "COMPLETED",
        "startTime": "2026-01-01T12:00:00Z",
        "endTime": "2026-01-01T12:00:10Z",
    },
    "again": {  # comes back in another namespace only, as "elsewhere"
        "phase": "FAILED",
        "startTime": "2026-01-02T12:00:10Z",
        "endTime": "2026-01-02T12:00:30Z",
    },
    "at-once": {
        "phase": "PROCESSING",
        "startTime": "2026-01-02T12:00:30Z",
    },  # not later than the end of "again"
    "elsewhere": {
        "phase": "COMPLETED",
        "status": "FAILURE",
        "namespace": "search",
        "startTime": "2026-01-02T13:00:00Z",
        "endTime": "2026-01-02T13:00:40Z",
    },
    "other-cluster": {"phase": "PENDING", "clusterName": "dev", "startTime": "2026-01-02T14:00:00Z"},
    "other-target": {
        "phase": "PENDING",
        "targetResource": "shop/Pod/api-1",
        "startTime": "2026-01-02T15:00:00Z",
    },
    "other-alert": {
        "phase": "COMPLETED",
        "alertFingerprint": "fp-2",
        "severity": "CRITICAL",
        "startTime": "2026-01-03T12:00:00Z",
        "endTime": "2026-01-03T12:00:00.500Z",
    },
    "too-late": {
        "phase": "COMPLETED",
        "alertFingerprint": "fp-2",
        "severity": "CRITICAL",
        "startTime": "2026-01-04T12:00:00.500001Z",
        "endTime": "2026-01-04T12:00:00.500001Z",
    },
}
STATS = """
query Stats($filter: RemediationAuditFilter, $groupBy: [RemediationGroupField!], $bucket: TimeBucket,
            $from: DateTime, $to: DateTime, $timezone: String) {
  remediationStats(filter: $filter, groupBy: $groupBy, bucket: $bucket, from: $from, to: $to, timezone: $timezone) {
    time keys { field value } count successCount failureCount successRate
    p50DurationMs p95DurationMs p99DurationMs recurredCount recurrenceRate
  }
}
"""
NOTHING = {
    "time": None,
    "keys": [],
    "count": 0,
    "successCount": 0,
    "failureCount": 0,
    "successRate": None,
    "p50DurationMs": None,
    "p95DurationMs": None,
    "p99DurationMs": None,
    "recurredCount": 0,
    "recurrenceRate": None,
}


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


async def stats(client: GraphQLClient, **variables: Any) -> list[dict[str, Any]]:
    return (await client.ask(STATS, **variables)).data["remediationStats"]


async def counts(client: GraphQLClient, **variables: Any) -> list[tuple[Any, ...]]:
    """Of each row its time, the values of its keys, and its count."""
    return [
        (row["time"], *(key["value"] for key in row["keys"]), row["count"])
        for row in await stats(client, **variables)
    ]


async def refused(client: GraphQLClient, **variables: Any) -> tuple[str, str]:
    """Field and message of the only fault."""
    error = (await client.ask(STATS, **variables)).error
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    (fault,) = error["extensions"]["faults"]
    return fault["field"], fault["message"]


async def test_all_rows_make_one_group(client: GraphQLClient, statements: Any) -> None:
    with statements.counted() as seen:
        rows = await stats(client)

    assert rows == [
        {
            "time": None,
            "keys": [],
            "count": 8,
            "successCount": 3,
            "failureCount": 2,
            "successRate": 3 / 5,
            "p50DurationMs": 10_000.0,  # of 0, 500, 10,000, 20,000 and 40,000
            "p95DurationMs": 36_000.0,
            "p99DurationMs": pytest.approx(39_200.0),
            "recurredCount": 2,
            "recurrenceRate": 2 / 5,
        }
    ]
    assert len(seen) == 1


async def test_nothing_makes_one_empty_row_and_no_groups(client: GraphQLClient) -> None:
    nowhere = {"namespace": {"eq": "nowhere"}}

    assert await stats(client, filter=nowhere) == [NOTHING]
    assert await stats(client, filter=nowhere, groupBy=["PHASE"]) == []
    assert await stats(client, filter=nowhere, bucket="DAY") == []
    assert await stats(client, filter=nowhere, groupBy=[]) == [NOTHING]


async def test_what_has_not_ended_has_no_durations_and_no_rates(client: GraphQLClient) -> None:
    (row,) = await stats(client, filter={"phase": {"in": ["PENDING", "PROCESSING"]}})

    assert row == {**NOTHING, "count": 3}


async def test_a_group_per_value_the_largest_first_then_by_value(client: GraphQLClient) -> None:
    rows = await stats(client, groupBy=["PHASE"])

    assert [(row["keys"], row["count"]) for row in rows] == [
        ([{"field": "PHASE", "value": "COMPLETED"}], 4),
        ([{"field": "PHASE", "value": "PENDING"}], 2),
        ([{"field": "PHASE", "value": "FAILED"}], 1),
        ([{"field": "PHASE", "value": "PROCESSING"}], 1),
    ]
    assert [row["successRate"] for row in rows] == [3 / 4, None, 0.0, None]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("STATUS", [("SUCCESS", 3), ("FAILURE", 2), ("PENDING", 2), ("RUNNING", 1)]),
        ("SEVERITY", [("HIGH", 6), ("CRITICAL", 2)]),
        ("ACTION_TYPE", [("restart_pod", 8)]),
        ("NAMESPACE", [("payments", 7), ("search", 1)]),
        ("CLUSTER_NAME", [("prod-eu-1", 7), ("dev", 1)]),
        ("ENVIRONMENT", [("production", 8)]),
        ("ALERT_FINGERPRINT", [("fp-1", 6), ("fp-2", 2)]),
        ("NAME", [("payment-api-oom", 8)]),
        ("TARGET_KIND", [("Deployment", 7), ("Pod", 1)]),
        ("TARGET_NAMESPACE", [(None, 7), ("shop", 1)]),
        ("TARGET_NAME", [("payment-api", 7), ("api-1", 1)]),
        ("TARGET_RESOURCE", [("Deployment/payment-api", 7), ("shop/Pod/api-1", 1)]),
    ],
)
async def test_every_field_can_be_grouped_by(
    client: GraphQLClient, field: str, expected: list[tuple[str | None, int]]
) -> None:
    assert [row[1:] for row in await counts(client, groupBy=[field])] == expected


async def test_groups_of_several_fields_in_buckets(client: GraphQLClient, statements: Any) -> None:
    with statements.counted() as seen:
        rows = await counts(client, groupBy=["SEVERITY", "NAMESPACE"], bucket="DAY")

    assert rows == [
        ("2026-01-01T00:00:00Z", "HIGH", "payments", 1),
        ("2026-01-02T00:00:00Z", "HIGH", "payments", 4),
        ("2026-01-02T00:00:00Z", "HIGH", "search", 1),
        ("2026-01-03T00:00:00Z", "CRITICAL", "payments", 1),
        ("2026-01-04T00:00:00Z", "CRITICAL", "payments", 1),
    ]
    assert len(seen) == 1


async def test_a_bucket_starts_at_local_midnight(client: GraphQLClient) -> None:
    rows = await counts(
        client, bucket="DAY", timezone="Pacific/Auckland", filter={"phase": {"eq": "PENDING"}}
    )

    assert rows == [("2026-01-02T11:00:00Z", 2)]


async def test_weeks_start_on_monday(client: GraphQLClient) -> None:
    assert await counts(client, bucket="WEEK") == [("2025-12-29T00:00:00Z", 8)]


async def test_from_is_in_the_range_and_to_is_not(client: GraphQLClient) -> None:
    limits = {"from": "2026-01-02T12:00:10Z", "to": "2026-01-02T13:00:00Z"}

    assert await counts(client, **limits) == [(None, 2)]
    assert await counts(client, **{**limits, "to": "2026-01-02T13:00:00.000001Z"}) == [(None, 3)]
    assert await counts(client, **{**limits, "from": "2026-01-02T12:00:10.000001Z"}) == [(None, 1)]


async def test_null_arguments_are_the_defaults(client: GraphQLClient) -> None:
    given = dict.fromkeys(("filter", "groupBy", "bucket", "from", "to", "timezone"))

    assert await counts(client, **given) == [(None, 8)]


async def test_recurrence_is_the_same_alert_on_the_same_target_within_a_day(client: GraphQLClient) -> None:
    recurred = {}
    for key in ROWS:
        (row,) = await stats(client, filter={"remediationRequestId": {"eq": key}})
        recurred[key] = row["recurredCount"]

    assert recurred == dict.fromkeys(ROWS, 0) | {"first": 1, "again": 1}


async def test_what_recurs_beyond_the_filter_counts_and_beyond_the_scope_does_not(api: Api) -> None:
    question = StatisticsQuestion(where=EVERYTHING, recurrence=True)
    in_payments = Caller("alice", frozenset({Right.READ}), Scope(namespaces=frozenset({"payments"})))

    (filtered,) = await stats(api.client, filter={"namespace": {"eq": "payments"}})
    (scoped,) = await statistics.remediation_stats(api.deps, in_payments, question)

    assert (filtered["count"], filtered["recurredCount"]) == (7, 2)
    assert (scoped.count, scoped.recurred_count, scoped.recurrence_rate) == (7, 1, 1 / 4)


async def test_who_may_not_read_counts_nothing(api: Api) -> None:
    writer = Caller("writer", frozenset({Right.WRITE}))

    with pytest.raises(Forbidden):
        await statistics.remediation_stats(api.deps, writer, StatisticsQuestion(where=EVERYTHING))


@pytest.mark.parametrize(
    ("selection", "recurrence", "percentiles"),
    [
        ("count successRate", False, False),
        ("recurredCount", True, False),
        ("rate: recurrenceRate", True, False),
        ("... on RemediationStats { recurredCount }", True, False),
        ("... { ...Figures }", True, True),
        ("recurrenceRate: count p99: p99DurationMs", False, True),
        ("count recurrenceRate @include(if: $no)", False, False),
        ("count ... @skip(if: true) { recurrenceRate }", False, False),
    ],
)
async def test_costly_figures_are_computed_only_if_selected(
    client: GraphQLClient, statements: Any, selection: str, *, recurrence: bool, percentiles: bool
) -> None:
    fragment = "fragment Figures on RemediationStats { p50DurationMs recurrenceRate }"
    uses_fragment, uses_variable = "...Figures" in selection, "$no" in selection
    query = (
        f"query{'($no: Boolean = false)' if uses_variable else ''} {{ remediationStats {{ {selection} }} }}"
    )

    with statements.counted() as seen:
        answer = await client.ask(query + fragment * uses_fragment)

    assert len(answer.data["remediationStats"]) == 1
    assert ("EXISTS" in seen[0], "percentile_cont" in seen[0]) == (recurrence, percentiles)


async def test_values_are_bound_and_never_part_of_the_statement(
    client: GraphQLClient, statements: Any
) -> None:
    with statements.counted() as seen:
        await stats(
            client, filter={"name": {"eq": "needle"}}, bucket="HOUR", timezone="Asia/Tokyo", groupBy=["NAME"]
        )

    assert not any(value in seen[0] for value in ("needle", "Tokyo", "hour", "success"))


async def test_rows_at_the_ends_of_time_have_buckets_too(api: Api) -> None:
    first, last = "0001-01-01T00:00:00.000001Z", "9999-12-31T23:59:59.999998Z"
    for start in (first, last):
        await api.client.create(**remediation_input(startTime=start, name="edge", remediationRequestId=start))
    try:
        rows = await counts(
            api.client, bucket="MONTH", timezone="Asia/Kolkata", filter={"name": {"eq": "edge"}}
        )
        assert rows == [("0001-01-01T00:00:00Z", 1), ("9999-12-31T18:30:00Z", 1)]
    finally:
        await api.sql.execute("DELETE FROM remediation_audit WHERE name = 'edge'")


@pytest.mark.parametrize(
    ("variables", "field", "message"),
    [
        ({"groupBy": ["NAME", "NAME"]}, "groupBy", "names a field twice"),
        (
            {"groupBy": ["NAME", "PHASE", "STATUS", "SEVERITY", "NAMESPACE", "ENVIRONMENT"]},
            "groupBy",
            "has more than 5 fields",
        ),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "from", "must lie before `to`"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    client: GraphQLClient, variables: dict[str, Any], field: str, message: str
) -> None:
    assert await refused(client, **variables) == (field, message)


@pytest.mark.parametrize(
    "zone",
    [
        "Europe/Nowhere",
        "europe/berlin",
        "PDT",  # an abbreviation that PostgreSQL knows
        "Europe/Berlin5",  # a POSIX zone to PostgreSQL
        "UTC+3",
        "+03:00",
        "posixrules",
        "localtime",
        "../../etc/passwd",
        " UTC",
        "a\x00b",
    ],
)
async def test_a_time_zone_that_iana_does_not_name_is_refused(client: GraphQLClient, zone: str) -> None:
    field, message = await refused(client, bucket="DAY", timezone=zone)

    assert (field, message) == ("timezone", "is no IANA time zone known here, such as Europe/Berlin")


async def test_a_time_zone_that_the_database_does_not_know_yet_is_refused(
    client: GraphQLClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain, "time_zones", lambda: {"Mars/Olympus"})

    assert (await refused(client, bucket="DAY", timezone="Mars/Olympus"))[0] == "timezone"


async def test_too_many_rows_are_refused_rather_than_cut(
    client: GraphQLClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "STATISTICS_ROWS_MAX", 4)
    monkeypatch.setattr(statistics, "_ONE_TOO_MANY", 5)

    assert len(await stats(client, bucket="DAY")) == 4
    assert await refused(client, groupBy=["ALERT_FINGERPRINT", "PHASE"]) == (
        "groupBy",
        "makes more than 4 groups; group by fewer fields or narrow the filter",
    )
    assert await refused(client, bucket="HOUR") == (
        "bucket",
        "makes more than 4 points; take a coarser bucket, a shorter range or fewer groups",
    )


def test_the_limit_is_ten_thousand() -> None:
    assert (limits.STATISTICS_ROWS_MAX, statistics._ONE_TOO_MANY) == (10_000, 10_001)


async def test_statistics_count_as_aggregates(client: GraphQLClient) -> None:
    def aggregates() -> float:
        labels = {"operation": "aggregate", "status": "success"}
        return REGISTRY.get_sample_value("datastorage_query_total", labels) or 0

    before = aggregates()
    await stats(client)

    assert aggregates() == before + 1
