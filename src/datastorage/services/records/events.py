"""Events of audits: the rows that go into the log beside each change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datastorage.domain.caller import Caller
from datastorage.domain.enums import EventKind
from datastorage.domain.kind import R, RecordKind
from datastorage.domain.snapshot import differences, whole


def created(kind: RecordKind[R], record: R, caller: Caller) -> dict[str, Any]:
    """A create; holds the whole record."""
    return _event(kind, record, caller, EventKind.CREATED, whole(record))


def changed(kind: RecordKind[R], before: R, after: R, caller: Caller) -> dict[str, Any]:
    """An update; holds the old and the new value of each field that changed."""
    changes = differences(kind, before, after)
    event_kind = EventKind.PHASE_CHANGED if "phase" in changes else EventKind.UPDATED
    return _event(kind, after, caller, event_kind, changes)


def deleted(kind: RecordKind[R], record: R, caller: Caller) -> dict[str, Any]:
    """A deletion; says that there was something, and nothing of what it was."""
    return _event(kind, record, caller, EventKind.DELETED, {})


def feedback(kind: RecordKind[R], record: R, caller: Caller, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody thinks of it; the record stays as it is."""
    return _event(kind, record, caller, EventKind.FEEDBACK_RECORDED, changes)


def _event(
    kind: RecordKind[R], record: R, caller: Caller, event_kind: EventKind, changes: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "remediation_request_id": record.remediation_request_id,
        "subject_kind": kind.subject,
        "subject_key": kind.key_of(record),
        "version": kind.version_of(record),
        "kind": event_kind,
        "actor": caller.principal,
        "declared_actor": caller.declared_actor,
        "namespace": record.namespace,
        "cluster_name": record.cluster_name,
        "changes": changes,
    }
