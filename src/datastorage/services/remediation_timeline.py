"""The timeline of a remediation: its audit and everything around it, as it is now or as it was known at a time.

Now, the lists are left to whoever asks for them; the past is rebuilt from the events at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from datastorage.domain.caller import Caller, Right
from datastorage.domain.enums import SubjectKind
from datastorage.domain.event import EVENT
from datastorage.domain.history import Past, past_of
from datastorage.domain.kinds import KIND_OF_SUBJECT
from datastorage.domain.listing import page_of
from datastorage.domain.paging import Page, PageRequest
from datastorage.domain.relation import Relation
from datastorage.domain.remediation import REMEDIATION, RemediationAudit
from datastorage.errors import InvalidInput
from datastorage.limits import TIMELINE_EVENTS_MAX
from datastorage.observability.labels import QueryOperation
from datastorage.observability.metrics import query_observed
from datastorage.repositories.records import Records
from datastorage.repositories.relations import Relations
from datastorage.services.dependencies import Dependencies

_SUBJECTS: Final = MappingProxyType(
    {
        Relation.ANALYSES: SubjectKind.ANALYSIS,
        Relation.WORKFLOWS: SubjectKind.WORKFLOW,
        Relation.EXECUTIONS: SubjectKind.EXECUTION,
    }
)


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is known of a remediation."""

    request_id: str
    audit: RemediationAudit | None
    as_of: datetime | None = None
    past: Past | None = None

    def past_page(self, relation: Relation, request: PageRequest) -> Page[Any] | None:
        """A page of what belonged to it then; None when it is asked about now. Errors: BadCursor."""
        if self.past is None:
            return None
        if relation is Relation.EVENTS:
            return page_of(EVENT, self.past.events, request)
        subject = _SUBJECTS[relation]
        rows: Sequence[Any] = self.past.records[subject]
        return page_of(KIND_OF_SUBJECT[subject], rows, request)


async def find_timeline(
    deps: Dependencies, caller: Caller, request_id: str, as_of: datetime | None = None
) -> Timeline | None:
    """The timeline, or None if nothing is (or was) known under this request id.

    Errors: Forbidden, InvalidInput (a past of too many events), Unavailable.
    """
    caller.require(Right.READ)
    with query_observed(QueryOperation.GET):
        if "\x00" in request_id:  # PostgreSQL's text cannot hold it, and the statement would fail
            return None
        if as_of is None:
            return await _now(deps, caller, request_id)
        return await _then(deps, caller, request_id, as_of)


async def _now(deps: Dependencies, caller: Caller, request_id: str) -> Timeline | None:
    async with deps.database.read() as session:
        audit = await Records(session, caller.scope, REMEDIATION).by_key(request_id)
        if audit is None and not await Relations(session, caller.scope).any_around(request_id):
            return None
    return Timeline(request_id, audit)


async def _then(deps: Dependencies, caller: Caller, request_id: str, as_of: datetime) -> Timeline | None:
    async with deps.database.read() as session:
        relations = Relations(session, caller.scope)
        events = await relations.events_until(request_id, as_of, TIMELINE_EVENTS_MAX + 1)
    if len(events) > TIMELINE_EVENTS_MAX:
        raise InvalidInput.single(
            "asOf",
            f"has more than {TIMELINE_EVENTS_MAX} events before it, too many to rebuild the past from; "
            "ask for an earlier time, or without asOf",
        )
    past = past_of(request_id, events)
    return Timeline(request_id, past.audit, as_of, past) if past.events else None
