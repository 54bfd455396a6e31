"""The past, rebuilt from events: records as they stood at some time.

A CREATED event holds the whole record, each later one the fields that changed. Of a record that was deleted since,
only the deletion is left in the log, so it is no longer told, at any time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import takewhile
from typing import Any, Final

from datastorage.domain.column_types import ColumnType, column_types
from datastorage.domain.enums import EventKind, SubjectKind
from datastorage.domain.event import RemediationEvent
from datastorage.domain.kind import R, RecordKind
from datastorage.domain.kinds import KIND_OF_SUBJECT
from datastorage.domain.remediation import RemediationAudit

_CHANGING: Final = (EventKind.CREATED, EventKind.PHASE_CHANGED, EventKind.UPDATED)


@dataclass(frozen=True, slots=True)
class Past:
    """A remediation and all around it, as told by the events there were."""

    records: Mapping[SubjectKind, Sequence[Any]]
    events: Sequence[RemediationEvent]

    @property
    def audit(self) -> RemediationAudit | None:
        """The remediation itself."""
        return next(iter(self.records[SubjectKind.REMEDIATION]), None)


def past_of(request_id: str, events: Sequence[RemediationEvent]) -> Past:
    """What these events tell of a remediation.

    An execution that names no remediation was not known to belong to it before its workflow was.
    """
    told = records_of(events)
    workflows = {workflow.workflow_id for workflow in told[SubjectKind.WORKFLOW]}
    strangers = {
        execution.execution_id
        for execution in told[SubjectKind.EXECUTION]
        if execution.remediation_request_id != request_id and execution.workflow_id not in workflows
    }
    executions = [row for row in told[SubjectKind.EXECUTION] if row.execution_id not in strangers]
    return Past(
        {**told, SubjectKind.EXECUTION: executions},
        [event for event in events if not _tells_of(event, SubjectKind.EXECUTION, strangers)],
    )


def records_of(events: Iterable[RemediationEvent]) -> dict[SubjectKind, list[Any]]:
    """The records that events tell of, by kind."""
    subjects: dict[tuple[SubjectKind, str], list[RemediationEvent]] = defaultdict(list)
    for event in events:
        subjects[event.subject_kind, event.subject_key].append(event)
    found: dict[SubjectKind, list[Any]] = {subject: [] for subject in SubjectKind}
    for (subject, _), told in subjects.items():
        record = rebuilt(KIND_OF_SUBJECT[subject], told)
        if record is not None:
            found[subject].append(record)
    return found


def rebuilt(kind: RecordKind[R], events: Iterable[RemediationEvent]) -> R | None:
    """One record from its events, in any order; None without its beginning."""
    changes = sorted((event for event in events if event.kind in _CHANGING), key=lambda event: event.version)
    # A clock set back may hide a version from the reader while showing a later one: tell what stood without a gap.
    unbroken = [event for place, event in takewhile(_in_place, enumerate(changes, start=1))]
    if not unbroken or unbroken[0].kind is not EventKind.CREATED:
        return None
    record = _created(kind, unbroken[0].changes)
    return _changed(kind, record, unbroken[1:]) if unbroken[1:] else record


def _in_place(numbered: tuple[int, RemediationEvent]) -> bool:
    place, event = numbered
    return event.version == place


def _created(kind: RecordKind[R], whole: Mapping[str, Any]) -> R:
    types = column_types(kind.record)
    return kind.record(**{name: _value(types[name], whole[name]) for name in types})


def _changed(kind: RecordKind[R], record: Any, events: Sequence[RemediationEvent]) -> Any:
    types, last = column_types(kind.record), events[-1]
    new = {name: change["new"] for event in events for name, change in event.changes.items()}
    values = {name: _value(types[name], value) for name, value in new.items()}
    after = replace(record, **values, version=last.version, updated_at=last.recorded_at)
    return replace(after, **kind.derive(after))


def _value(column: ColumnType, value: Any) -> Any:
    """A value of JSON as its column holds it."""
    if value is None:
        return None
    if column.kind is datetime:
        return datetime.fromisoformat(value)
    return column.kind(value) if issubclass(column.kind, (StrEnum, float)) else value


def _tells_of(event: RemediationEvent, subject: SubjectKind, keys: set[str]) -> bool:
    return event.subject_kind is subject and event.subject_key in keys
