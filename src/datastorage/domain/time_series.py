"""Time series: statistics as a flat list of points, one series per group."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from datastorage.domain.statistics import GroupKey, Statistics


class TimeSeriesMetric(StrEnum):
    """What a series shows; values are the names of the figures."""

    COUNT = "count"
    SUCCESS_COUNT = "success_count"
    FAILURE_COUNT = "failure_count"
    SUCCESS_RATE = "success_rate"
    P50_DURATION_MS = "p50_duration_ms"
    P95_DURATION_MS = "p95_duration_ms"
    P99_DURATION_MS = "p99_duration_ms"
    RECURRENCE_RATE = "recurrence_rate"


COUNTS: Final = (TimeSeriesMetric.COUNT, TimeSeriesMetric.SUCCESS_COUNT, TimeSeriesMetric.FAILURE_COUNT)
PERCENTILES: Final = (
    TimeSeriesMetric.P50_DURATION_MS,
    TimeSeriesMetric.P95_DURATION_MS,
    TimeSeriesMetric.P99_DURATION_MS,
)


@dataclass(frozen=True, slots=True)
class TimeSeriesPoint:
    """One value of one series."""

    time: datetime
    series: str
    value: float | None


def points(metric: TimeSeriesMetric, rows: Sequence[Statistics]) -> list[TimeSeriesPoint]:
    """The points of these rows, by time, then series."""
    found = [
        TimeSeriesPoint(row.time, series_name(metric, row.keys), getattr(row, metric))
        for row in rows
        if row.time is not None
    ]
    return sorted(found, key=lambda point: (point.time, point.series))


def without_gaps(
    metric: TimeSeriesMetric,
    rows: Sequence[Statistics],
    times: Sequence[datetime],
    series: Collection[tuple[GroupKey, ...]],
) -> list[TimeSeriesPoint]:
    """A point for each of these times and series, in the same order: a count of nothing is 0, its rate is null."""
    held = {(row.time, row.keys): getattr(row, metric) for row in rows}
    nothing = 0 if metric in COUNTS else None
    named = sorted(((series_name(metric, keys), keys) for keys in series), key=lambda pair: pair[0])
    return [
        TimeSeriesPoint(time, name, held.get((time, keys), nothing))
        for time in sorted(times)
        for name, keys in named
    ]


def series_name(metric: TimeSeriesMetric, keys: Sequence[GroupKey]) -> str:
    """What a legend shows: the values of the group, or the metric where there are no groups."""
    return ", ".join("none" if key.value is None else key.value for key in keys) or metric.value
