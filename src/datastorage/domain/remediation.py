"""The remediation audit: one row per remediation request, moved through its phases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeVar

from datastorage import limits
from datastorage.domain import fields
from datastorage.domain.derived import check_end, duration_ms, split_target
from datastorage.domain.enums import Phase, Severity, Status, SubjectKind
from datastorage.domain.form import Field, Form
from datastorage.domain.kind import RecordKind
from datastorage.domain.phases import REMEDIATION_MOVES, STATUS_OF, check_move
from datastorage.errors import InvalidInput

_FIELDS: Final = (
    Field("remediation_request_id", fields.KEY_FIELD, required=True),
    Field("name", fields.NAME_FIELD, required=True),
    Field("namespace", fields.NAME_FIELD, required=True),
    Field("phase", fields.enumerated(Phase), required=True),
    Field("status", fields.enumerated(Status)),
    Field("action_type", fields.ACTION_TYPE_FIELD, required=True),
    Field("action_parameters", fields.json_object(limits.ACTION_PARAMETERS_BYTES_MAX)),
    Field("start_time", fields.moment, required=True),
    Field("end_time", fields.moment),
    Field("alert_fingerprint", fields.KEY_FIELD, required=True),
    Field("severity", fields.enumerated(Severity), required=True),
    Field("environment", fields.ENVIRONMENT_FIELD, required=True),
    Field("cluster_name", fields.KEY_FIELD, required=True),
    Field("target_resource", fields.TARGET_FIELD, required=True),
    Field("error_message", fields.free_text),
    Field("resolution", fields.free_text),
    Field("metadata", fields.json_object(limits.METADATA_BYTES_MAX)),
)
CREATE_FORM: Final = Form(_FIELDS)
MUTABLE: Final = (
    "phase",
    "status",
    "action_type",
    "action_parameters",
    "end_time",
    "severity",
    "environment",
    "target_resource",
    "error_message",
    "resolution",
    "metadata",
)
UPDATE_FORM: Final = CREATE_FORM.only(*MUTABLE, required=("status",))
REDACTED_JSON: Final = ("action_parameters", "metadata")


@dataclass(frozen=True, slots=True, kw_only=True)
class RemediationDraft:
    """A remediation as a client describes it, validated and cleaned, with what follows from it."""

    remediation_request_id: str
    name: str
    namespace: str
    phase: Phase
    status: Status
    action_type: str
    action_parameters: dict[str, Any]
    start_time: datetime
    end_time: datetime | None
    duration_ms: int | None
    alert_fingerprint: str
    severity: Severity
    environment: str
    cluster_name: str
    target_resource: str
    target_kind: str
    target_namespace: str | None
    target_name: str
    error_message: str | None
    resolution: str | None
    metadata: dict[str, Any]

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> RemediationDraft:
        """From column names and raw values. Errors: InvalidInput with every fault."""
        reading = CREATE_FORM.read(raw)
        values = reading.values
        check_end(reading)
        reading.done()
        values["status"] = values["status"] or STATUS_OF[values["phase"]]
        values |= {name: values[name] or {} for name in REDACTED_JSON}
        values |= split_target(values["target_resource"])
        return cls(**values, duration_ms=duration_ms(values["start_time"], values["end_time"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class RemediationAudit(RemediationDraft):
    """A stored remediation."""

    id: int
    version: int
    created_at: datetime
    updated_at: datetime


D = TypeVar("D", bound=RemediationDraft)


def parse_change(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an update, validated; only those that were sent. Errors: InvalidInput."""
    values = UPDATE_FORM.read(raw, partial=True).done()
    return {name: {} if value is None and name in REDACTED_JSON else value for name, value in values.items()}


def apply_change(audit: D, change: Mapping[str, Any]) -> D:
    """The audit, or the draft of one, after an update, with everything that follows from the fields sent.

    Errors: InvalidTransition, InvalidInput (an end before the start).
    """
    change = dict(change)
    phase = change.get("phase", audit.phase)
    check_move(REMEDIATION_MOVES, audit.phase, phase)
    if phase is not audit.phase:
        change.setdefault("status", STATUS_OF[phase])
        if audit.phase is Phase.FAILED:  # a retry starts over
            change.setdefault("end_time", None)
    end = change.get("end_time", audit.end_time)
    if end is not None and end < audit.start_time:
        raise InvalidInput.single("endTime", "lies before startTime")
    after = replace(audit, **change)
    return replace(after, **derive(after))


def derive(audit: RemediationDraft) -> dict[str, Any]:
    """What follows from fields that change."""
    return {
        "duration_ms": duration_ms(audit.start_time, audit.end_time),
        **split_target(audit.target_resource),
    }


def change_of(draft: RemediationDraft, raw: Mapping[str, Any]) -> dict[str, Any]:
    """What an upsert asks of an audit that stands already: those of the fields sent that may change.

    A status of null is no wish: as in a create, it follows from the phase.
    """
    change = {name: getattr(draft, name) for name in MUTABLE if name in raw}
    if raw.get("status") is None:
        change.pop("status", None)
    return change


REMEDIATION: Final = RecordKind(
    subject=SubjectKind.REMEDIATION,
    type_name="RemediationAudit",
    label="remediation audit",
    key="remediation_request_id",
    record=RemediationAudit,
    parse=RemediationDraft.parse,
    draft_fields=tuple(RemediationDraft.__dataclass_fields__),
    input_fields=tuple(field.name for field in _FIELDS),
    redacted_text=("error_message", "resolution"),
    redacted_json=REDACTED_JSON,
    mutable=MUTABLE,
    derived=("duration_ms", "target_kind", "target_namespace", "target_name"),
    derive=derive,
    parse_change=parse_change,
    apply_change=apply_change,
)
