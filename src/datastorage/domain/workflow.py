"""The workflow audit: a plan of steps for a remediation, moved through its phases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from datastorage import limits
from datastorage.domain import fields
from datastorage.domain.derived import check_end
from datastorage.domain.enums import SubjectKind, WorkflowPhase
from datastorage.domain.form import Field, Form
from datastorage.domain.kind import RecordKind
from datastorage.domain.phases import WORKFLOW_MOVES, check_move
from datastorage.errors import InvalidInput

_FIELDS: Final = (
    Field("workflow_id", fields.KEY_FIELD, required=True),
    Field("remediation_request_id", fields.KEY_FIELD, required=True),
    Field("phase", fields.enumerated(WorkflowPhase), required=True),
    Field("total_steps", fields.SMALL_COUNT_FIELD, required=True),
    Field("completed_steps", fields.SMALL_COUNT_FIELD, required=True),
    Field("start_time", fields.moment, required=True),
    Field("end_time", fields.moment),
    Field("namespace", fields.NAME_FIELD),
    Field("cluster_name", fields.KEY_FIELD),
    Field("metadata", fields.json_object(limits.METADATA_BYTES_MAX)),
)
CREATE_FORM: Final = Form(_FIELDS)
MUTABLE: Final = ("phase", "total_steps", "completed_steps", "end_time", "metadata")
UPDATE_FORM: Final = CREATE_FORM.only(*MUTABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowDraft:
    """A workflow as a client describes it, validated and cleaned."""

    workflow_id: str
    remediation_request_id: str
    phase: WorkflowPhase
    total_steps: int
    completed_steps: int
    start_time: datetime
    end_time: datetime | None
    namespace: str | None
    cluster_name: str | None
    metadata: dict[str, Any]

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> WorkflowDraft:
        """From column names and raw values. Errors: InvalidInput with every fault."""
        reading = CREATE_FORM.read(raw)
        check_end(reading)
        total, completed = reading.values.get("total_steps"), reading.values.get("completed_steps")
        if total is not None and completed is not None and completed > total:
            reading.refuse("completed_steps", "are more than totalSteps")
        values = reading.done()
        return cls(**{**values, "metadata": values["metadata"] or {}})


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowAudit(WorkflowDraft):
    """A stored workflow."""

    id: int
    version: int
    created_at: datetime
    updated_at: datetime


def parse_change(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an update, validated; only those that were sent. Errors: InvalidInput."""
    values = UPDATE_FORM.read(raw, partial=True).done()
    return {name: {} if value is None and name == "metadata" else value for name, value in values.items()}


def apply_change(audit: WorkflowAudit, change: Mapping[str, Any]) -> WorkflowAudit:
    """The workflow after an update. Errors: InvalidTransition, InvalidInput."""
    change = dict(change)
    phase = change.get("phase", audit.phase)
    check_move(WORKFLOW_MOVES, audit.phase, phase)
    if audit.phase is WorkflowPhase.FAILED and phase is not audit.phase:  # a retry starts over
        change.setdefault("end_time", None)
    after = replace(audit, **change)
    if after.end_time is not None and after.end_time < after.start_time:
        raise InvalidInput.single("endTime", "lies before startTime")
    if after.completed_steps > after.total_steps:
        raise InvalidInput.single("completedSteps", "are more than totalSteps")
    return after


WORKFLOW: Final = RecordKind(
    subject=SubjectKind.WORKFLOW,
    type_name="WorkflowAudit",
    label="workflow",
    key="workflow_id",
    record=WorkflowAudit,
    parse=WorkflowDraft.parse,
    draft_fields=tuple(WorkflowDraft.__dataclass_fields__),
    input_fields=tuple(field.name for field in _FIELDS),
    mutable=MUTABLE,
    parse_change=parse_change,
    apply_change=apply_change,
)
