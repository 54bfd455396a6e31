"""Figures of groups of remediations, within a caller's scope; always one statement."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Row,
    Select,
    Subquery,
    and_,
    exists,
    func,
    literal,
    null,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from datastorage.db.database import ReadSession
from datastorage.domain.caller import Scope
from datastorage.domain.enums import Status
from datastorage.domain.remediation import REMEDIATION
from datastorage.domain.statistics import (
    BucketRange,
    GroupKey,
    RemediationGroupField,
    Statistics,
    StatisticsQuestion,
)
from datastorage.limits import RECURRENCE_HOURS
from datastorage.models import remediation_audit
from datastorage.repositories.records import matching
from datastorage.repositories.scope import visible
from datastorage.repositories.time_buckets import bucket_of, buckets_between

PERCENTILES: Final = (0.5, 0.95, 0.99)
_audit = remediation_audit.c


class RemediationStatistics:
    """What a caller can count."""

    def __init__(self, session: ReadSession, scope: Scope) -> None:
        self._session, self._scope = session, scope

    async def groups(self, question: StatisticsQuestion, rows_max: int) -> list[Statistics]:
        """The groups by time, then the largest first, then by keys; no more than `rows_max`."""
        rows = await self._session.execute(self._groups(question).limit(rows_max))
        return [_statistics(question.group_by, row) for row in rows]

    async def groups_and_buckets(
        self, question: StatisticsQuestion, span: BucketRange, rows_max: int
    ) -> tuple[list[Statistics], list[datetime]]:
        """The same, and the starts of all buckets of the range, also of those that nothing falls into."""
        groups = self._groups(question).limit(rows_max).subquery("groups")
        buckets = buckets_between(span).subquery("buckets")
        statement = select(buckets.c.time.label("bucket"), groups).select_from(
            buckets.join(groups, buckets.c.time == groups.c.time, full=True)
        )
        found, times = [], set()
        for row in await self._session.execute(statement):
            times.add(row.bucket or row.time)
            if row.total is not None:
                found.append(_statistics(question.group_by, row))
        return found, sorted(times)

    def _groups(self, question: StatisticsQuestion) -> Select[Any]:
        attempts = self._attempts(question)
        keys = [attempts.c[_label(field)] for field in question.group_by]
        times = [] if question.bucket is None else [attempts.c.time]
        figures = _figures(attempts, question)
        total = figures[0]
        return (
            select(*(times or [null().label("time")]), *keys, *figures)
            .group_by(*times, *keys)
            .order_by(*times, total.desc(), *keys)
        )

    def _attempts(self, question: StatisticsQuestion) -> Subquery:
        """What the figures are made of, row by row."""
        columns: list[ColumnElement[Any]] = [_audit.status, _audit.end_time, _audit.duration_ms]
        columns += [_audit[field].label(_label(field)) for field in question.group_by]
        if question.bucket is not None:
            time = bucket_of(_audit.start_time, question.bucket, question.timezone)
            columns.append(time.label("time"))
        if question.recurrence:
            columns.append(self._recurred().label("recurred"))
        return select(*columns).where(matching(REMEDIATION, question.rows, self._scope)).subquery("attempts")

    def _recurred(self) -> ColumnElement[bool]:
        """The same alert struck the same target soon after the end; what starts later cannot be the same row."""
        later = remediation_audit.alias("later")
        soon = func.make_interval(0, 0, 0, 0, RECURRENCE_HOURS)
        return exists().where(
            and_(
                later.c.alert_fingerprint == _audit.alert_fingerprint,
                later.c.cluster_name == _audit.cluster_name,
                later.c.target_resource == _audit.target_resource,
                later.c.start_time > _audit.end_time,
                later.c.start_time <= _audit.end_time + soon,
                visible(later, self._scope),
            )
        )


def _figures(attempts: Subquery, question: StatisticsQuestion) -> list[Any]:
    """The aggregates; the two costly ones only if they were asked for."""
    column = attempts.c
    percentiles = func.percentile_cont(literal(list(PERCENTILES), ARRAY(Float)))
    durations = percentiles.within_group(column.duration_ms) if question.percentiles else null()
    recurred = func.count().filter(column.recurred) if question.recurrence else literal(0, BigInteger)
    return [
        func.count().label("total"),
        func.count().filter(column.status == Status.SUCCESS).label("succeeded"),
        func.count().filter(column.status == Status.FAILURE).label("failed"),
        func.count(column.end_time).label("ended"),
        durations.label("durations_ms"),
        recurred.label("recurred"),
    ]


def _label(field: RemediationGroupField) -> str:
    return f"key_{field}"


def _statistics(group_by: Iterable[RemediationGroupField], row: Row[Any]) -> Statistics:
    values = row._mapping  # noqa: SLF001 -- SQLAlchemy's public name for it
    p50, p95, p99 = row.durations_ms or (None, None, None)
    return Statistics(
        time=row.time,
        keys=tuple(GroupKey(field, field.spelled(values[_label(field)])) for field in group_by),
        count=row.total,
        success_count=row.succeeded,
        failure_count=row.failed,
        ended_count=row.ended,
        p50_duration_ms=p50,
        p95_duration_ms=p95,
        p99_duration_ms=p99,
        recurred_count=row.recurred,
    )
