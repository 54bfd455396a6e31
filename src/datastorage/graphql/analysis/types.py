"""An AI analysis as clients see it, and the results of writing one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from datastorage.domain import analysis as records
from datastorage.domain.remediation import REMEDIATION
from datastorage.graphql.arguments import Format
from datastorage.graphql.audit import Audit, node_id
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


def root_cause(
    root: strawberry.Parent[records.AiAnalysisAudit], format: Format = TextFormat.PLAIN
) -> str | None:
    """Free text."""
    return formatted(root.root_cause, format)


def recommended_action(
    root: strawberry.Parent[records.AiAnalysisAudit], format: Format = TextFormat.PLAIN
) -> str | None:
    """Free text."""
    return formatted(root.recommended_action, format)


@strawberry.type(description="What an AI agent concluded about an incident.")
class AiAnalysisAudit(Audit):
    """A view of `domain.analysis.AiAnalysisAudit`."""

    id: strawberry.ID = node_id(records.ANALYSIS)
    analysis_id: str = strawberry.field(
        description="Natural key; creating it again with the same content is safe."
    )
    remediation_request_id: str = strawberry.field(description="Remediation that was analysed.")
    provider: str = strawberry.field(description="Who runs the model, such as `anthropic`.")
    model: str = strawberry.field(description="Model that analysed, as `name` or `name:tag`.")
    confidence_score: float = strawberry.field(description="How sure the agent was, 0 to 1.")
    tokens_used: int = strawberry.field(description="Tokens that the analysis took.")
    analysis_duration_ms: BigInt = strawberry.field(description="How long it took, in milliseconds.")
    root_cause: str | None = strawberry.field(
        resolver=root_cause, description="Why it happened; part of what incidents are found by."
    )
    recommended_action: str | None = strawberry.field(
        resolver=recommended_action, description="What the agent would do."
    )
    namespace: str | None = strawberry.field(description="Kubernetes namespace.")
    cluster_name: str | None = strawberry.field(description="Kubernetes cluster.")
    remediation: LazyRemediation | None = single(
        REMEDIATION, "remediation_request_id", "The remediation; null until it arrives."
    )

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Records of the domain are its values."""
        return isinstance(value, records.AiAnalysisAudit)


@strawberry.type(description="The audit was stored, or stood already.")
class CreateAiAnalysisAuditPayload:
    """What a create wrote."""

    ai_analysis_audit: AiAnalysisAudit = strawberry.field(description="The audit as it now stands.")
    receipt: WriteReceipt = strawberry.field(description="How the write went.")


CreateAiAnalysisAuditResult = Annotated[
    CreateAiAnalysisAuditPayload | ValidationError | ConflictError | ForbiddenError | UnavailableError,
    strawberry.union("CreateAiAnalysisAuditResult", description="What a create answers."),
]
