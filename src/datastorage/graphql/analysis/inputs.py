"""Inputs for AI analyses: creating, filtering and ordering them."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from datastorage.graphql.comparisons import (
    BigIntFilter,
    DateTimeFilter,
    FloatFilter,
    IDFilter,
    IntFilter,
    JSONFilter,
    StringFilter,
    TextFilter,
)
from datastorage.graphql.enums import NullsPlace, OrderDirection, described
from datastorage.graphql.input import optional, required
from datastorage.graphql.scalars import BigInt, JSONObject

if TYPE_CHECKING:
    from datastorage.graphql.remediation.inputs import RemediationAuditFilter


@strawberry.input(description="An AI analysis to remember. All faults are reported together.")
class CreateAiAnalysisAuditInput:
    """Everything a client can say."""

    analysis_id: str = required("Natural key, at most 255 characters.")
    remediation_request_id: str = required("Remediation that was analysed; it may arrive later.")
    provider: str = required("Who runs the model, at most 100 characters: `anthropic`.")
    model: str = required("Model that analysed, at most 255 characters.")
    confidence_score: float = required("How sure the agent was, 0 to 1.")
    tokens_used: int = required("Tokens that the analysis took, not negative.")
    analysis_duration_ms: BigInt = required("How long it took, in milliseconds.")
    root_cause: str | None = optional("Why it happened, at most 10 KiB; secrets are redacted.")
    recommended_action: str | None = optional(
        "What the agent would do, at most 10 KiB; secrets are redacted."
    )
    namespace: str | None = optional("Kubernetes namespace; without it only unscoped callers see the record.")
    cluster_name: str | None = optional(
        "Kubernetes cluster; without it only unscoped callers see the record."
    )
    metadata: JSONObject | None = optional("Anything else, at most 64 KiB and 10 levels.")


@strawberry.input(description="Which AI analyses; everything that is given must hold.")
class AiAnalysisAuditFilter:
    """Conditions on the columns, and their combinations."""

    and_: list[AiAnalysisAuditFilter] | None = optional("All of these.", name="and")
    or_: list[AiAnalysisAuditFilter] | None = optional("At least one of these.", name="or")
    not_: AiAnalysisAuditFilter | None = optional("Not this.", name="not")
    id: IDFilter | None = optional("By global id.")
    database_id: BigIntFilter | None = optional("By number.")
    analysis_id: StringFilter | None = optional("By natural key.")
    remediation_request_id: StringFilter | None = optional("By remediation.")
    provider: StringFilter | None = optional("By provider.")
    model: StringFilter | None = optional("By model.")
    confidence_score: FloatFilter | None = optional("By confidence.")
    tokens_used: IntFilter | None = optional("By tokens.")
    analysis_duration_ms: BigIntFilter | None = optional("By duration in milliseconds.")
    root_cause: TextFilter | None = optional("By root cause.")
    recommended_action: TextFilter | None = optional("By recommended action.")
    namespace: TextFilter | None = optional("By namespace.")
    cluster_name: TextFilter | None = optional("By cluster.")
    metadata: JSONFilter | None = optional("By metadata.")
    created_at: DateTimeFilter | None = optional("By when it was stored.")
    remediation: (
        Annotated[RemediationAuditFilter, strawberry.lazy("datastorage.graphql.remediation.inputs")] | None
    ) = optional("By its remediation, which has arrived and is such.")


@strawberry.input(description="Conditions on analyses that belong to a record; all that are given must hold.")
class AiAnalysisAuditListFilter:
    """Quantifiers over a relation."""

    some: AiAnalysisAuditFilter | None = optional("At least one is such.")
    every: AiAnalysisAuditFilter | None = optional("All of them are such; true where there are none.")
    none: AiAnalysisAuditFilter | None = optional("Not one is such; `none: {}` finds those without any.")


@described(
    "Columns to order AI analyses by.",
    ID="Number in the database.",
    CREATED_AT="When it was stored.",
    CONFIDENCE_SCORE="Confidence.",
    TOKENS_USED="Tokens.",
    ANALYSIS_DURATION_MS="How long it took.",
    PROVIDER="Provider.",
    MODEL="Model.",
)
class AiAnalysisAuditOrderField(enum.Enum):
    """Values are column names."""

    ID = "id"
    CREATED_AT = "created_at"
    CONFIDENCE_SCORE = "confidence_score"
    TOKENS_USED = "tokens_used"
    ANALYSIS_DURATION_MS = "analysis_duration_ms"
    PROVIDER = "provider"
    MODEL = "model"


@strawberry.input(description="One column of an order.")
class AiAnalysisAuditOrder:
    """A column, its direction, and the place of rows without a value."""

    field: AiAnalysisAuditOrderField = required("The column.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="The direction.")
    nulls: NullsPlace = strawberry.field(default=NullsPlace.LAST, description="Rows without a value.")
