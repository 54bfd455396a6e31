"""Incidents like a stored one: it asks with its own text and time, and is left out of the answer."""

from __future__ import annotations

from datastorage.domain.caller import Caller
from datastorage.domain.enums import SearchMode
from datastorage.domain.filters import Filter
from datastorage.domain.remediation import RemediationAudit
from datastorage.services.dependencies import Dependencies
from datastorage.services.incident_text import question_of
from datastorage.services.similar_incidents.answer import SimilarIncidentsFound
from datastorage.services.similar_incidents.question import SimilarityQuestion
from datastorage.services.similar_incidents.search import find_similar_incidents

NOT_ARRIVED = SimilarIncidentsFound(
    mode=SearchMode.HYBRID,
    exhaustive=True,
    degraded_reason="the remediation has not arrived yet",
    model=None,
    hits=(),
)


async def find_incidents_like(
    deps: Dependencies, caller: Caller, audit: RemediationAudit | None, where: Filter, rows: int
) -> SimilarIncidentsFound:
    """The stored incidents most like this one. Errors: InvalidInput, Forbidden, Unavailable."""
    if audit is None:
        return NOT_ARRIVED
    question = SimilarityQuestion(
        text=question_of(audit), where=where, rows=rows, at=audit.start_time, other_than=audit.id
    )
    return await find_similar_incidents(deps, caller, question)
