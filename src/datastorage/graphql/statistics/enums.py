"""What statistics can be grouped by, and what they show."""

from __future__ import annotations

from datastorage.domain.statistics import RemediationGroupField, TimeBucket
from datastorage.domain.time_series import TimeSeriesMetric
from datastorage.graphql.enums import described

__all__ = ["RemediationGroupField", "TimeBucket", "TimeSeriesMetric"]

described(
    "What remediation audits can be grouped by.",
    PHASE="Where they stand.",
    STATUS="How they turned out so far.",
    SEVERITY="How severe the alert was.",
    ACTION_TYPE="The action.",
    NAMESPACE="The Kubernetes namespace.",
    CLUSTER_NAME="The Kubernetes cluster.",
    ENVIRONMENT="The environment.",
    ALERT_FINGERPRINT="The alert.",
    NAME="The name of the request.",
    TARGET_KIND="The kind of the target, such as Deployment.",
    TARGET_NAMESPACE="The namespace of the target; some targets have none.",
    TARGET_NAME="The name of the target.",
    TARGET_RESOURCE="The target as sent.",
)(RemediationGroupField)

described(
    "Spans of local time that remediation audits are put into by their start. A day on which clocks are moved "
    "has 23 or 25 hours and is one bucket; an hour that comes twice is two.",
    MINUTE="Minutes.",
    HOUR="Hours.",
    DAY="Days, from midnight.",
    WEEK="ISO weeks, from Monday.",
    MONTH="Calendar months.",
)(TimeBucket)

described(
    "What a time series shows of each bucket.",
    COUNT="Remediations that started.",
    SUCCESS_COUNT="Those with the status SUCCESS.",
    FAILURE_COUNT="Those with the status FAILURE.",
    SUCCESS_RATE="Successes / (successes + failures), 0 to 1.",
    P50_DURATION_MS="Median duration of those that ended, in milliseconds.",
    P95_DURATION_MS="95th percentile of the duration of those that ended, in milliseconds.",
    P99_DURATION_MS="99th percentile of the duration of those that ended, in milliseconds.",
    RECURRENCE_RATE="Of those that ended, the share after which the same alert struck the same target again "
    "within 24 hours, 0 to 1.",
)(TimeSeriesMetric)
