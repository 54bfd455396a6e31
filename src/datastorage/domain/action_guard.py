"""Is it wise to act on a target now? What is asked, what is known of it, and the advice that follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from datastorage.domain import fields
from datastorage.domain.enums import Phase, Status
from datastorage.domain.filters import AllOf, Condition, Filter, Operator
from datastorage.domain.form import Field, Form
from datastorage.domain.remediation import RemediationAudit
from datastorage.domain.statistics import Statistics
from datastorage.limits import GUARD_HOURS_DEFAULT, RECURRENCE_HOURS

_FORM: Final = Form(
    (
        Field("action_type", fields.ACTION_TYPE_FIELD, required=True),
        Field("target", fields.TARGET_FIELD, required=True),
        Field("cluster", fields.KEY_FIELD),
        Field("namespace", fields.NAME_FIELD),
        Field("since", fields.moment),
        Field("except_request_id", fields.KEY_FIELD),
    )
)


class ActionAdvice(StrEnum):
    """What somebody should do who is about to act."""

    CLEAR = "clear"
    CAUTION = "caution"
    WAIT = "wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardQuestion:
    """Which action on which target, and since when its past is of interest."""

    action_type: str
    target: str
    cluster: str | None
    namespace: str | None
    since: datetime
    except_request_id: str | None  # the remediation that asks

    @classmethod
    def parse(cls, raw: Mapping[str, Any], now: datetime) -> GuardQuestion:
        """From arguments as they were sent. Errors: InvalidInput with every fault."""
        reading = _FORM.read(raw)
        values = reading.values
        if "since" in values:  # else it was refused already
            values["since"] = values["since"] or now - timedelta(hours=GUARD_HOURS_DEFAULT)
            if values["since"] > now:
                reading.refuse("since", "lies in the future")
        return cls(**reading.done())

    @property
    def on_target(self) -> Filter:
        """Whatever was done to the target."""
        wanted = {
            "target_resource": self.target,
            "cluster_name": self.cluster,
            "namespace": self.namespace,
        }
        parts = [Condition(name, Operator.EQ, value) for name, value in wanted.items() if value is not None]
        if self.except_request_id is not None:
            parts.append(Condition("remediation_request_id", Operator.NE, self.except_request_id))
        return AllOf(tuple(parts))

    @property
    def in_flight(self) -> Filter:
        """What is being done to it now, or about to be."""
        return AllOf((self.on_target, Condition("phase", Operator.IN, (Phase.PENDING, Phase.PROCESSING))))

    @property
    def attempts(self) -> Filter:
        """This action on it, at any time."""
        return AllOf((self.on_target, Condition("action_type", Operator.EQ, self.action_type)))

    @property
    def successes(self) -> Filter:
        """This action on it where it helped, at any time."""
        return AllOf((self.attempts, Condition("status", Operator.EQ, Status.SUCCESS)))

    @property
    def recent_attempts(self) -> Filter:
        """This action on it of late."""
        return AllOf((self.attempts, Condition("start_time", Operator.GTE, self.since)))

    @property
    def recent_failures(self) -> Filter:
        """This action on it of late where it did not help."""
        return AllOf((self.recent_attempts, Condition("status", Operator.EQ, Status.FAILURE)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionGuard:
    """What is known of an action on a target; lists are of the newest, counts of all."""

    since: datetime
    in_flight: Sequence[RemediationAudit]
    in_flight_count: int
    recent_failures: Sequence[RemediationAudit]
    recent: Statistics
    last_attempt: RemediationAudit | None
    last_success: RemediationAudit | None

    @property
    def recent_failure_count(self) -> int:
        """Attempts of late that did not help."""
        return self.recent.failure_count

    @property
    def recent_attempt_count(self) -> int:
        """Attempts of late, however they went."""
        return self.recent.count

    @property
    def recent_success_count(self) -> int:
        """Attempts of late that helped."""
        return self.recent.success_count

    @property
    def recurred_count(self) -> int:
        """Attempts of late after which the same happened again."""
        return self.recent.recurred_count

    @property
    def advice(self) -> ActionAdvice:
        """Two remediations of one target at once get into each other's way: worse than what failed before."""
        if self.in_flight_count:
            return ActionAdvice.WAIT
        if self.recent_failure_count or self.recurred_count:
            return ActionAdvice.CAUTION
        return ActionAdvice.CLEAR

    @property
    def reasons(self) -> list[str]:
        """In words, the weightiest first; none when all is clear."""
        since, reasons = _told(self.since), []
        if self.in_flight:
            newest = self.in_flight[0]
            reasons.append(
                f"in flight on this target: {self.in_flight_count}, the newest {newest.action_type} "
                f"({newest.remediation_request_id}) started {_told(newest.start_time)}"
            )
        if self.recent_failure_count:
            reasons.append(
                f"of {self.recent_attempt_count} attempts since {since}, {self.recent_failure_count} failed"
            )
        if self.recurred_count:
            reasons.append(
                f"of {self.recent_attempt_count} attempts since {since}, {self.recurred_count} "
                f"did not last: the same alert came back within {RECURRENCE_HOURS} hours"
            )
        return reasons


def _told(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
