"""The remediation audit as clients see it, and the results of writing one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from datastorage.domain import remediation as records
from datastorage.graphql.arguments import Format
from datastorage.graphql.audit import Audit, node_id
from datastorage.graphql.enums import Phase, Severity, Status, TextFormat
from datastorage.graphql.errors import (
    ConflictError,
    ForbiddenError,
    InvalidTransitionError,
    NotFoundError,
    UnavailableError,
    ValidationError,
)
from datastorage.graphql.receipt import WriteReceipt
from datastorage.graphql.scalars import BigInt, JSONObject
from datastorage.graphql.text import formatted

Parent = strawberry.Parent[records.RemediationAudit]


def error_message(root: Parent, format: Format = TextFormat.PLAIN) -> str | None:
    """What went wrong."""
    return formatted(root.error_message, format)


def resolution(root: Parent, format: Format = TextFormat.PLAIN) -> str | None:
    """What helped."""
    return formatted(root.resolution, format)


@strawberry.type(description="One remediation request and how far it got. One row is one attempt.")
class RemediationAudit(Audit):
    """A view of `domain.remediation.RemediationAudit`."""

    id: strawberry.ID = node_id(records.REMEDIATION)
    version: int = strawberry.field(description="1 at first, one more with every change.")
    remediation_request_id: str = strawberry.field(
        description="Natural key, unique over all clusters; creating it again with the same content is safe."
    )
    name: str = strawberry.field(description="Name of the remediation request.")
    namespace: str = strawberry.field(description="Kubernetes namespace.")
    phase: Phase = strawberry.field(description="Where it stands.")
    status: Status = strawberry.field(
        description="How it turned out so far; follows the phase unless a client says otherwise."
    )
    action_type: str = strawberry.field(description="What was done, such as `restart_pod`.")
    action_parameters: JSONObject = strawberry.field(description="What the action was given.")
    start_time: datetime = strawberry.field(description="When it started; may lie in the future.")
    end_time: datetime | None = strawberry.field(description="When it ended.")
    duration_ms: BigInt | None = strawberry.field(description="From start to end, in milliseconds.")
    alert_fingerprint: str = strawberry.field(description="Identifies the alert that led to it.")
    severity: Severity = strawberry.field(description="How severe the alert was.")
    environment: str = strawberry.field(description="Such as `production`, `staging`, `development`.")
    cluster_name: str = strawberry.field(description="Kubernetes cluster.")
    target_resource: str = strawberry.field(description="`Kind/name` or `namespace/Kind/name`, as sent.")
    target_kind: str = strawberry.field(description="Kind part of the target.")
    target_namespace: str | None = strawberry.field(description="Namespace part of the target.")
    target_name: str = strawberry.field(description="Name part of the target.")
    error_message: str | None = strawberry.field(
        resolver=error_message, description="What went wrong, as reported; secrets are redacted."
    )
    resolution: str | None = strawberry.field(
        resolver=resolution, description="What in the end helped, in words; secrets are redacted."
    )
    metadata: JSONObject = strawberry.field(
        description="Anything else. `summary`, `title` or `alertname` in it count as the headline for search."
    )
    updated_at: datetime = strawberry.field(description="When it was last changed.")

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Records of the domain are its values."""
        return isinstance(value, records.RemediationAudit)


@strawberry.type(description="The audit was stored, or stood already.")
class CreateRemediationAuditPayload:
    """What a create wrote."""

    remediation_audit: RemediationAudit = strawberry.field(description="The audit as it now stands.")
    receipt: WriteReceipt = strawberry.field(description="How the write went.")


@strawberry.type(description="The audit was changed, or needed no change.")
class UpdateRemediationAuditPayload:
    """What an update wrote."""

    remediation_audit: RemediationAudit = strawberry.field(description="The audit as it now stands.")
    receipt: WriteReceipt = strawberry.field(description="How the write went.")


CreateRemediationAuditResult = Annotated[
    CreateRemediationAuditPayload | ValidationError | ConflictError | ForbiddenError | UnavailableError,
    strawberry.union("CreateRemediationAuditResult", description="What a create answers."),
]
UpdateRemediationAuditResult = Annotated[
    UpdateRemediationAuditPayload
    | ValidationError
    | ConflictError
    | NotFoundError
    | InvalidTransitionError
    | ForbiddenError
    | UnavailableError,
    strawberry.union("UpdateRemediationAuditResult", description="What an update answers."),
]
