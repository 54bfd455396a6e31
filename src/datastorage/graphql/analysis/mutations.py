"""Mutations for AI analyses. Expected errors become members of the result unions, see `graphql.errors`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from datastorage.domain.analysis import ANALYSIS
from datastorage.graphql.analysis.inputs import CreateAiAnalysisAuditInput
from datastorage.graphql.analysis.types import CreateAiAnalysisAuditPayload, CreateAiAnalysisAuditResult
from datastorage.graphql.arguments import Atomic
from datastorage.graphql.context import Info
from datastorage.graphql.errors import UserError
from datastorage.graphql.view import view
from datastorage.graphql.write import answered, create, create_many

_created = answered(CreateAiAnalysisAuditPayload, "ai_analysis_audit")


async def create_ai_analysis_audit(
    info: Info,
    input: Annotated[CreateAiAnalysisAuditInput, strawberry.argument(description="What to store.")],
) -> CreateAiAnalysisAuditPayload:
    """Stores an AI analysis."""
    return await create(info, ANALYSIS, input, _created)


async def create_ai_analysis_audits(
    info: Info,
    inputs: Annotated[
        list[CreateAiAnalysisAuditInput], strawberry.argument(description="What to store, at most 500.")
    ],
    atomic: Atomic = False,
) -> list[CreateAiAnalysisAuditPayload | UserError]:
    """Stores AI analyses."""
    return await create_many(info, ANALYSIS, inputs, _created, atomic=atomic)


@strawberry.type
class AnalysisMutations:
    """Root fields."""

    create_ai_analysis_audit: CreateAiAnalysisAuditResult = view(
        create_ai_analysis_audit,
        "Stores an AI analysis with its event, atomically. Its root cause becomes part of what the remediation is found by. Idempotent by `analysisId`: the same content again answers `replayed: true`.",
    )
    create_ai_analysis_audits: list[CreateAiAnalysisAuditResult] = view(
        create_ai_analysis_audits,
        "Stores many at once, each with its own result, in the order of the inputs; `atomic` makes it all or "
        "nothing.",
    )
