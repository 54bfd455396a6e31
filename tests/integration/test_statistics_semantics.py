"""Statistics of random rows, groups and filters are those of a plain evaluation in Python."""

import math
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from anyio.from_thread import BlockingPortal
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import URL

from datastorage.domain.caller import ANONYMOUS, Caller, Right, Scope
from datastorage.domain.enums import Phase, Severity, Status
from datastorage.domain.filters import AllOf, Condition, Operator
from datastorage.domain.receipt import Written
from datastorage.domain.remediation import REMEDIATION, RemediationAudit
from datastorage.domain.statistics import (
    Facet,
    FacetValue,
    GroupKey,
    RemediationGroupField,
    Statistics,
    StatisticsQuestion,
    TimeBucket,
)
from datastorage.services import statistics
from datastorage.services.dependencies import Dependencies
from datastorage.services.records import create_records
from support.api import services_from_sync_tests
from support.records import remediation_row

ROWS_MAX = 120
START = datetime(2026, 10, 23, tzinfo=UTC)  # two days before clocks go back in Europe
NAMESPACES = ("payments", "search", "shop")
CLUSTERS = ("dev", "prod")
ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu", "America/New_York")


def rows() -> list[dict[str, Any]]:
    """The same rows on every run: few alerts and targets and round times, so that many come back on the dot."""
    pick = random.Random(2)
    made = []
    for number in range(ROWS_MAX):
        start = START + timedelta(hours=6 * pick.randrange(20))
        hours = pick.choice((None, 0, 1, 6, 6))
        made.append(
            remediation_row(
                remediation_request_id=f"rr-{number}",
                namespace=pick.choice(NAMESPACES),
                cluster_name=pick.choice(CLUSTERS),
                phase=pick.choice(list(Phase)),
                status=pick.choice([None, *Status]),
                severity=pick.choice((Severity.LOW, Severity.HIGH)),
                alert_fingerprint=pick.choice(("fp-1", "fp-2")),
                target_resource=pick.choice(("Pod/a", "Pod/b", "shop/Pod/a")),
                start_time=start,
                end_time=None if hours is None else start + timedelta(hours=hours),
            )
        )
    return made


@pytest.fixture(scope="module")
def services(server_url: URL, template: str) -> Iterator[tuple[BlockingPortal, Dependencies]]:
    with services_from_sync_tests(server_url, template) as opened:
        yield opened


@pytest.fixture(scope="module")
def audits(services: tuple[BlockingPortal, Dependencies]) -> list[RemediationAudit]:
    portal, deps = services
    outcomes = portal.call(create_records, deps, ANONYMOUS, REMEDIATION, rows())
    stored = [outcome.record for outcome in outcomes if isinstance(outcome, Written)]
    assert len(stored) == ROWS_MAX
    return stored


def callers(pick: random.Random) -> Caller:
    """Somebody who sees all, or only a part."""
    namespaces = pick.choice((None, None, frozenset(pick.sample(NAMESPACES, pick.randrange(3)))))
    clusters = pick.choice((None, None, frozenset(pick.sample(CLUSTERS, 1))))
    return Caller("alice", frozenset({Right.READ}), Scope(namespaces, clusters))


def questions(pick: random.Random) -> StatisticsQuestion:
    fields = list(RemediationGroupField)
    return StatisticsQuestion(
        where=pick.choice((AllOf(), Condition("status", Operator.NE, Status.SUCCESS))),
        group_by=tuple(pick.sample(fields, pick.choice((0, 1, 1, 2, 3)))),
        bucket=pick.choice((None, *TimeBucket)),
        start=pick.choice((None, START + timedelta(hours=12 * pick.randrange(4)))),
        end=pick.choice((None, START + timedelta(hours=48 + 12 * pick.randrange(4)))),
        timezone=pick.choice(ZONES),
        percentiles=True,
        recurrence=True,
    )


def bucket_start(time: datetime, bucket: TimeBucket, zone: str) -> datetime:
    """The start of a bucket by Python's own time zones; of a time that comes twice, `fold` says which it is."""
    local = time.astimezone(ZoneInfo(zone)).replace(second=0, microsecond=0)
    if bucket is not TimeBucket.MINUTE:
        local = local.replace(minute=0)
    if bucket in (TimeBucket.DAY, TimeBucket.WEEK, TimeBucket.MONTH):
        local = local.replace(hour=0)
    if bucket is TimeBucket.WEEK:
        local -= timedelta(days=local.weekday())  # by the calendar: the offset is looked up afterwards
    if bucket is TimeBucket.MONTH:
        local = local.replace(day=1)
    return local.astimezone(UTC)


def percentile(values: Sequence[int], share: float) -> float | None:
    """Interpolated between the two nearest."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    return low + (high - low) * (place - math.floor(place))


def recurred(audit: RemediationAudit, visible: Sequence[RemediationAudit]) -> bool:
    return audit.end_time is not None and any(
        timedelta(0) < other.start_time - audit.end_time <= timedelta(hours=24)
        and (other.alert_fingerprint, other.cluster_name, other.target_resource)
        == (audit.alert_fingerprint, audit.cluster_name, audit.target_resource)
        for other in visible
    )


def key(audit: RemediationAudit, field: RemediationGroupField) -> GroupKey:
    value = getattr(audit, field)
    return GroupKey(field, value.name if isinstance(value, Phase | Status | Severity) else value)


def kept(question: StatisticsQuestion, visible: Sequence[RemediationAudit]) -> list[RemediationAudit]:
    return [
        audit
        for audit in visible
        if (question.where == AllOf() or audit.status is not Status.SUCCESS)
        and (question.start is None or audit.start_time >= question.start)
        and (question.end is None or audit.start_time < question.end)
    ]


def figures(
    time: datetime | None,
    keys: tuple[GroupKey, ...],
    group: Sequence[RemediationAudit],
    visible: Sequence[RemediationAudit],
) -> Statistics:
    durations = [audit.duration_ms for audit in group if audit.duration_ms is not None]
    return Statistics(
        time=time,
        keys=keys,
        count=len(group),
        success_count=sum(audit.status is Status.SUCCESS for audit in group),
        failure_count=sum(audit.status is Status.FAILURE for audit in group),
        ended_count=len(durations),
        p50_duration_ms=percentile(durations, 0.5),
        p95_duration_ms=pytest.approx(percentile(durations, 0.95)),
        p99_duration_ms=pytest.approx(percentile(durations, 0.99)),
        recurred_count=sum(recurred(audit, visible) for audit in group),
    )


def evaluated(question: StatisticsQuestion, visible: Sequence[RemediationAudit]) -> list[Statistics]:
    groups: dict[tuple[Any, ...], list[RemediationAudit]] = defaultdict(list)
    if question.bucket is None and not question.group_by:
        groups[None, ()] = []
    for audit in kept(question, visible):
        time = question.bucket and bucket_start(audit.start_time, question.bucket, question.timezone)
        groups[time, tuple(key(audit, field) for field in question.group_by)].append(audit)
    rows = [figures(time, keys, group, visible) for (time, keys), group in groups.items()]
    return sorted(rows, key=place)


def place(row: Statistics) -> tuple[Any, ...]:
    """By time, then the largest first, then by values, those without one last."""
    values = tuple((group_key.value is None, group_key.value or "") for group_key in row.keys)
    return row.time or START, -row.count, values


@settings(max_examples=300, deadline=None)
@given(pick=st.randoms(use_true_random=True))
def test_figures_are_what_their_meaning_says(
    services: tuple[BlockingPortal, Dependencies], audits: list[RemediationAudit], pick: random.Random
) -> None:
    portal, deps = services
    caller, question = callers(pick), questions(pick)
    visible = [audit for audit in audits if caller.scope.covers(audit.namespace, audit.cluster_name)]

    found = portal.call(statistics.remediation_stats, deps, caller, question)

    assert found == evaluated(question, visible), (caller, question)


@settings(max_examples=100, deadline=None)
@given(pick=st.randoms(use_true_random=True))
def test_facets_are_what_their_meaning_says(
    services: tuple[BlockingPortal, Dependencies], audits: list[RemediationAudit], pick: random.Random
) -> None:
    portal, deps = services
    caller, question, values_max = callers(pick), questions(pick), pick.choice((1, 2, 3, 100))
    fields = pick.sample(list(RemediationGroupField), pick.randrange(1, 14))
    visible = [audit for audit in audits if caller.scope.covers(audit.namespace, audit.cluster_name)]

    found = portal.call(statistics.facets, deps, caller, fields, question.rows, values_max)

    for field, facet in zip(fields, found, strict=True):
        counts: dict[str | None, int] = defaultdict(int)
        for audit in kept(question, visible):
            counts[key(audit, field).value] += 1
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0] is None, item[0] or ""))
        listed = [FacetValue(*item) for item in ranked[:values_max]]
        other = sum(count for _, count in ranked[values_max:])
        assert facet == Facet(field, listed or (), len(ranked), other), (caller, question)
