"""An execution as clients see it, and the results of writing one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from datastorage.domain import execution as records
from datastorage.domain.remediation import REMEDIATION
from datastorage.domain.workflow import WORKFLOW
from datastorage.graphql.arguments import Format
from datastorage.graphql.audit import Audit, LazyWorkflow, node_id
from datastorage.graphql.enums import TextFormat
from datastorage.graphql.errors import (
    ConflictError,
    ForbiddenError,
    UnavailableError,
    ValidationError,
)
from datastorage.graphql.receipt import WriteReceipt
from datastorage.graphql.relation import single
from datastorage.graphql.scalars import BigInt
from datastorage.graphql.text import formatted

if TYPE_CHECKING:
    from datastorage.graphql.remediation.types import RemediationAudit

LazyRemediation = Annotated["RemediationAudit", strawberry.lazy("datastorage.graphql.remediation.types")]


def error_message(
    root: strawberry.Parent[records.ExecutionAudit], format: Format = TextFormat.PLAIN
) -> str | None:
    """Free text."""
    return formatted(root.error_message, format)


@strawberry.type(description="One step that was carried out on a target.")
class ExecutionAudit(Audit):
    """A view of `domain.execution.ExecutionAudit`."""

    id: strawberry.ID = node_id(records.EXECUTION)
    execution_id: str = strawberry.field(
        description="Natural key; creating it again with the same content is safe."
    )
    workflow_id: str = strawberry.field(description="Workflow that it belongs to.")
    remediation_request_id: str | None = strawberry.field(
        description="Remediation that it belongs to, if it says so itself; else through its workflow."
    )
    action_type: str = strawberry.field(description="What was done, such as `restart_pod`.")
    target_resource: str = strawberry.field(description="`Kind/name` or `namespace/Kind/name`, as sent.")
    target_kind: str = strawberry.field(description="Kind part of the target.")
    target_namespace: str | None = strawberry.field(description="Namespace part of the target.")
    target_name: str = strawberry.field(description="Name part of the target.")
    success: bool = strawberry.field(description="Whether it did what it should.")
    start_time: datetime = strawberry.field(description="When it started.")
    end_time: datetime | None = strawberry.field(description="When it ended.")
    execution_time_ms: BigInt = strawberry.field(description="How long it took, in milliseconds.")
    error_message: str | None = strawberry.field(
        resolver=error_message, description="What went wrong, as reported; secrets are redacted."
    )
    namespace: str | None = strawberry.field(description="Kubernetes namespace.")
    cluster_name: str | None = strawberry.field(description="Kubernetes cluster.")
    remediation: LazyRemediation | None = single(
        REMEDIATION,
        "remediation_request_id",
        "The remediation that it names or that its workflow belongs to; null until that arrives.",
    )
    workflow: LazyWorkflow | None = single(WORKFLOW, "workflow_id", "The workflow; null until it arrives.")

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Records of the domain are its values."""
        return isinstance(value, records.ExecutionAudit)


@strawberry.type(description="The audit was stored, or stood already.")
class CreateExecutionAuditPayload:
    """What a create wrote."""

    execution_audit: ExecutionAudit = strawberry.field(description="The audit as it now stands.")
    receipt: WriteReceipt = strawberry.field(description="How the write went.")


CreateExecutionAuditResult = Annotated[
    CreateExecutionAuditPayload | ValidationError | ConflictError | ForbiddenError | UnavailableError,
    strawberry.union("CreateExecutionAuditResult", description="What a create answers."),
]
