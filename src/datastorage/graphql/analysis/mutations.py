"""Mutations for AI analyses. Expected errors become members of the result unions, see `graphql.errors`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from datastorage.domain import analysis as records
from datastorage.domain.receipt import Written
from datastorage.graphql.analysis.inputs import CreateAiAnalysisAuditInput
from datastorage.graphql.analysis.types import CreateAiAnalysisAuditPayload, CreateAiAnalysisAuditResult
from datastorage.graphql.arguments import Atomic
from datastorage.graphql.context import Info
from datastorage.graphql.errors import UserError, result_of
from datastorage.graphql.input import batch, sent
from datastorage.graphql.view import view
from datastorage.services.records import create_record, create_records

KIND = records.ANALYSIS


async def create_ai_analysis_audit(
    info: Info,
    input: Annotated[CreateAiAnalysisAuditInput, strawberry.argument(description="What to store.")],
) -> CreateAiAnalysisAuditPayload:
    """Stores one."""
    return _created(await create_record(info.context.deps, info.context.caller, KIND, sent(input)))


async def create_ai_analysis_audits(
    info: Info,
    inputs: Annotated[
        list[CreateAiAnalysisAuditInput], strawberry.argument(description="What to store, at most 500.")
    ],
    atomic: Atomic = False,
) -> list[CreateAiAnalysisAuditPayload | UserError]:
    """Stores many."""
    outcomes = await create_records(
        info.context.deps, info.context.caller, KIND, batch(inputs), atomic=atomic
    )
    return [result_of(outcome, _created) for outcome in outcomes]


def _created(written: Written[records.AiAnalysisAudit]) -> CreateAiAnalysisAuditPayload:
    return CreateAiAnalysisAuditPayload(ai_analysis_audit=written.record, receipt=written.receipt)  # type: ignore[arg-type]


@strawberry.type
class AnalysisMutations:
    """Root fields."""

    create_ai_analysis_audit: CreateAiAnalysisAuditResult = view(
        create_ai_analysis_audit,
        "Stores an AI analysis with its event. Idempotent by `analysisId`.",
    )
    create_ai_analysis_audits: list[CreateAiAnalysisAuditResult] = view(
        create_ai_analysis_audits,
        "Stores many at once, each with its own result, in the order of the inputs; `atomic` makes it all or nothing.",
    )
