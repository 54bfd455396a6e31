"""The event: what happened to a record, as the log holds it. Appended by every write, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from datastorage.domain.enums import EventKind, SubjectKind
from datastorage.domain.kind import RecordKind


@dataclass(frozen=True, slots=True, kw_only=True)
class RemediationEvent:
    """One entry of the log."""

    id: int
    remediation_request_id: str | None
    subject_kind: SubjectKind
    subject_key: str
    version: int
    kind: EventKind
    recorded_at: datetime
    actor: str
    declared_actor: str | None
    namespace: str | None
    cluster_name: str | None
    changes: dict[str, Any]


def _never_sent(_: object) -> object:
    raise TypeError("events are written by the service, never by clients")


EVENT: Final = RecordKind(
    subject=SubjectKind.REMEDIATION,
    type_name="RemediationEvent",
    label="event",
    key="id",
    record=RemediationEvent,
    parse=_never_sent,
    draft_fields=(),
    input_fields=(),
    redacted_json=(),
    newest_by="recorded_at",
)
