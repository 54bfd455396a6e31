"""Events of remediation audits: the rows that go into the log beside each change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datastorage.domain.caller import Caller
from datastorage.domain.enums import EventKind, SubjectKind
from datastorage.domain.remediation import RemediationAudit
from datastorage.domain.snapshot import differences, snapshot


def created(audit: RemediationAudit, caller: Caller) -> dict[str, Any]:
    """A create; holds the whole record."""
    return _event(audit, caller, EventKind.CREATED, snapshot(audit))


def changed(before: RemediationAudit, after: RemediationAudit, caller: Caller) -> dict[str, Any]:
    """An update; holds the old and the new value of each field that changed."""
    kind = EventKind.UPDATED if after.phase is before.phase else EventKind.PHASE_CHANGED
    return _event(after, caller, kind, differences(before, after))


def deleted(audit: RemediationAudit, caller: Caller) -> dict[str, Any]:
    """A deletion; says that there was something, and nothing of what it was."""
    return _event(audit, caller, EventKind.DELETED, {})


def _event(
    audit: RemediationAudit, caller: Caller, kind: EventKind, changes: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "remediation_request_id": audit.remediation_request_id,
        "subject_kind": SubjectKind.REMEDIATION,
        "subject_key": audit.remediation_request_id,
        "version": audit.version,
        "kind": kind,
        "actor": caller.principal,
        "declared_actor": caller.declared_actor,
        "namespace": audit.namespace,
        "cluster_name": audit.cluster_name,
        "changes": changes,
    }
