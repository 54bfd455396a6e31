"""Queries for statistics."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from datastorage.domain import statistics as figures
from datastorage.domain import time_series as series
from datastorage.domain.paging import Page, page_request
from datastorage.domain.remediation import REMEDIATION
from datastorage.domain.remediation import RemediationAudit as Remediation
from datastorage.domain.stale import OLDEST_FIRST, stale
from datastorage.domain.statistics import StatisticsQuestion
from datastorage.graphql.arguments import After, Before, First, Last, WhichRemediations
from datastorage.graphql.connection import Connection
from datastorage.graphql.context import Info
from datastorage.graphql.filters import to_filter
from datastorage.graphql.selection import selected
from datastorage.graphql.statistics.arguments import From, GroupBy, Timezone, To
from datastorage.graphql.statistics.enums import RemediationGroupField, TimeBucket, TimeSeriesMetric
from datastorage.graphql.statistics.types import Facet, RemediationStats, TimeSeriesPoint
from datastorage.graphql.view import view
from datastorage.limits import FACET_VALUES_DEFAULT
from datastorage.services import statistics
from datastorage.services.records import list_records

if TYPE_CHECKING:
    from datastorage.graphql.remediation.types import RemediationAudit

UTC = "UTC"


async def remediation_stats(
    info: Info,
    filter: WhichRemediations = None,
    group_by: GroupBy = None,
    bucket: Annotated[
        TimeBucket | None, strawberry.argument(description="One group for each span of time as well.")
    ] = None,
    from_: From = None,
    to: To = None,
    timezone: Timezone = UTC,
) -> list[figures.Statistics]:
    """Rows of figures."""
    wanted = selected(info)
    question = StatisticsQuestion(
        where=to_filter(filter),
        group_by=tuple(group_by or ()),
        bucket=bucket,
        start=from_,
        end=to,
        timezone=timezone or UTC,
        percentiles=not wanted.isdisjoint({"p50DurationMs", "p95DurationMs", "p99DurationMs"}),
        recurrence=not wanted.isdisjoint({"recurredCount", "recurrenceRate"}),
    )
    return await statistics.remediation_stats(info.context.deps, info.context.caller, question)


async def time_series(
    info: Info,
    metric: Annotated[TimeSeriesMetric, strawberry.argument(description="What the points show.")],
    bucket: Annotated[TimeBucket, strawberry.argument(description="How long a span a point stands for.")],
    filter: WhichRemediations = None,
    from_: From = None,
    to: To = None,
    group_by: GroupBy = None,
    timezone: Timezone = UTC,
    fill_gaps: Annotated[
        bool | None,
        strawberry.argument(
            description="A point for every bucket between `from` and `to`, both of which it needs, in every series "
            "that occurs: counts 0, rates and percentiles null where nothing happened."
        ),
    ] = False,
) -> list[series.TimeSeriesPoint]:
    """Points."""
    question = StatisticsQuestion(
        where=to_filter(filter),
        group_by=tuple(group_by or ()),
        bucket=bucket,
        start=from_,
        end=to,
        timezone=timezone or UTC,
        percentiles=metric in series.PERCENTILES,
        recurrence=metric is TimeSeriesMetric.RECURRENCE_RATE,
    )
    return await statistics.time_series(
        info.context.deps, info.context.caller, metric, question, fill_gaps=bool(fill_gaps)
    )


async def facets(
    info: Info,
    fields: Annotated[
        list[RemediationGroupField], strawberry.argument(description="The fields, none of them twice.")
    ],
    filter: WhichRemediations = None,
    first: Annotated[
        int | None, strawberry.argument(description="Values of each field, 1 to 100.")
    ] = FACET_VALUES_DEFAULT,
) -> list[figures.Facet]:
    """Facets."""
    values_max = FACET_VALUES_DEFAULT if first is None else first
    return await statistics.facets(
        info.context.deps, info.context.caller, fields, to_filter(filter), values_max
    )


async def stale_remediations(
    info: Info,
    older_than: Annotated[
        datetime, strawberry.argument(description="What started before this time; keep it while paging.")
    ],
    filter: WhichRemediations = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page[Remediation]:
    """A page."""
    where = stale(older_than, to_filter(filter))
    request = page_request(
        where=where,
        order=OLDEST_FIRST,
        first=first,
        after=after,
        last=last,
        before=before,
        of=REMEDIATION.type_name,
    )
    return await list_records(info.context.deps, info.context.caller, REMEDIATION, request)


@strawberry.type
class StatisticsQueries:
    """Root fields."""

    remediation_stats: list[RemediationStats] = view(
        remediation_stats,
        "Figures of remediation audits: one row per group, one row in all without `groupBy` and `bucket`. "
        "By time, then the largest group first, then by keys. More than 10,000 rows are refused.",
    )
    time_series: list[TimeSeriesPoint] = view(
        time_series,
        "A metric over time, one series per group, ordered by time, then series. "
        "More than 10,000 points are refused.",
    )
    facets: list[Facet] = view(
        facets,
        "What values occur in some fields, and how often: the choices of a dashboard's filter bar. "
        "The filter holds for each field, also where it is about that field itself.",
    )
    stale_remediations: Connection[
        Annotated[RemediationAudit, strawberry.lazy("datastorage.graphql.remediation.types")]
    ] = view(
        stale_remediations,
        "Work that never reached an end: remediation audits that are PENDING or PROCESSING and started before "
        "`olderThan`, oldest first.",
    )
