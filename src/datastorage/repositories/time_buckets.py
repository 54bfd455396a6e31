"""Buckets of local time: the bucket that a time falls into, and all buckets between two times.

PostgreSQL's `date_trunc` with a time zone decides; its tables of zones are the only ones that are asked.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Interval,
    Select,
    Subquery,
    Text,
    cast,
    func,
    literal,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import INTERVAL, array

from datastorage.domain.statistics import BucketRange, TimeBucket
from datastorage.models.base import TIME

_CLOCK: Final = DateTime(timezone=False)  # what a clock shows, in UTC or elsewhere
_DAY: Final = timedelta(days=1)
_INSTANT: Final = timedelta(microseconds=1)
# A literal, since the driver takes the parameter for minus infinity.
_YEAR_1: Final[ColumnElement[datetime]] = literal_column("timestamptz '0001-01-01 00:00:00+00'", TIME)


def bucket_of(time: ColumnElement[Any], bucket: TimeBucket, timezone: str) -> ColumnElement[datetime]:
    """Start of the bucket that a time falls into; never before the year 1, where the driver's times begin."""
    return func.greatest(func.date_trunc(bucket.value, time, timezone), _YEAR_1, type_=TIME)


def buckets_between(span: BucketRange) -> Select[Any]:
    """Starts of all buckets that the times from the start to before the end fall into, as the column `time`.

    Why: adding up buckets goes wrong where clocks are moved, so times are looked up instead. Between two moves of
    the clock a bucket begins and ends on a full unit of local time, and so does whatever a move leaves of it on
    its other side. Cut the range at the full units of every offset that occurs in it, and a first or last
    instant of these cells lies in every bucket.
    """
    lower, upper = (
        literal(edge.astimezone(UTC).replace(tzinfo=None), _CLOCK) for edge in (span.start, span.end)
    )
    step = cast(literal(f"1 {span.bucket}", Text), INTERVAL)
    cells = _cells(span, lower, upper, step)
    edges = array([func.greatest(cells.c.start, lower), func.least(cells.c.end, upper) - _INSTANT])
    probes = (
        select(func.unnest(edges, type_=_CLOCK).label("clock"))
        .where(cells.c.start < upper, cells.c.end > lower)
        .subquery("probes")
    )
    return select(bucket_of(_instant(probes.c.clock), span.bucket, span.timezone).label("time")).distinct()


def _cells(
    span: BucketRange, lower: ColumnElement[Any], upper: ColumnElement[Any], step: ColumnElement[Any]
) -> Subquery:
    """The range cut at full units, by the clock of every offset; offsets with the same cuts count once."""
    offsets = _offsets(span.timezone, lower, upper, step)
    first = func.date_trunc(span.bucket.value, lower + offsets.c.offset, type_=_CLOCK)
    grids = (
        select(func.min(offsets.c.offset, type_=Interval()).label("offset"))
        .group_by(first - offsets.c.offset)
        .subquery("grids")
    )
    first = func.date_trunc(span.bucket.value, lower + grids.c.offset, type_=_CLOCK)
    local = func.generate_series(first, upper + grids.c.offset, step, type_=_CLOCK)
    local_starts = local.table_valued("clock").render_derived("local_starts").lateral()
    clock = local_starts.c.clock
    return (
        select((clock - grids.c.offset).label("start"), (clock + step - grids.c.offset).label("end"))
        .select_from(grids.join(local_starts, true()))
        .subquery("cells")
    )


def _offsets(
    timezone: str, lower: ColumnElement[Any], upper: ColumnElement[Any], step: ColumnElement[Any]
) -> Subquery:
    """The zone's offsets from UTC in the range, looked up once a day (or bucket, if that is longer) and at its end.

    Why: an offset that holds for less leaves no bucket of its own.
    """
    stride = func.greatest(step, _DAY)
    samples = (
        select(func.generate_series(lower, upper, stride, type_=_CLOCK).label("clock"))
        .union(select(upper - _INSTANT))
        .subquery("samples")
    )
    local = func.timezone(timezone, _instant(samples.c.clock), type_=_CLOCK)
    return select((local - samples.c.clock).label("offset")).distinct().subquery("offsets")


def _instant(clock: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.timezone("UTC", clock, type_=TIME)
