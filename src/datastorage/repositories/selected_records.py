"""Records of any number and kind that an export or a delete means, within a caller's scope."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final, Generic

from sqlalchemy import ColumnElement, Row, Text, and_, any_, delete, func, literal, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY

from datastorage.db.database import ReadSession, WriteSession
from datastorage.domain.caller import Scope
from datastorage.domain.execution import EXECUTION
from datastorage.domain.filters import Filter
from datastorage.domain.kind import R, RecordKind
from datastorage.domain.remediation import REMEDIATION
from datastorage.domain.selection import Selection
from datastorage.models import execution_audit, workflow_audit
from datastorage.repositories.record_tables import table_of
from datastorage.repositories.records import matching

Clause = ColumnElement[bool]
Named = Callable[[ColumnElement[Any]], Clause]  # whether a column names one of certain requests

TOLD_OF_DELETED: Final = (
    "version",
    "remediation_request_id",
    "namespace",
    "cluster_name",
    "content_hash",
)
_step = execution_audit.alias("step")


def selected(kind: RecordKind[Any], selection: Selection, scope: Scope) -> Clause:
    """The records of one kind that a selection means."""
    clauses = [matching(kind, selection.by_own_fields(kind.subject), scope)]
    if selection.request_ids is not None:
        clauses.append(_around(kind, _one_of(selection.request_ids)))
    if selection.around is not None and kind is REMEDIATION:
        clauses.append(matching(REMEDIATION, selection.around, scope))
    elif selection.around is not None:
        clauses.append(_around(kind, _one_left_by(selection.around, scope)))
    return and_(*clauses)


def _one_of(request_ids: Sequence[str]) -> Named:
    ids = literal(list(request_ids), ARRAY(Text))
    return lambda column: column == any_(ids)


def _one_left_by(where: Filter, scope: Scope) -> Named:
    kept = select(table_of(REMEDIATION).key).where(matching(REMEDIATION, where, scope)).correlate(None)
    return lambda column: column.in_(kept)


def _around(kind: RecordKind[Any], named: Named) -> Clause:
    if kind is not EXECUTION:
        return named(table_of(kind).table.c.remediation_request_id)
    # Two ways to belong as one set of rows: an OR of them would be asked row by row.
    direct = select(_step.c.id).where(named(_step.c.remediation_request_id))
    workflow = _step.join(workflow_audit, workflow_audit.c.workflow_id == _step.c.workflow_id)
    through = select(_step.c.id).select_from(workflow).where(named(workflow_audit.c.remediation_request_id))
    return execution_audit.c.id.in_(union_all(direct.correlate(None), through.correlate(None)))


class SelectedRecords(Generic[R]):
    """What a caller can read of one kind of record, in any number."""

    def __init__(self, session: ReadSession | WriteSession, scope: Scope, kind: RecordKind[R]) -> None:
        self._session, self._scope, self._kind = session, scope, kind
        self._home = table_of(kind)

    async def count(self, selection: Selection) -> int:
        """How many there are."""
        statement = select(func.count()).select_from(self._home.table).where(self._selected(selection))
        return int(await self._session.scalar(statement) or 0)

    async def batches(self, selection: Selection, rows_max: int) -> AsyncIterator[list[R]]:
        """All of them in the order they were stored, a few at a time; needs a transaction."""
        statement = select(*self._home.record_columns).where(self._selected(selection))
        ordered = statement.order_by(self._home.table.c.id)
        async with self._session.stream(ordered, execution_options={"yield_per": rows_max}) as rows:
            async for batch in rows.partitions():
                yield [self._kind.record(**row._mapping) for row in batch]  # noqa: SLF001 -- SQLAlchemy's public name

    async def last_id(self) -> int:
        """The highest number there is, visible or not; 0 in an empty table."""
        return int(await self._session.scalar(select(func.max(self._home.table.c.id))) or 0)

    async def keys(self, selection: Selection, after: int, until: int, rows_max: int) -> dict[int, str]:
        """The natural keys by number, in its order, of those beyond one number and up to another."""
        number = self._home.table.c.id
        statement = (
            select(number, self._home.key.label("key"))
            .where(self._selected(selection), number > after, number <= until)
            .order_by(number)
            .limit(rows_max)
        )
        return {row.id: row.key for row in await self._session.execute(statement)}

    def _selected(self, selection: Selection) -> Clause:
        return selected(self._kind, selection, self._scope)


class SelectedRecordsWriter(SelectedRecords[R]):
    """The same in a transaction that may write."""

    def __init__(self, session: WriteSession, scope: Scope, kind: RecordKind[R]) -> None:
        super().__init__(session, scope, kind)

    async def delete(self, selection: Selection) -> list[Row[Any]]:
        """Deletes them; returns their keys and what else the deletion needs to know of them."""
        told = {self._kind.key, *TOLD_OF_DELETED}
        columns = [column for column in self._home.table.c if column.name in told]
        statement = delete(self._home.table).where(self._selected(selection)).returning(*columns)
        return list(await self._session.execute(statement))
