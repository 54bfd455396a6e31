"""Records that belong to others: one page of them for each of many parents, in one statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Generic

from sqlalchemy import ColumnElement, String, any_, bindparam, column, func, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from datastorage.db.database import ReadSession
from datastorage.domain.analysis import ANALYSIS
from datastorage.domain.caller import Scope
from datastorage.domain.event import EVENT
from datastorage.domain.execution import EXECUTION
from datastorage.domain.kind import R, RecordKind
from datastorage.domain.paging import PageRequest
from datastorage.domain.relation import Relation
from datastorage.domain.workflow import WORKFLOW
from datastorage.models import ai_analysis_audit, execution_audit, remediation_event, workflow_audit
from datastorage.repositories.keyset import beyond, ordered
from datastorage.repositories.record_tables import table_of
from datastorage.repositories.scope import visible

Key = ColumnElement[Any]

_analysis, _workflow = ai_analysis_audit.c, workflow_audit.c
_execution, _event = execution_audit.c, remediation_event.c


def _executions_of(request_id: Key) -> ColumnElement[bool]:
    """An execution belongs to a remediation also through its workflow."""
    workflows = (
        select(_workflow.workflow_id)
        .where(_workflow.remediation_request_id == request_id)
        .correlate_except(workflow_audit)
    )
    # as an array, so that both sides of the OR are found through their index
    in_workflows = _execution.workflow_id == any_(func.array(workflows.scalar_subquery()))
    return (_execution.remediation_request_id == request_id) | in_workflows


@dataclass(frozen=True, slots=True)
class Belonging(Generic[R]):
    """Which records of a kind belong to a parent's key."""

    kind: RecordKind[R]
    belongs_to: Callable[[Key], ColumnElement[bool]]


BELONGINGS: Final[Mapping[Relation, Belonging[Any]]] = MappingProxyType(
    {
        Relation.ANALYSES: Belonging(ANALYSIS, lambda key: _analysis.remediation_request_id == key),
        Relation.WORKFLOWS: Belonging(WORKFLOW, lambda key: _workflow.remediation_request_id == key),
        Relation.EXECUTIONS: Belonging(EXECUTION, _executions_of),
        Relation.WORKFLOW_EXECUTIONS: Belonging(EXECUTION, lambda key: _execution.workflow_id == key),
        Relation.EVENTS: Belonging(EVENT, lambda key: _event.remediation_request_id == key),
    }
)
_KEYS: Final = (
    func.unnest(bindparam("keys", type_=ARRAY(String)))
    .table_valued(column("key", String))
    .render_derived(name="parents")
)


class Relations:
    """What belongs to what, within a caller's scope."""

    def __init__(self, session: ReadSession, scope: Scope) -> None:
        self._session, self._scope = session, scope

    async def pages(
        self, relation: Relation, keys: Sequence[str], request: PageRequest
    ) -> dict[str, tuple[list[Any], bool]]:
        """One page for each key, and whether more lies beyond it. Errors: BadCursor."""
        belonging = BELONGINGS[relation]
        home = table_of(belonging.kind)
        page = (
            select(*home.record_columns)
            .where(belonging.belongs_to(_KEYS.c.key), visible(home.table, self._scope))
            .order_by(*ordered(home.table, request.order, backward=request.backward))
            .limit(request.rows + 1)
        )
        if request.position is not None:
            page = page.where(beyond(home.table, request.order, request.position, backward=request.backward))
        rows = page.lateral("page")
        statement = select(_KEYS.c.key.label("parent_key"), *rows.c).join(rows, true())
        found: dict[str, list[Any]] = defaultdict(list)
        for row in await self._session.execute(statement, {"keys": list(keys)}):
            values = dict(row._mapping)  # noqa: SLF001 -- SQLAlchemy's public name for it
            found[values.pop("parent_key")].append(belonging.kind.record(**values))
        return {key: _page(found.get(key, []), request) for key in keys}

    async def count(self, relation: Relation, key: str, rows_max: int | None) -> int:
        """How many records belong to a key, counting no further than `rows_max`."""
        belonging = BELONGINGS[relation]
        table = table_of(belonging.kind).table
        found = (
            select(table.c.id)
            .where(belonging.belongs_to(bindparam("key", key)), visible(table, self._scope))
            .limit(rows_max)
        )
        counted = await self._session.scalar(select(func.count()).select_from(found.subquery()))
        return int(counted or 0)


def _page(found: list[Any], request: PageRequest) -> tuple[list[Any], bool]:
    nodes = found[: request.rows]  # the extra row only tells that there is more
    return (nodes[::-1] if request.backward else nodes), len(found) > request.rows
