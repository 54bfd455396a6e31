"""Records rebuilt from made-up events: what is told, what is left out, and what gaps do."""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from datastorage.domain.enums import EventKind, Phase, SubjectKind
from datastorage.domain.event import RemediationEvent
from datastorage.domain.execution import EXECUTION, ExecutionAudit, ExecutionDraft
from datastorage.domain.history import past_of, rebuilt, records_of
from datastorage.domain.kind import RecordKind
from datastorage.domain.names import snake
from datastorage.domain.remediation import REMEDIATION, RemediationAudit, RemediationDraft
from datastorage.domain.snapshot import whole
from datastorage.domain.workflow import WORKFLOW, WorkflowAudit, WorkflowDraft
from support import around
from support.records import remediation_row

START = datetime(2026, 1, 1, 12, 0, 0, 1, tzinfo=UTC)


def row(valid: dict[str, Any]) -> dict[str, Any]:
    return {snake(name): value for name, value in valid.items()}


AUDIT = RemediationAudit(
    **asdict(RemediationDraft.parse(remediation_row(metadata={"n": 1}))),
    id=1,
    version=1,
    created_at=START,
    updated_at=START,
)
FLOW = WorkflowAudit(
    **asdict(WorkflowDraft.parse(row(around.WORKFLOW))), id=2, version=1, created_at=START, updated_at=START
)
STEP = ExecutionAudit(**asdict(ExecutionDraft.parse(row(around.EXECUTION))), id=3, created_at=START)


def event(
    kind: RecordKind[Any], record: Any, what: EventKind, version: int, changes: dict[str, Any]
) -> RemediationEvent:
    return RemediationEvent(
        id=version,
        remediation_request_id=record.remediation_request_id,
        subject_kind=kind.subject,
        subject_key=kind.key_of(record),
        version=version,
        kind=what,
        recorded_at=START + timedelta(seconds=version),
        actor="a",
        declared_actor=None,
        namespace=record.namespace,
        cluster_name=record.cluster_name,
        changes=changes,
    )


def created(kind: RecordKind[Any], record: Any) -> RemediationEvent:
    return event(kind, record, EventKind.CREATED, 1, whole(record))


def changed(version: int, **new: Any) -> RemediationEvent:
    changes = {name: {"old": None, "new": value} for name, value in new.items()}
    return event(REMEDIATION, AUDIT, EventKind.UPDATED, version, changes)


@pytest.mark.parametrize(("kind", "record"), [(REMEDIATION, AUDIT), (WORKFLOW, FLOW), (EXECUTION, STEP)])
def test_a_created_record_comes_back_as_it_was(kind: RecordKind[Any], record: Any) -> None:
    assert rebuilt(kind, [created(kind, record)]) == record


def test_changes_apply_by_version_with_all_that_follows_from_them() -> None:
    told = [
        changed(3, end_time="2026-01-01T12:00:02+00:00", target_resource="ns/Pod/x"),
        created(REMEDIATION, AUDIT),
        changed(2, phase="processing", end_time="2026-01-01T12:00:09+00:00"),
    ]

    after = rebuilt(REMEDIATION, told)

    assert after == replace(
        AUDIT,
        phase=Phase.PROCESSING,
        end_time=datetime(2026, 1, 1, 12, 0, 2, tzinfo=UTC),
        duration_ms=2000,
        target_resource="ns/Pod/x",
        target_kind="Pod",
        target_namespace="ns",
        target_name="x",
        version=3,
        updated_at=START + timedelta(seconds=3),
    )
    assert after is not None
    assert after.phase is Phase.PROCESSING


def test_a_status_that_a_move_left_alone_stays() -> None:
    after = rebuilt(REMEDIATION, [created(REMEDIATION, AUDIT), changed(2, phase="processing")])

    assert after is not None
    assert after.status == "pending"


def test_a_version_that_is_missing_hides_the_later_ones() -> None:
    told = [created(REMEDIATION, AUDIT), changed(3, severity="low")]

    assert rebuilt(REMEDIATION, told) == AUDIT


def test_without_its_beginning_a_record_is_not_told() -> None:
    deleted = event(REMEDIATION, AUDIT, EventKind.DELETED, 7, {})
    feedback = event(REMEDIATION, AUDIT, EventKind.FEEDBACK_RECORDED, 1, {"helpful": True})

    assert rebuilt(REMEDIATION, [changed(2, severity="low")]) is None
    assert rebuilt(REMEDIATION, [deleted, feedback]) is None
    assert records_of([deleted]) == {subject: [] for subject in SubjectKind}


def test_a_record_stored_again_after_a_deletion_is_told() -> None:
    deleted = event(REMEDIATION, AUDIT, EventKind.DELETED, 7, {})

    assert rebuilt(
        REMEDIATION, [deleted, created(REMEDIATION, AUDIT), changed(2, severity="low")]
    ) == replace(AUDIT, severity="low", version=2, updated_at=START + timedelta(seconds=2))


def test_an_execution_is_told_once_its_workflow_is() -> None:
    step, flow = created(EXECUTION, STEP), created(WORKFLOW, FLOW)

    without, with_flow = past_of("rr-1", [step]), past_of("rr-1", [step, flow])

    assert (without.records[SubjectKind.EXECUTION], without.events) == ([], [])
    assert (with_flow.records[SubjectKind.EXECUTION], with_flow.events) == ([STEP], [step, flow])
    named = replace(STEP, remediation_request_id="rr-1")
    assert past_of("rr-1", [created(EXECUTION, named)]).records[SubjectKind.EXECUTION] == [named]
