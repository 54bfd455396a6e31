"""Queries for AI analyses."""

from __future__ import annotations

from typing import Annotated

import strawberry

from datastorage.domain import analysis as records
from datastorage.domain.paging import Page
from datastorage.graphql.analysis.inputs import AiAnalysisAuditFilter, AiAnalysisAuditOrder
from datastorage.graphql.analysis.types import AiAnalysisAudit
from datastorage.graphql.arguments import After, Before, First, Last, OptionalGlobalId
from datastorage.graphql.connection import Connection
from datastorage.graphql.context import Info
from datastorage.graphql.read import one, page
from datastorage.graphql.view import view

KIND = records.ANALYSIS


async def ai_analysis_audit(
    info: Info,
    id: OptionalGlobalId = None,
    analysis_id: Annotated[str | None, strawberry.argument(description="Its natural key.")] = None,
) -> records.AiAnalysisAudit | None:
    """One."""
    return await one(info, KIND, id, analysis_id)


async def ai_analysis_audits(
    info: Info,
    filter: Annotated[
        AiAnalysisAuditFilter | None, strawberry.argument(description="Which ones; all of them by default.")
    ] = None,
    order_by: Annotated[
        list[AiAnalysisAuditOrder] | None,
        strawberry.argument(description="Columns in order of weight; newest first by default."),
    ] = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page[records.AiAnalysisAudit]:
    """A page."""
    return await page(info, KIND, filter, order_by, first=first, after=after, last=last, before=before)


@strawberry.type
class AnalysisQueries:
    """Root fields."""

    ai_analysis_audit: AiAnalysisAudit | None = view(
        ai_analysis_audit,
        "An AI analysis, by exactly one of `id` and its natural key; null if there is none.",
    )
    ai_analysis_audits: Connection[AiAnalysisAudit] = view(
        ai_analysis_audits,
        "AI analyses, newest first unless ordered otherwise; `first` or `last` 1 to 100, 20 by default.",
    )
