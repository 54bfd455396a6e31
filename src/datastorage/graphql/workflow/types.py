"""A workflow as clients see it, and the results of writing one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from datastorage.domain import workflow as records
from datastorage.domain.relation import Relation
from datastorage.domain.remediation import REMEDIATION
from datastorage.graphql.audit import Audit, LazyExecution, node_id
from datastorage.graphql.connection import Connection
from datastorage.graphql.enums import WorkflowPhase
from datastorage.graphql.errors import (
    ConflictError,
    ForbiddenError,
    InvalidTransitionError,
    NotFoundError,
    UnavailableError,
    ValidationError,
)
from datastorage.graphql.receipt import WriteReceipt
from datastorage.graphql.relation import connection, single

if TYPE_CHECKING:
    from datastorage.graphql.remediation.types import RemediationAudit

LazyRemediation = Annotated["RemediationAudit", strawberry.lazy("datastorage.graphql.remediation.types")]


@strawberry.type(description="A plan of steps for a remediation, and how far it got.")
class WorkflowAudit(Audit):
    """A view of `domain.workflow.WorkflowAudit`."""

    id: strawberry.ID = node_id(records.WORKFLOW)
    workflow_id: str = strawberry.field(
        description="Natural key; creating it again with the same content is safe."
    )
    remediation_request_id: str = strawberry.field(description="Remediation that it serves.")
    version: int = strawberry.field(description="1 at first, one more with every change.")
    phase: WorkflowPhase = strawberry.field(description="Where it stands.")
    total_steps: int = strawberry.field(description="Steps that there are.")
    completed_steps: int = strawberry.field(description="Steps that are done.")
    start_time: datetime = strawberry.field(description="When it started.")
    end_time: datetime | None = strawberry.field(description="When it ended.")
    namespace: str | None = strawberry.field(description="Kubernetes namespace.")
    cluster_name: str | None = strawberry.field(description="Kubernetes cluster.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    remediation: LazyRemediation | None = single(
        REMEDIATION, "remediation_request_id", "The remediation; null until it arrives."
    )
    steps: Connection[LazyExecution] = connection(
        Relation.WORKFLOW_EXECUTIONS,
        "Executions of this workflow, newest first.",
        key="workflow_id",
        newest_by="start_time",
    )

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Records of the domain are its values."""
        return isinstance(value, records.WorkflowAudit)


@strawberry.type(description="The audit was stored, or stood already.")
class CreateWorkflowAuditPayload:
    """What a create wrote."""

    workflow_audit: WorkflowAudit = strawberry.field(description="The audit as it now stands.")
    receipt: WriteReceipt = strawberry.field(description="How the write went.")


CreateWorkflowAuditResult = Annotated[
    CreateWorkflowAuditPayload | ValidationError | ConflictError | ForbiddenError | UnavailableError,
    strawberry.union("CreateWorkflowAuditResult", description="What a create answers."),
]


@strawberry.type(description="The audit was changed, or needed no change.")
class UpdateWorkflowAuditPayload:
    """What an update wrote."""

    workflow_audit: WorkflowAudit = strawberry.field(description="The audit as it now stands.")
    receipt: WriteReceipt = strawberry.field(description="How the write went.")


UpdateWorkflowAuditResult = Annotated[
    UpdateWorkflowAuditPayload
    | ValidationError
    | ConflictError
    | NotFoundError
    | InvalidTransitionError
    | ForbiddenError
    | UnavailableError,
    strawberry.union("UpdateWorkflowAuditResult", description="What an update answers."),
]
