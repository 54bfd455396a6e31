"""Queries for workflows."""

from __future__ import annotations

from typing import Annotated

import strawberry

from datastorage.domain import workflow as records
from datastorage.domain.paging import Page
from datastorage.graphql.arguments import After, Before, First, Last, OptionalGlobalId
from datastorage.graphql.connection import Connection
from datastorage.graphql.context import Info
from datastorage.graphql.read import one, page
from datastorage.graphql.view import view
from datastorage.graphql.workflow.inputs import WorkflowAuditFilter, WorkflowAuditOrder
from datastorage.graphql.workflow.types import WorkflowAudit

KIND = records.WORKFLOW


async def workflow_audit(
    info: Info,
    id: OptionalGlobalId = None,
    workflow_id: Annotated[str | None, strawberry.argument(description="Its natural key.")] = None,
) -> records.WorkflowAudit | None:
    """One."""
    return await one(info, KIND, id, workflow_id)


async def workflow_audits(
    info: Info,
    filter: Annotated[
        WorkflowAuditFilter | None, strawberry.argument(description="Which ones; all of them by default.")
    ] = None,
    order_by: Annotated[
        list[WorkflowAuditOrder] | None,
        strawberry.argument(description="Columns in order of weight; newest first by default."),
    ] = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page[records.WorkflowAudit]:
    """A page."""
    return await page(info, KIND, filter, order_by, first=first, after=after, last=last, before=before)


@strawberry.type
class WorkflowQueries:
    """Root fields."""

    workflow_audit: WorkflowAudit | None = view(
        workflow_audit, "A workflow, by exactly one of `id` and its natural key; null if there is none."
    )
    workflow_audits: Connection[WorkflowAudit] = view(
        workflow_audits,
        "Workflows, newest first unless ordered otherwise; `first` or `last` 1 to 100, 20 by default.",
    )
