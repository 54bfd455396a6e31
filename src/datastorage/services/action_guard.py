"""The guard of an action: what somebody who is about to act on a target should know of it first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from datastorage.db.database import ReadSession
from datastorage.domain.action_guard import ActionGuard, GuardQuestion
from datastorage.domain.caller import Caller, Right, Scope
from datastorage.domain.filters import Filter
from datastorage.domain.paging import NEWEST_FIRST, PageRequest
from datastorage.domain.remediation import REMEDIATION, RemediationAudit
from datastorage.domain.statistics import Statistics, StatisticsQuestion
from datastorage.limits import GUARD_ROWS_MAX
from datastorage.observability.labels import QueryOperation
from datastorage.observability.metrics import query_observed
from datastorage.repositories.records import Records
from datastorage.repositories.statistics import RemediationStatistics
from datastorage.services.dependencies import Dependencies


async def action_guard(deps: Dependencies, caller: Caller, arguments: Mapping[str, Any]) -> ActionGuard:
    """What is known of an action on a target. Errors: InvalidInput with every fault, Forbidden, Unavailable."""
    caller.require(Right.READ)
    question = GuardQuestion.parse(arguments, datetime.now(UTC))
    with query_observed(QueryOperation.AGGREGATE):
        async with deps.database.snapshot() as session:
            return await _Target(session, caller.scope).guard(question)


class _Target:
    """The remediations of one target in one snapshot of the database."""

    def __init__(self, session: ReadSession, scope: Scope) -> None:
        self._audits = Records(session, scope, REMEDIATION)
        self._statistics = RemediationStatistics(session, scope)

    async def guard(self, question: GuardQuestion) -> ActionGuard:
        """All that is known; at most six statements."""
        in_flight, more = await self._newest(question.in_flight, GUARD_ROWS_MAX)
        failures, _ = await self._newest(question.recent_failures, GUARD_ROWS_MAX)
        attempts, _ = await self._newest(question.attempts, 1)
        successes, _ = await self._newest(question.successes, 1)
        return ActionGuard(
            since=question.since,
            in_flight=in_flight,
            in_flight_count=await self._audits.count(question.in_flight, None) if more else len(in_flight),
            recent_failures=failures,
            recent=await self._figures(question.recent_attempts),
            last_attempt=next(iter(attempts), None),
            last_success=next(iter(successes), None),
        )

    async def _newest(self, where: Filter, rows: int) -> tuple[list[RemediationAudit], bool]:
        return await self._audits.page(PageRequest(where, NEWEST_FIRST, rows))

    async def _figures(self, where: Filter) -> Statistics:
        (figures,) = await self._statistics.groups(StatisticsQuestion(where=where, recurrence=True), 1)
        return figures
