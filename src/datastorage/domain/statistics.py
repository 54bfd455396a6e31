"""Statistics of remediations as values: what can be asked, and what comes back. Counted in `repositories`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Final
from zoneinfo import available_timezones

from datastorage.domain.filters import AllOf, Condition, Filter, Operator, check_bounds
from datastorage.errors import InvalidInput
from datastorage.limits import STATISTICS_GROUP_FIELDS_MAX


class RemediationGroupField(StrEnum):
    """What remediations are grouped by; values are column names."""

    PHASE = "phase"
    STATUS = "status"
    SEVERITY = "severity"
    ACTION_TYPE = "action_type"
    NAMESPACE = "namespace"
    CLUSTER_NAME = "cluster_name"
    ENVIRONMENT = "environment"
    ALERT_FINGERPRINT = "alert_fingerprint"
    NAME = "name"
    TARGET_KIND = "target_kind"
    TARGET_NAMESPACE = "target_namespace"
    TARGET_NAME = "target_name"
    TARGET_RESOURCE = "target_resource"

    def spelled(self, value: str | None) -> str | None:
        """A stored value as clients know it: members of enums in upper case."""
        return value.upper() if value is not None and self in _ENUMS else value


_ENUMS: Final = frozenset(
    {RemediationGroupField.PHASE, RemediationGroupField.STATUS, RemediationGroupField.SEVERITY}
)


class TimeBucket(StrEnum):
    """Spans of local time; values are PostgreSQL's names for them."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class GroupKey:
    """What the remediations of a group have in common; None where the column has no value."""

    field: RemediationGroupField
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """The figures of one group. Percentiles and recurrence are there only if they were asked for."""

    time: datetime | None  # start of the bucket
    keys: tuple[GroupKey, ...]
    count: int
    success_count: int
    failure_count: int
    ended_count: int
    p50_duration_ms: float | None
    p95_duration_ms: float | None
    p99_duration_ms: float | None
    recurred_count: int

    @property
    def success_rate(self) -> float | None:
        """Of those that are decided, the share that helped."""
        decided = self.success_count + self.failure_count
        return self.success_count / decided if decided else None

    @property
    def recurrence_rate(self) -> float | None:
        """Of those that ended, the share after which the same happened again."""
        return self.recurred_count / self.ended_count if self.ended_count else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsQuestion:
    """Which remediations to count, and how to group them."""

    where: Filter
    group_by: tuple[RemediationGroupField, ...] = ()
    bucket: TimeBucket | None = None
    start: datetime | None = None  # inclusive
    end: datetime | None = None  # exclusive
    timezone: str = "UTC"
    percentiles: bool = False
    recurrence: bool = False

    def check(self) -> None:
        """Errors: InvalidInput."""
        check_bounds(self.where)
        check_distinct("groupBy", self.group_by)
        if len(self.group_by) > STATISTICS_GROUP_FIELDS_MAX:
            raise InvalidInput.single("groupBy", f"has more than {STATISTICS_GROUP_FIELDS_MAX} fields")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise InvalidInput.single("from", "must lie before `to`")
        if self.timezone != "UTC" and self.timezone not in time_zones():
            raise unknown_time_zone()

    @property
    def rows(self) -> Filter:
        """The filter with the range."""
        parts = [self.where]
        if self.start is not None:
            parts.append(Condition("start_time", Operator.GTE, self.start))
        if self.end is not None:
            parts.append(Condition("start_time", Operator.LT, self.end))
        return AllOf(tuple(parts))


@dataclass(frozen=True, slots=True)
class BucketRange:
    """Two times, and the buckets that lie between them, begun ones included."""

    bucket: TimeBucket
    timezone: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value and how many remediations have it."""

    value: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Facet:
    """The most frequent values of a field, and what lies beyond them."""

    field: RemediationGroupField
    values: Sequence[FacetValue]
    distinct_count: int
    other_count: int


def check_distinct(argument: str, fields: Sequence[RemediationGroupField]) -> None:
    """Errors: InvalidInput for a field that is named twice."""
    if len(set(fields)) != len(fields):
        raise InvalidInput.single(argument, "names a field twice")


@cache
def time_zones() -> frozenset[str]:
    """IANA's names. PostgreSQL takes more, such as any word followed by an offset, which mostly are mistakes."""
    return frozenset(available_timezones() - {"localtime", "Factory"})  # these name no place


def unknown_time_zone() -> InvalidInput:
    """The error for a name that is not IANA's, or that the database does not know yet."""
    return InvalidInput.single("timezone", "is no IANA time zone known here, such as Europe/Berlin")
