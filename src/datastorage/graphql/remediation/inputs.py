"""Inputs for remediation audits: creating, changing, filtering and ordering them."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from datastorage.graphql.comparisons import (
    BigIntFilter,
    DateTimeFilter,
    IDFilter,
    IntFilter,
    JSONFilter,
    PhaseFilter,
    SeverityFilter,
    StatusFilter,
    StringFilter,
    TextFilter,
)
from datastorage.graphql.enums import NullsPlace, OrderDirection, Phase, Severity, Status, described
from datastorage.graphql.input import optional, required
from datastorage.graphql.scalars import JSONObject

if TYPE_CHECKING:
    from datastorage.graphql.analysis.inputs import AiAnalysisAuditListFilter
    from datastorage.graphql.execution.inputs import ExecutionAuditListFilter
    from datastorage.graphql.workflow.inputs import WorkflowAuditListFilter


@strawberry.input(description="A remediation request to remember. All faults are reported together.")
class CreateRemediationAuditInput:
    """Everything a client can say of a remediation."""

    remediation_request_id: str = required(
        "Natural key, unique over all clusters, at most 255 characters; send the UID."
    )
    name: str = required("RFC 1123 name of the request, at most 255 characters.")
    namespace: str = required("RFC 1123 name of the Kubernetes namespace, at most 255 characters.")
    phase: Phase = required("Where it stands.")
    status: Status | None = optional("Left out, it follows from the phase.")
    action_type: str = required(
        "Letters, digits and `_.:-`, starting with a letter, at most 100 characters: `restart_pod`."
    )
    action_parameters: JSONObject | None = optional("What the action was given, at most 16 KiB.")
    start_time: datetime = required("When it started; may lie in the future.")
    end_time: datetime | None = optional("When it ended, not before the start.")
    alert_fingerprint: str = required("Identifies the alert, at most 255 characters.")
    severity: Severity = required("How severe the alert was.")
    environment: str = required("RFC 1123 label, at most 50 characters: `production`.")
    cluster_name: str = required("Kubernetes cluster, at most 255 characters.")
    target_resource: str = required("`Kind/name` or `namespace/Kind/name`, at most 512 characters.")
    error_message: str | None = optional("What went wrong, at most 10 KiB; secrets are redacted.")
    resolution: str | None = optional("What in the end helped, at most 10 KiB; secrets are redacted.")
    metadata: JSONObject | None = optional(
        "Anything else, at most 64 KiB and 10 levels. `summary`, `title` or `alertname` count as headline."
    )


@strawberry.input(
    description="Changes to a remediation audit. Absent fields stay; null clears optional ones; "
    "metadata is replaced as a whole. Name the audit by exactly one of `requestId` and `id`."
)
class UpdateRemediationAuditInput:
    """What can change of a remediation."""

    request_id: str | None = optional("Its remediation request id.")
    id: strawberry.ID | None = optional("Its global id.")
    expected_version: int | None = optional(
        "The version the change is based on; another version there is a conflict."
    )
    phase: Phase | None = optional(
        "PENDING → PROCESSING → COMPLETED or FAILED; PENDING → FAILED; FAILED → PROCESSING, a retry, "
        "which clears endTime. Staying is no move."
    )
    status: Status | None = optional("Left out, it follows a phase move.")
    action_type: str | None = optional("What was done.")
    action_parameters: JSONObject | None = optional("What the action was given, replaced as a whole.")
    end_time: datetime | None = optional("When it ended, not before the start.")
    severity: Severity | None = optional("How severe the alert was.")
    environment: str | None = optional("RFC 1123 label.")
    target_resource: str | None = optional("`Kind/name` or `namespace/Kind/name`.")
    error_message: str | None = optional("What went wrong.")
    resolution: str | None = optional("What in the end helped.")
    metadata: JSONObject | None = optional("Anything else, replaced as a whole.")


@strawberry.input(description="Which remediation audits; everything that is given must hold.")
class RemediationAuditFilter:
    """Conditions on the columns, and their combinations."""

    and_: list[RemediationAuditFilter] | None = optional("All of these.", name="and")
    or_: list[RemediationAuditFilter] | None = optional("At least one of these.", name="or")
    not_: RemediationAuditFilter | None = optional("Not this.", name="not")
    text: str | None = optional(
        "All of these words, in any order, in headline, name, action, target, error message, root causes or "
        "resolution. `ImagePullBackOff` also finds `image pull back off`."
    )
    id: IDFilter | None = optional("By global id.")
    database_id: BigIntFilter | None = optional("By number.")
    remediation_request_id: StringFilter | None = optional("By natural key.")
    name: StringFilter | None = optional("By name.")
    namespace: StringFilter | None = optional("By namespace.")
    phase: PhaseFilter | None = optional("By phase.")
    status: StatusFilter | None = optional("By status.")
    action_type: StringFilter | None = optional("By action.")
    start_time: DateTimeFilter | None = optional("By start.")
    end_time: DateTimeFilter | None = optional("By end.")
    duration_ms: BigIntFilter | None = optional("By duration in milliseconds.")
    alert_fingerprint: StringFilter | None = optional("By alert.")
    severity: SeverityFilter | None = optional("By severity.")
    environment: StringFilter | None = optional("By environment.")
    cluster_name: StringFilter | None = optional("By cluster.")
    target_resource: StringFilter | None = optional("By target as sent.")
    target_kind: StringFilter | None = optional("By kind of the target.")
    target_namespace: TextFilter | None = optional("By namespace of the target.")
    target_name: StringFilter | None = optional("By name of the target.")
    error_message: TextFilter | None = optional("By what went wrong.")
    resolution: TextFilter | None = optional("By what helped.")
    action_parameters: JSONFilter | None = optional("By what the action was given.")
    metadata: JSONFilter | None = optional("By metadata.")
    version: IntFilter | None = optional("By version.")
    created_at: DateTimeFilter | None = optional("By when it was stored.")
    updated_at: DateTimeFilter | None = optional("By when it was last changed.")
    analyses: (
        Annotated[AiAnalysisAuditListFilter, strawberry.lazy("datastorage.graphql.analysis.inputs")] | None
    ) = optional("By its analyses.")
    workflows: (
        Annotated[WorkflowAuditListFilter, strawberry.lazy("datastorage.graphql.workflow.inputs")] | None
    ) = optional("By its workflows.")
    executions: (
        Annotated[ExecutionAuditListFilter, strawberry.lazy("datastorage.graphql.execution.inputs")] | None
    ) = optional("By its executions, also those of its workflows.")


@described(
    "Columns to order remediation audits by.",
    ID="Number in the database.",
    START_TIME="When it started.",
    END_TIME="When it ended.",
    DURATION_MS="How long it took.",
    NAME="Name.",
    NAMESPACE="Namespace.",
    PHASE="Phase, alphabetically.",
    STATUS="Status, alphabetically.",
    SEVERITY="How severe; DESC puts CRITICAL first, UNKNOWN last.",
    ACTION_TYPE="Action.",
    ENVIRONMENT="Environment.",
    CLUSTER_NAME="Cluster.",
    ALERT_FINGERPRINT="Alert.",
    CREATED_AT="When it was stored.",
    UPDATED_AT="When it was last changed.",
)
class RemediationAuditOrderField(enum.Enum):
    """Values are column names."""

    ID = "id"
    START_TIME = "start_time"
    END_TIME = "end_time"
    DURATION_MS = "duration_ms"
    NAME = "name"
    NAMESPACE = "namespace"
    PHASE = "phase"
    STATUS = "status"
    SEVERITY = "severity"
    ACTION_TYPE = "action_type"
    ENVIRONMENT = "environment"
    CLUSTER_NAME = "cluster_name"
    ALERT_FINGERPRINT = "alert_fingerprint"
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"


@strawberry.input(
    description="One column of an order. Ordering by a column that changes (phase, status, endTime, "
    "updatedAt …) may repeat or skip rows that are changed while a client pages."
)
class RemediationAuditOrder:
    """A column, its direction, and the place of rows without a value."""

    field: RemediationAuditOrderField = required("The column.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="The direction.")
    nulls: NullsPlace = strawberry.field(default=NullsPlace.LAST, description="Rows without a value.")
