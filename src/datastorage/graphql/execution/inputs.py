"""Inputs for executions: creating, filtering and ordering them."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from datastorage.graphql.comparisons import (
    BigIntFilter,
    BooleanFilter,
    DateTimeFilter,
    IDFilter,
    JSONFilter,
    StringFilter,
    TextFilter,
)
from datastorage.graphql.enums import NullsPlace, OrderDirection, described
from datastorage.graphql.input import optional, required
from datastorage.graphql.scalars import BigInt, JSONObject

if TYPE_CHECKING:
    from datastorage.graphql.remediation.inputs import RemediationAuditFilter
    from datastorage.graphql.workflow.inputs import WorkflowAuditFilter


@strawberry.input(description="An execution to remember. All faults are reported together.")
class CreateExecutionAuditInput:
    """Everything a client can say."""

    execution_id: str = required("Natural key, at most 255 characters.")
    workflow_id: str = required("Workflow that it belongs to; it may arrive later.")
    remediation_request_id: str | None = optional("Remediation that it belongs to.")
    action_type: str = required("What was done, at most 100 characters: `restart_pod`.")
    target_resource: str = required("`Kind/name` or `namespace/Kind/name`, at most 512 characters.")
    success: bool = required("Whether it did what it should.")
    start_time: datetime = required("When it started.")
    end_time: datetime | None = optional("When it ended, not before the start.")
    execution_time_ms: BigInt = required("How long it took, in milliseconds.")
    error_message: str | None = optional("What went wrong, at most 10 KiB; secrets are redacted.")
    namespace: str | None = optional("Kubernetes namespace; without it only unscoped callers see the record.")
    cluster_name: str | None = optional(
        "Kubernetes cluster; without it only unscoped callers see the record."
    )
    metadata: JSONObject | None = optional("Anything else, at most 64 KiB and 10 levels.")


@strawberry.input(description="Which executions; everything that is given must hold.")
class ExecutionAuditFilter:
    """Conditions on the columns, and their combinations."""

    and_: list[ExecutionAuditFilter] | None = optional("All of these.", name="and")
    or_: list[ExecutionAuditFilter] | None = optional("At least one of these.", name="or")
    not_: ExecutionAuditFilter | None = optional("Not this.", name="not")
    id: IDFilter | None = optional("By global id.")
    database_id: BigIntFilter | None = optional("By number.")
    execution_id: StringFilter | None = optional("By natural key.")
    workflow_id: StringFilter | None = optional("By workflow.")
    remediation_request_id: TextFilter | None = optional("By remediation.")
    action_type: StringFilter | None = optional("By action.")
    target_resource: StringFilter | None = optional("By target as sent.")
    target_kind: StringFilter | None = optional("By kind of the target.")
    target_namespace: TextFilter | None = optional("By namespace of the target.")
    target_name: StringFilter | None = optional("By name of the target.")
    success: BooleanFilter | None = optional("By outcome.")
    start_time: DateTimeFilter | None = optional("By start.")
    end_time: DateTimeFilter | None = optional("By end.")
    execution_time_ms: BigIntFilter | None = optional("By duration in milliseconds.")
    error_message: TextFilter | None = optional("By what went wrong.")
    namespace: TextFilter | None = optional("By namespace.")
    cluster_name: TextFilter | None = optional("By cluster.")
    metadata: JSONFilter | None = optional("By metadata.")
    created_at: DateTimeFilter | None = optional("By when it was stored.")
    remediation: (
        Annotated[RemediationAuditFilter, strawberry.lazy("datastorage.graphql.remediation.inputs")] | None
    ) = optional("By its remediation, its own or its workflow's, which has arrived and is such.")
    workflow: (
        Annotated[WorkflowAuditFilter, strawberry.lazy("datastorage.graphql.workflow.inputs")] | None
    ) = optional("By its workflow, which has arrived and is such.")


@strawberry.input(
    description="Conditions on executions that belong to a record; all that are given must hold."
)
class ExecutionAuditListFilter:
    """Quantifiers over a relation."""

    some: ExecutionAuditFilter | None = optional("At least one is such.")
    every: ExecutionAuditFilter | None = optional("All of them are such; true where there are none.")
    none: ExecutionAuditFilter | None = optional("Not one is such; `none: {}` finds those without any.")


@described(
    "Columns to order executions by.",
    ID="Number in the database.",
    START_TIME="When it started.",
    END_TIME="When it ended.",
    EXECUTION_TIME_MS="How long it took.",
    ACTION_TYPE="Action.",
    TARGET_RESOURCE="Target.",
    CREATED_AT="When it was stored.",
)
class ExecutionAuditOrderField(enum.Enum):
    """Values are column names."""

    ID = "id"
    START_TIME = "start_time"
    END_TIME = "end_time"
    EXECUTION_TIME_MS = "execution_time_ms"
    ACTION_TYPE = "action_type"
    TARGET_RESOURCE = "target_resource"
    CREATED_AT = "created_at"


@strawberry.input(description="One column of an order.")
class ExecutionAuditOrder:
    """A column, its direction, and the place of rows without a value."""

    field: ExecutionAuditOrderField = required("The column.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="The direction.")
    nulls: NullsPlace = strawberry.field(default=NullsPlace.LAST, description="Rows without a value.")
