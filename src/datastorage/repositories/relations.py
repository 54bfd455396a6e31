"""Records that belong to others: one page of them for each of many parents, in one statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Generic

from sqlalchemy import (
    ColumnElement,
    and_,
    any_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from datastorage.db.database import ReadSession
from datastorage.domain.analysis import ANALYSIS
from datastorage.domain.caller import Scope
from datastorage.domain.event import EVENT, RemediationEvent
from datastorage.domain.execution import EXECUTION
from datastorage.domain.kind import R, RecordKind
from datastorage.domain.relation import Relation
from datastorage.domain.workflow import WORKFLOW
from datastorage.models import ai_analysis_audit, execution_audit, remediation_event, workflow_audit
from datastorage.repositories.record_tables import table_of
from datastorage.repositories.scope import visible

Key = ColumnElement[Any]

_analysis, _workflow = ai_analysis_audit.c, workflow_audit.c
_execution, _event = execution_audit.c, remediation_event.c


def _in_workflows_of(request_id: Key, scope: Scope) -> ColumnElement[bool]:
    """The executions of a remediation's workflows, of those that the caller sees."""
    workflows = (
        select(_workflow.workflow_id)
        .where(_workflow.remediation_request_id == request_id, visible(workflow_audit, scope))
        .correlate_except(workflow_audit)
    )
    # as an array, so that both sides of an OR are found through their index
    return _execution.workflow_id == any_(func.array(workflows.scalar_subquery()))


def _executions_of(request_id: Key, scope: Scope) -> ColumnElement[bool]:
    """An execution belongs to a remediation also through its workflow."""
    return (_execution.remediation_request_id == request_id) | _in_workflows_of(request_id, scope)


def _events_of(request_id: Key, scope: Scope) -> ColumnElement[bool]:
    """An event names the remediation that its record names; an execution may leave that to its workflow."""
    executions = (
        select(_execution.execution_id)
        .where(_in_workflows_of(request_id, scope))
        .correlate_except(execution_audit)
    )
    of_executions = and_(
        _event.subject_kind == literal_column("'execution'"),
        _event.kind == literal_column("'created'"),  # spelled out, since the partial index asks for it
        _event.subject_key == any_(func.array(executions.scalar_subquery())),
    )
    return (_event.remediation_request_id == request_id) | of_executions


@dataclass(frozen=True, slots=True)
class Belonging(Generic[R]):
    """Which records of a kind belong to a parent's key."""

    kind: RecordKind[R]
    belongs_to: Callable[[Key, Scope], ColumnElement[bool]]


def _named_by(kind: RecordKind[R], column: Key) -> Belonging[R]:
    """The records whose own column names the parent."""
    return Belonging(kind, lambda key, _scope: column == key)


BELONGINGS: Final[Mapping[Relation, Belonging[Any]]] = MappingProxyType(
    {
        Relation.ANALYSES: _named_by(ANALYSIS, _analysis.remediation_request_id),
        Relation.WORKFLOWS: _named_by(WORKFLOW, _workflow.remediation_request_id),
        Relation.EXECUTIONS: Belonging(EXECUTION, _executions_of),
        Relation.WORKFLOW_EXECUTIONS: _named_by(EXECUTION, _execution.workflow_id),
        Relation.EVENTS: Belonging(EVENT, _events_of),
    }
)


class Relations:
    """What belongs to what, within a caller's scope."""

    def __init__(self, session: ReadSession, scope: Scope) -> None:
        self._session, self._scope = session, scope

    async def count(self, relation: Relation, key: str, rows_max: int | None) -> int:
        """How many records belong to a key, counting no further than `rows_max`."""
        belonging = BELONGINGS[relation]
        table = table_of(belonging.kind).table
        found = (
            select(table.c.id)
            .where(belonging.belongs_to(bindparam("key", key), self._scope), visible(table, self._scope))
            .limit(rows_max)
        )
        counted = await self._session.scalar(select(func.count()).select_from(found.subquery()))
        return int(counted or 0)

    async def any_around(self, key: str) -> bool:
        """Whether anything belongs to the remediation with this request id, be it only an event."""
        request_id: Key = bindparam("key", key)
        around = (
            exists().where(
                BELONGINGS[relation].belongs_to(request_id, self._scope),
                visible(table_of(BELONGINGS[relation].kind).table, self._scope),
            )
            for relation in (Relation.ANALYSES, Relation.WORKFLOWS, Relation.EXECUTIONS, Relation.EVENTS)
        )
        return bool(await self._session.scalar(select(or_(*around))))

    async def events_until(self, key: str, until: datetime, rows_max: int) -> list[RemediationEvent]:
        """What was recorded by then of a remediation and all around it; no more than `rows_max`, in any order."""
        home = table_of(EVENT)
        statement = (
            select(*home.record_columns)
            .where(
                _events_of(bindparam("key", key), self._scope),
                visible(home.table, self._scope),
                _event.recorded_at <= until,
            )
            .limit(rows_max)
        )
        rows = await self._session.execute(statement)
        return [RemediationEvent(**row._mapping) for row in rows]  # noqa: SLF001 -- SQLAlchemy's public name
