"""How a filter on one kind of record reaches the records around it.

Each link is "my key is among the keys of those that fit": the planner turns that into whichever join is cheapest,
and two ways to belong are two such questions, where a condition with OR inside would be asked row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, select

from datastorage.domain.analysis import ANALYSIS
from datastorage.domain.caller import Scope
from datastorage.domain.execution import EXECUTION
from datastorage.domain.kind import RecordKind
from datastorage.domain.relation import Relation
from datastorage.domain.remediation import REMEDIATION
from datastorage.domain.workflow import WORKFLOW
from datastorage.models import ai_analysis_audit, execution_audit, remediation_audit, workflow_audit
from datastorage.repositories.scope import visible

Clause = ColumnElement[bool]

_remediation, _analysis = remediation_audit.c, ai_analysis_audit.c
_workflow, _execution = workflow_audit.c, execution_audit.c


@dataclass(frozen=True, slots=True)
class Link:
    """A way from one kind of record to another: those on this side of which one among the fitting others is."""

    kind: RecordKind[Any]
    among: Callable[[Clause, Scope], Clause]


def _among(keys: Any) -> Select[Any]:
    """Keys of others. Never correlated: the same table may stand further out, and is not meant there."""
    return select(keys).correlate(None)


def _by_key(kind: RecordKind[Any], mine: Any, theirs: Any) -> Link:
    return Link(kind, lambda fits, _: mine.in_(_among(theirs).where(fits)))


def _has_executions(fits: Clause, scope: Scope) -> Clause:
    direct = _among(_execution.remediation_request_id).where(fits)
    through_workflows = (
        _among(_workflow.remediation_request_id)
        .join(execution_audit, _execution.workflow_id == _workflow.workflow_id)
        .where(fits, visible(workflow_audit, scope))
    )
    return _remediation.remediation_request_id.in_(direct) | _remediation.remediation_request_id.in_(
        through_workflows
    )


def _execution_of(fits: Clause, scope: Scope) -> Clause:
    """What it names itself counts; its workflow only where it names nothing."""
    workflows = (
        _among(_workflow.workflow_id)
        .join(
            remediation_audit,
            _remediation.remediation_request_id == _workflow.remediation_request_id,
        )
        .where(fits, visible(workflow_audit, scope))
    )
    return _execution.remediation_request_id.in_(
        _among(_remediation.remediation_request_id).where(fits)
    ) | and_(_execution.remediation_request_id.is_(None), _execution.workflow_id.in_(workflows))


_REQUEST_ID: Final = _remediation.remediation_request_id

LINKS: Final[Mapping[tuple[str, Relation], Link]] = MappingProxyType(
    {
        (REMEDIATION.type_name, Relation.ANALYSES): _by_key(
            ANALYSIS, _REQUEST_ID, _analysis.remediation_request_id
        ),
        (REMEDIATION.type_name, Relation.WORKFLOWS): _by_key(
            WORKFLOW, _REQUEST_ID, _workflow.remediation_request_id
        ),
        (REMEDIATION.type_name, Relation.EXECUTIONS): Link(EXECUTION, _has_executions),
        (ANALYSIS.type_name, Relation.REMEDIATION): _by_key(
            REMEDIATION, _analysis.remediation_request_id, _REQUEST_ID
        ),
        (WORKFLOW.type_name, Relation.REMEDIATION): _by_key(
            REMEDIATION, _workflow.remediation_request_id, _REQUEST_ID
        ),
        (WORKFLOW.type_name, Relation.WORKFLOW_EXECUTIONS): _by_key(
            EXECUTION, _workflow.workflow_id, _execution.workflow_id
        ),
        (EXECUTION.type_name, Relation.WORKFLOW): _by_key(
            WORKFLOW, _execution.workflow_id, _workflow.workflow_id
        ),
        (EXECUTION.type_name, Relation.EXECUTION_REMEDIATION): Link(REMEDIATION, _execution_of),
    }
)
