"""Queries for executions."""

from __future__ import annotations

from typing import Annotated

import strawberry

from datastorage.domain import execution as records
from datastorage.domain.paging import Page
from datastorage.graphql.arguments import After, Before, First, Last, OptionalGlobalId
from datastorage.graphql.connection import Connection
from datastorage.graphql.context import Info
from datastorage.graphql.execution.inputs import ExecutionAuditFilter, ExecutionAuditOrder
from datastorage.graphql.execution.types import ExecutionAudit
from datastorage.graphql.read import one, page
from datastorage.graphql.view import view

KIND = records.EXECUTION


async def execution_audit(
    info: Info,
    id: OptionalGlobalId = None,
    execution_id: Annotated[str | None, strawberry.argument(description="Its natural key.")] = None,
) -> records.ExecutionAudit | None:
    """One."""
    return await one(info, KIND, id, execution_id)


async def execution_audits(
    info: Info,
    filter: Annotated[
        ExecutionAuditFilter | None, strawberry.argument(description="Which ones; all of them by default.")
    ] = None,
    order_by: Annotated[
        list[ExecutionAuditOrder] | None,
        strawberry.argument(description="Columns in order of weight; newest first by default."),
    ] = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page[records.ExecutionAudit]:
    """A page."""
    return await page(info, KIND, filter, order_by, first=first, after=after, last=last, before=before)


@strawberry.type
class ExecutionQueries:
    """Root fields."""

    execution_audit: ExecutionAudit | None = view(
        execution_audit, "An execution, by exactly one of `id` and its natural key; null if there is none."
    )
    execution_audits: Connection[ExecutionAudit] = view(
        execution_audits,
        "Executions, newest first unless ordered otherwise; `first` or `last` 1 to 100, 20 by default.",
    )
