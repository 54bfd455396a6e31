"""Queries for remediation audits."""

from __future__ import annotations

from typing import Annotated

import strawberry

from datastorage.domain import remediation as records
from datastorage.domain.paging import Page
from datastorage.graphql.arguments import After, Before, First, Last, OptionalGlobalId, RequestId
from datastorage.graphql.connection import Connection
from datastorage.graphql.context import Info
from datastorage.graphql.read import one, page
from datastorage.graphql.remediation.inputs import RemediationAuditFilter, RemediationAuditOrder
from datastorage.graphql.remediation.types import RemediationAudit
from datastorage.graphql.view import view

KIND = records.REMEDIATION


async def remediation_audit(
    info: Info, id: OptionalGlobalId = None, request_id: RequestId = None
) -> records.RemediationAudit | None:
    """One audit."""
    return await one(info, KIND, id, request_id)


async def remediation_audits(
    info: Info,
    filter: Annotated[
        RemediationAuditFilter | None,
        strawberry.argument(description="Which audits; all of them by default."),
    ] = None,
    order_by: Annotated[
        list[RemediationAuditOrder] | None,
        strawberry.argument(description="Columns in order of weight; newest first by default."),
    ] = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page[records.RemediationAudit]:
    """A page."""
    return await page(info, KIND, filter, order_by, first=first, after=after, last=last, before=before)


@strawberry.type
class RemediationQueries:
    """Root fields."""

    remediation_audit: RemediationAudit | None = view(
        remediation_audit,
        "One remediation audit, by exactly one of `id` and `requestId`; null if there is none.",
    )
    remediation_audits: Connection[RemediationAudit] = view(
        remediation_audits,
        "Remediation audits, newest first unless ordered otherwise; `first` or `last` 1 to 100, "
        "20 by default. A cursor belongs to its filter and order.",
    )
