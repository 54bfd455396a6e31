"""The execution audit: one step that was carried out on a target. Written once, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from datastorage import limits
from datastorage.domain import fields
from datastorage.domain.derived import check_end, split_target
from datastorage.domain.enums import SubjectKind
from datastorage.domain.form import Field, Form
from datastorage.domain.kind import RecordKind

_FIELDS: Final = (
    Field("execution_id", fields.KEY_FIELD, required=True),
    Field("workflow_id", fields.KEY_FIELD, required=True),
    Field("remediation_request_id", fields.KEY_FIELD),
    Field("action_type", fields.ACTION_TYPE_FIELD, required=True),
    Field("target_resource", fields.TARGET_FIELD, required=True),
    Field("success", fields.boolean, required=True),
    Field("start_time", fields.moment, required=True),
    Field("end_time", fields.moment),
    Field("execution_time_ms", fields.COUNT_FIELD, required=True),
    Field("error_message", fields.free_text),
    Field("namespace", fields.NAME_FIELD),
    Field("cluster_name", fields.KEY_FIELD),
    Field("metadata", fields.json_object(limits.METADATA_BYTES_MAX)),
)
CREATE_FORM: Final = Form(_FIELDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionDraft:
    """An execution as a client describes it, validated and cleaned, with what follows from it."""

    execution_id: str
    workflow_id: str
    remediation_request_id: str | None
    action_type: str
    target_resource: str
    target_kind: str
    target_namespace: str | None
    target_name: str
    success: bool
    start_time: datetime
    end_time: datetime | None
    execution_time_ms: int
    error_message: str | None
    namespace: str | None
    cluster_name: str | None
    metadata: dict[str, Any]

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> ExecutionDraft:
        """From column names and raw values. Errors: InvalidInput with every fault."""
        reading = CREATE_FORM.read(raw)
        check_end(reading)
        values = reading.done()
        values |= split_target(values["target_resource"])
        return cls(**{**values, "metadata": values["metadata"] or {}})


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionAudit(ExecutionDraft):
    """A stored execution."""

    id: int
    created_at: datetime


EXECUTION: Final = RecordKind(
    subject=SubjectKind.EXECUTION,
    type_name="ExecutionAudit",
    label="execution",
    key="execution_id",
    record=ExecutionAudit,
    parse=ExecutionDraft.parse,
    draft_fields=tuple(ExecutionDraft.__dataclass_fields__),
    input_fields=tuple(field.name for field in _FIELDS),
    redacted_text=("error_message",),
)
