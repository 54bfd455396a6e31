"""Inputs for workflows: creating, filtering and ordering them."""

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
    StringFilter,
    TextFilter,
    WorkflowPhaseFilter,
)
from datastorage.graphql.enums import NullsPlace, OrderDirection, WorkflowPhase, described
from datastorage.graphql.input import optional, required
from datastorage.graphql.scalars import JSONObject

if TYPE_CHECKING:
    from datastorage.graphql.execution.inputs import ExecutionAuditListFilter
    from datastorage.graphql.remediation.inputs import RemediationAuditFilter


@strawberry.input(description="A workflow to remember. All faults are reported together.")
class CreateWorkflowAuditInput:
    """Everything a client can say."""

    workflow_id: str = required("Natural key, at most 255 characters.")
    remediation_request_id: str = required("Remediation that it serves; it may arrive later.")
    phase: WorkflowPhase = required("Where it stands.")
    total_steps: int = required("Steps that there are, not negative.")
    completed_steps: int = required("Steps that are done, at most totalSteps.")
    start_time: datetime = required("When it started.")
    end_time: datetime | None = optional("When it ended, not before the start.")
    namespace: str | None = optional("Kubernetes namespace; without it only unscoped callers see the record.")
    cluster_name: str | None = optional(
        "Kubernetes cluster; without it only unscoped callers see the record."
    )
    metadata: JSONObject | None = optional("Anything else, at most 64 KiB and 10 levels.")


@strawberry.input(
    description="Changes to a workflow. Absent fields stay; null clears optional ones; metadata is replaced as a "
    "whole. Name it by exactly one of its natural key and `id`."
)
class UpdateWorkflowAuditInput:
    """What can change."""

    workflow_id: str | None = optional("Its natural key.")
    id: strawberry.ID | None = optional("Its global id.")
    expected_version: int | None = optional(
        "The version the change is based on; another version there is a conflict."
    )
    phase: WorkflowPhase | None = optional(
        "PLANNING → EXECUTING → COMPLETED or FAILED; PLANNING → FAILED; FAILED → EXECUTING, a retry, "
        "which clears endTime. Staying is no move."
    )
    total_steps: int | None = optional("Steps that there are.")
    completed_steps: int | None = optional("Steps that are done, at most totalSteps.")
    end_time: datetime | None = optional("When it ended, not before the start.")
    metadata: JSONObject | None = optional("Anything else, replaced as a whole.")


@strawberry.input(description="Which workflows; everything that is given must hold.")
class WorkflowAuditFilter:
    """Conditions on the columns, and their combinations."""

    and_: list[WorkflowAuditFilter] | None = optional("All of these.", name="and")
    or_: list[WorkflowAuditFilter] | None = optional("At least one of these.", name="or")
    not_: WorkflowAuditFilter | None = optional("Not this.", name="not")
    id: IDFilter | None = optional("By global id.")
    database_id: BigIntFilter | None = optional("By number.")
    workflow_id: StringFilter | None = optional("By natural key.")
    remediation_request_id: StringFilter | None = optional("By remediation.")
    phase: WorkflowPhaseFilter | None = optional("By phase.")
    total_steps: IntFilter | None = optional("By number of steps.")
    completed_steps: IntFilter | None = optional("By number of steps done.")
    start_time: DateTimeFilter | None = optional("By start.")
    end_time: DateTimeFilter | None = optional("By end.")
    namespace: TextFilter | None = optional("By namespace.")
    cluster_name: TextFilter | None = optional("By cluster.")
    metadata: JSONFilter | None = optional("By metadata.")
    version: IntFilter | None = optional("By version.")
    created_at: DateTimeFilter | None = optional("By when it was stored.")
    updated_at: DateTimeFilter | None = optional("By when it was last changed.")
    remediation: (
        Annotated[RemediationAuditFilter, strawberry.lazy("datastorage.graphql.remediation.inputs")] | None
    ) = optional("By its remediation, which has arrived and is such.")
    steps: (
        Annotated[ExecutionAuditListFilter, strawberry.lazy("datastorage.graphql.execution.inputs")] | None
    ) = optional("By its executions.")


@strawberry.input(
    description="Conditions on workflows that belong to a record; all that are given must hold."
)
class WorkflowAuditListFilter:
    """Quantifiers over a relation."""

    some: WorkflowAuditFilter | None = optional("At least one is such.")
    every: WorkflowAuditFilter | None = optional("All of them are such; true where there are none.")
    none: WorkflowAuditFilter | None = optional("Not one is such; `none: {}` finds those without any.")


@described(
    "Columns to order workflows by.",
    ID="Number in the database.",
    START_TIME="When it started.",
    END_TIME="When it ended.",
    PHASE="Phase, alphabetically.",
    TOTAL_STEPS="Steps that there are.",
    COMPLETED_STEPS="Steps that are done.",
    CREATED_AT="When it was stored.",
    UPDATED_AT="When it was last changed.",
)
class WorkflowAuditOrderField(enum.Enum):
    """Values are column names."""

    ID = "id"
    START_TIME = "start_time"
    END_TIME = "end_time"
    PHASE = "phase"
    TOTAL_STEPS = "total_steps"
    COMPLETED_STEPS = "completed_steps"
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"


@strawberry.input(description="One column of an order.")
class WorkflowAuditOrder:
    """A column, its direction, and the place of rows without a value."""

    field: WorkflowAuditOrderField = required("The column.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="The direction.")
    nulls: NullsPlace = strawberry.field(default=NullsPlace.LAST, description="Rows without a value.")
