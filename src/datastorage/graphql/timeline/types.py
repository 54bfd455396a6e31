"""The timeline of a remediation as clients see it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from datastorage.domain.paging import Page, PageRequest
from datastorage.domain.relation import Relation
from datastorage.graphql.audit import LazyAnalysis, LazyEvent, LazyExecution, LazyWorkflow
from datastorage.graphql.connection import Connection
from datastorage.graphql.context import Info
from datastorage.graphql.relation import paged
from datastorage.graphql.selection import wanted
from datastorage.services.remediation_timeline import Timeline

if TYPE_CHECKING:
    from datastorage.graphql.remediation.types import RemediationAudit

LazyRemediation = Annotated["RemediationAudit", strawberry.lazy("datastorage.graphql.remediation.types")]


def around(relation: Relation, description: str, *, newest_by: str) -> Any:
    """A field with a page of what belongs, or belonged then, to the remediation."""

    async def load(root: Timeline, info: Info, request: PageRequest) -> Page[Any]:
        then = root.past_page(relation, request)
        if then is not None:
            return then
        return await info.context.loaders.page(relation, root.request_id, request, wanted(info))

    return paged(load, description, newest_by=newest_by, of=relation.name)


@strawberry.type(
    description="A remediation with everything around it: its timeline. With `asOf`, as it was known at that time, "
    "rebuilt from the events recorded by then. Records that were deleted since are no longer told, at any time."
)
class Remediation:
    """A view of `services.remediation_timeline.Timeline`."""

    request_id: str = strawberry.field(description="Remediation request id.")
    as_of: datetime | None = strawberry.field(description="The time asked about; null means now.")
    audit: LazyRemediation | None = strawberry.field(
        description="The remediation audit; null until it arrives. With `asOf` its own fields tell how it was then, "
        "while those that lead from it (and from the records below) to other records show these as they are now."
    )
    analyses: Connection[LazyAnalysis] = around(
        Relation.ANALYSES, "Its analyses, newest first.", newest_by="created_at"
    )
    workflows: Connection[LazyWorkflow] = around(
        Relation.WORKFLOWS, "Its workflows, newest first.", newest_by="start_time"
    )
    executions: Connection[LazyExecution] = around(
        Relation.EXECUTIONS,
        "Its executions, also those of its workflows, newest first.",
        newest_by="start_time",
    )
    events: Connection[LazyEvent] = around(
        Relation.EVENTS,
        "What happened to all of these records, newest first; with `asOf`, what was recorded by then.",
        newest_by="recorded_at",
    )
