"""Statistics as clients see them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from datastorage.graphql.statistics.enums import RemediationGroupField


@strawberry.type(description="What the remediation audits of a group have in common.")
class GroupKey:
    """A view of `domain.statistics.GroupKey`."""

    field: RemediationGroupField = strawberry.field(description="The field.")
    value: str | None = strawberry.field(
        description="Its value, members of enums in upper case; null where there is none."
    )


@strawberry.type(description="Figures of a group of remediation audits. Each audit is one attempt.")
class RemediationStats:
    """A view of `domain.statistics.Statistics`."""

    time: datetime | None = strawberry.field(description="Start of the bucket; null without `bucket`.")
    keys: list[GroupKey] = strawberry.field(description="What the group has in common, as in `groupBy`.")
    count: int = strawberry.field(description="How many there are.")
    success_count: int = strawberry.field(description="Those with the status SUCCESS.")
    failure_count: int = strawberry.field(description="Those with the status FAILURE.")
    success_rate: float | None = strawberry.field(
        description="Successes / (successes + failures), 0 to 1; null when there are neither."
    )
    p50_duration_ms: float | None = strawberry.field(
        description="Median duration of those that ended, in milliseconds; null if none did."
    )
    p95_duration_ms: float | None = strawberry.field(
        description="95th percentile of the duration of those that ended, interpolated."
    )
    p99_duration_ms: float | None = strawberry.field(
        description="99th percentile of the duration of those that ended, interpolated."
    )
    recurred_count: int = strawberry.field(
        description="Those after which the same alert struck the same target in the same cluster again: another "
        "remediation, whether or not the filter keeps it, started later than their end and at most 24 hours "
        "later. The costliest figure; ask for it, or for the rate, only where it is shown."
    )
    recurrence_rate: float | None = strawberry.field(
        description="recurredCount / those that ended, 0 to 1; null if none did."
    )


@strawberry.type(description="A point of a time series, flat, as Grafana's GraphQL data sources read it.")
class TimeSeriesPoint:
    """A view of `domain.time_series.TimeSeriesPoint`."""

    time: datetime = strawberry.field(description="Start of the bucket.")
    series: str = strawberry.field(
        description="The values of `groupBy`, joined by `, `, `none` where there is no value; "
        "without `groupBy` the name of the metric in lower case."
    )
    value: float | None = strawberry.field(
        description="The metric; null where it has no value, such as the success rate of nothing."
    )


@strawberry.type(description="A value and how often it occurs.")
class FacetValue:
    """A view of `domain.statistics.FacetValue`."""

    value: str | None = strawberry.field(
        description="The value, members of enums in upper case; null stands for audits without one."
    )
    count: int = strawberry.field(description="Remediation audits that have it.")


@strawberry.type(description="The values of a field, for a dashboard's filter bar.")
class Facet:
    """A view of `domain.statistics.Facet`."""

    field: RemediationGroupField = strawberry.field(description="The field.")
    values: list[FacetValue] = strawberry.field(description="The most frequent values, then by value.")
    distinct_count: int = strawberry.field(
        description="How many values there are; to have none counts as one."
    )
    other_count: int = strawberry.field(description="Remediation audits whose value is not listed.")
