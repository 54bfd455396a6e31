"""The row of term_statistics: made of all incidents, for callers without a scope. And the same for one scope."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Row, func, select, tablesample
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert

from datastorage.db.advisory_locks import AdvisoryLock
from datastorage.db.database import ReadSession, WriteSession
from datastorage.domain.caller import Scope
from datastorage.limits import SCOPE_STATISTICS_SAMPLE_ROWS, STATISTICS_SAMPLE_ROWS, STATISTICS_TERMS_MAX
from datastorage.models import incident_lexical, remediation_audit, remediation_event
from datastorage.models import term_statistics as table
from datastorage.repositories.scope import visible
from datastorage.search.term_statistics import TermStatistics

_lexical, _event = incident_lexical.c, remediation_event.c


@dataclass(frozen=True, slots=True)
class Standing:
    """How the stored statistics relate to the incidents there are."""

    refreshed_at: datetime | None  # None: never
    documents: int
    audit_id_max: int  # when they were made
    audit_id_now: int
    written_at: datetime | None  # when any record was last created, changed or deleted; None: never

    def due(self, now: datetime, age_s_max: float, growth_max: float) -> bool:
        """Whether they no longer fit: much was added, or they are old and anything was written since."""
        if self.refreshed_at is None:
            return self.audit_id_now > 0
        added = self.audit_id_now - self.audit_id_max
        old = (now - self.refreshed_at).total_seconds() > age_s_max
        written = self.written_at is not None and self.written_at > self.refreshed_at
        return added > self.documents * growth_max or (old and written)


async def standing(session: ReadSession | WriteSession) -> Standing:
    """When the statistics were made, and what has been written since."""
    newest = select(func.coalesce(func.max(_lexical.audit_id), 0)).scalar_subquery()
    last_event = select(_event.recorded_at).order_by(_event.id.desc()).limit(1).scalar_subquery()
    row = (
        await session.execute(
            select(
                newest.label("now"),
                last_event.label("written_at"),
                table.c.refreshed_at,
                table.c.documents,
                table.c.audit_id_max,
            ).join_from(select(1).subquery("one"), table, table.c.id == 1, isouter=True)
        )
    ).one()
    return Standing(row.refreshed_at, row.documents or 0, row.audit_id_max or 0, row.now, row.written_at)


async def stored(session: ReadSession) -> tuple[datetime, TermStatistics] | None:
    """The statistics, and when they were made."""
    row = (await session.execute(select(table).where(table.c.id == 1))).one_or_none()
    if row is None:
        return None
    return row.refreshed_at, TermStatistics.from_bytes(row.documents, row.terms, row.frequencies)


async def refresh(session: WriteSession) -> bool:
    """Counts anew, a sample where there are many; False if another process is at it."""
    if not await session.scalar(select(func.pg_try_advisory_xact_lock(AdvisoryLock.TERM_STATISTICS.value))):
        return False
    rows = await session.scalar(select(func.greatest(func.count(), 1)).select_from(incident_lexical)) or 1
    share = min(1.0, STATISTICS_SAMPLE_ROWS / rows)
    counted = await _counted(session, share)
    frequencies = np.rint(np.asarray(counted.frequencies or [], np.float64) / share).astype("<i4")
    statement = insert(table).values(
        id=1,
        documents=rows,
        audit_id_max=select(func.coalesce(func.max(_lexical.audit_id), 0)).scalar_subquery(),
        terms=np.asarray(counted.numbers or [], "<i4").tobytes(),
        frequencies=frequencies.tobytes(),
        refreshed_at=func.clock_timestamp(),
    )
    names = ("documents", "audit_id_max", "terms", "frequencies", "refreshed_at")
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["id"], set_={name: statement.excluded[name] for name in names}
        )
    )
    return True


async def within(session: ReadSession, scope: Scope) -> TermStatistics:
    """The same of what one scope sees, from its newest incidents: nothing of others can be told from it."""
    seen = visible(remediation_audit, scope)
    rows = int(await session.scalar(select(func.count()).select_from(remediation_audit).where(seen)) or 0)
    newest = (
        select(remediation_audit.c.id)
        .where(seen)
        .order_by(remediation_audit.c.start_time.desc(), remediation_audit.c.id.desc())
        .limit(SCOPE_STATISTICS_SAMPLE_ROWS)
        .subquery()
    )
    documents = select(_lexical.terms).join(newest, newest.c.id == _lexical.audit_id).subquery()
    counted = await _frequent(session, documents.c.terms)
    share = min(1.0, SCOPE_STATISTICS_SAMPLE_ROWS / max(rows, 1))
    frequencies = np.rint(np.asarray(counted.frequencies or [], np.float64) / share).astype(np.int32)
    return TermStatistics(rows, np.asarray(counted.numbers or [], np.int32), frequencies)


async def _counted(session: WriteSession, share: float) -> Row[Any, Any]:
    """The terms that more than one document has, and how many do, in the order of their numbers."""
    documents = incident_lexical if share == 1.0 else tablesample(incident_lexical, func.system(100 * share))
    return await _frequent(session, documents.c.terms)


async def _frequent(session: ReadSession | WriteSession, of_documents: ColumnElement[Any]) -> Row[Any, Any]:
    terms = select(func.unnest(of_documents).label("number")).subquery()
    frequent = (
        select(terms.c.number, func.count().label("frequency"))
        .group_by(terms.c.number)
        .having(func.count() > 1)
        .order_by(func.count().desc())
        .limit(STATISTICS_TERMS_MAX)
        .subquery()
    )
    in_order = frequent.c.number
    statement = select(
        func.array_agg(aggregate_order_by(frequent.c.number, in_order)).label("numbers"),
        func.array_agg(aggregate_order_by(frequent.c.frequency, in_order)).label("frequencies"),
    )
    return (await session.execute(statement)).one()
