"""The AI-analysis audit: what an agent concluded about an incident. Written once, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from datastorage import limits
from datastorage.domain import fields
from datastorage.domain.enums import SubjectKind
from datastorage.domain.form import Field, Form
from datastorage.domain.kind import RecordKind

_FIELDS: Final = (
    Field("analysis_id", fields.KEY_FIELD, required=True),
    Field("remediation_request_id", fields.KEY_FIELD, required=True),
    Field("provider", fields.PROVIDER_FIELD, required=True),
    Field("model", fields.KEY_FIELD, required=True),
    Field("confidence_score", fields.fraction, required=True),
    Field("tokens_used", fields.SMALL_COUNT_FIELD, required=True),
    Field("analysis_duration_ms", fields.COUNT_FIELD, required=True),
    Field("root_cause", fields.free_text),
    Field("recommended_action", fields.free_text),
    Field("namespace", fields.NAME_FIELD),
    Field("cluster_name", fields.KEY_FIELD),
    Field("metadata", fields.json_object(limits.METADATA_BYTES_MAX)),
)
CREATE_FORM: Final = Form(_FIELDS)


@dataclass(frozen=True, slots=True)
class RootCause:
    """What an analysis found, and where."""

    text: str
    namespace: str | None
    cluster_name: str | None

    def belongs_to(self, namespace: str, cluster_name: str) -> bool:
        """Whether who sees an incident of this place may be told.

        Only a caller without a scope can store an analysis without a place; it means the place of the incident.
        """
        return self.namespace in (None, namespace) and self.cluster_name in (None, cluster_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class AiAnalysisDraft:
    """An analysis as a client describes it, validated and cleaned."""

    analysis_id: str
    remediation_request_id: str
    provider: str
    model: str
    confidence_score: float
    tokens_used: int
    analysis_duration_ms: int
    root_cause: str | None
    recommended_action: str | None
    namespace: str | None
    cluster_name: str | None
    metadata: dict[str, Any]

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> AiAnalysisDraft:
        """From column names and raw values. Errors: InvalidInput with every fault."""
        values = CREATE_FORM.read(raw).done()
        return cls(**{**values, "metadata": values["metadata"] or {}})


@dataclass(frozen=True, slots=True, kw_only=True)
class AiAnalysisAudit(AiAnalysisDraft):
    """A stored analysis."""

    id: int
    created_at: datetime


ANALYSIS: Final = RecordKind(
    subject=SubjectKind.ANALYSIS,
    type_name="AiAnalysisAudit",
    label="AI analysis",
    key="analysis_id",
    record=AiAnalysisAudit,
    parse=AiAnalysisDraft.parse,
    draft_fields=tuple(AiAnalysisDraft.__dataclass_fields__),
    input_fields=tuple(field.name for field in _FIELDS),
    newest_by="created_at",
    redacted_text=("root_cause", "recommended_action"),
)
