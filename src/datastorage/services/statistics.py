"""Figures of remediations: statistics of groups, time series, and facets for filter bars.

A limit errs rather than cuts: half of a chart would be taken for the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from sqlalchemy.exc import DBAPIError

from datastorage.db.faults import INVALID_PARAMETER, sqlstate
from datastorage.domain.caller import Caller, Right
from datastorage.domain.fields import EARLIEST, LATEST
from datastorage.domain.filters import Filter, check_bounds
from datastorage.domain.statistics import (
    BucketRange,
    Facet,
    RemediationGroupField,
    Statistics,
    StatisticsQuestion,
    TimeBucket,
    check_distinct,
    unknown_time_zone,
)
from datastorage.domain.time_series import TimeSeriesMetric, TimeSeriesPoint, points, without_gaps
from datastorage.errors import InvalidInput
from datastorage.limits import FACET_VALUES_MAX, STATISTICS_ROWS_MAX
from datastorage.observability.labels import QueryOperation
from datastorage.observability.metrics import query_observed
from datastorage.repositories.facets import Facets
from datastorage.repositories.statistics import RemediationStatistics
from datastorage.services.dependencies import Dependencies

_ONE_TOO_MANY: Final = STATISTICS_ROWS_MAX + 1
_LENGTH: Final = {
    TimeBucket.MINUTE: timedelta(minutes=1),
    TimeBucket.HOUR: timedelta(hours=1),
    TimeBucket.DAY: timedelta(days=1),
    TimeBucket.WEEK: timedelta(weeks=1),
    TimeBucket.MONTH: timedelta(days=31),
}


async def remediation_stats(
    deps: Dependencies, caller: Caller, question: StatisticsQuestion
) -> list[Statistics]:
    """One row per group. Errors: InvalidInput, Forbidden, Unavailable."""
    caller.require(Right.READ)
    question.check()
    with query_observed(QueryOperation.AGGREGATE), _time_zone_checked():
        async with deps.database.read() as session:
            rows = await RemediationStatistics(session, caller.scope).groups(question, _ONE_TOO_MANY)
        _check_size(question, len(rows))
    return rows


async def time_series(
    deps: Dependencies,
    caller: Caller,
    metric: TimeSeriesMetric,
    question: StatisticsQuestion,
    *,
    fill_gaps: bool,
) -> list[TimeSeriesPoint]:
    """The points of a metric, one series per group. Errors: InvalidInput, Forbidden, Unavailable."""
    if not fill_gaps:
        return points(metric, await remediation_stats(deps, caller, question))
    caller.require(Right.READ)
    question.check()
    span = _span(question)
    with query_observed(QueryOperation.AGGREGATE), _time_zone_checked():
        async with deps.database.read() as session:
            repository = RemediationStatistics(session, caller.scope)
            rows, times = await repository.groups_and_buckets(question, span, _ONE_TOO_MANY)
        series = {row.keys for row in rows} if question.group_by else {()}
        _check_size(question, max(len(rows), len(series) * len(times)))
    return without_gaps(metric, rows, times, series)


async def facets(
    deps: Dependencies,
    caller: Caller,
    fields: Sequence[RemediationGroupField],
    where: Filter,
    values_max: int,
) -> list[Facet]:
    """The most frequent values of each field. Errors: InvalidInput, Forbidden, Unavailable."""
    caller.require(Right.READ)
    check_bounds(where)
    check_distinct("fields", fields)
    if not 1 <= values_max <= FACET_VALUES_MAX:
        raise InvalidInput.single("first", f"must be between 1 and {FACET_VALUES_MAX}, got {values_max}")
    if not fields:
        return []
    with query_observed(QueryOperation.AGGREGATE):
        async with deps.database.read() as session:
            return await Facets(session, caller.scope).most_frequent(fields, where, values_max)


def _span(question: StatisticsQuestion) -> BucketRange:
    """Gaps have an end only between two times, and what fills them is counted before it is made."""
    start, end, bucket = question.start, question.end, question.bucket
    if start is None or end is None or bucket is None:
        raise InvalidInput.single("fillGaps", "needs `from` and `to`")
    if start == EARLIEST or end == LATEST:  # no times to PostgreSQL, but infinity
        raise InvalidInput.single("fillGaps", "needs `from` and `to` within the years 1 to 9999")
    _check_size(question, (end - start) // _LENGTH[bucket])
    return BucketRange(bucket, question.timezone, start, end)


def _check_size(question: StatisticsQuestion, rows: int) -> None:
    if rows <= STATISTICS_ROWS_MAX:
        return
    if question.bucket is None:
        raise InvalidInput.single(
            "groupBy",
            f"makes more than {STATISTICS_ROWS_MAX} groups; group by fewer fields or narrow the filter",
        )
    raise InvalidInput.single(
        "bucket",
        f"makes more than {STATISTICS_ROWS_MAX} points; take a coarser bucket, a shorter range or fewer groups",
    )


@contextmanager
def _time_zone_checked() -> Iterator[None]:
    """The database's own tables of time zones may be older than those that the name was checked against."""
    try:
        yield
    except DBAPIError as error:
        if sqlstate(error) != INVALID_PARAMETER:
            raise
        raise unknown_time_zone() from error
