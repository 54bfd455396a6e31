"""Mutations for executions. Expected errors become members of the result unions, see `graphql.errors`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from datastorage.domain import execution as records
from datastorage.domain.receipt import Written
from datastorage.graphql.arguments import Atomic
from datastorage.graphql.context import Info
from datastorage.graphql.errors import UserError, result_of
from datastorage.graphql.execution.inputs import CreateExecutionAuditInput
from datastorage.graphql.execution.types import CreateExecutionAuditPayload, CreateExecutionAuditResult
from datastorage.graphql.input import batch, sent
from datastorage.graphql.view import view
from datastorage.services.records import create_record, create_records

KIND = records.EXECUTION


async def create_execution_audit(
    info: Info,
    input: Annotated[CreateExecutionAuditInput, strawberry.argument(description="What to store.")],
) -> CreateExecutionAuditPayload:
    """Stores one."""
    return _created(await create_record(info.context.deps, info.context.caller, KIND, sent(input)))


async def create_execution_audits(
    info: Info,
    inputs: Annotated[
        list[CreateExecutionAuditInput], strawberry.argument(description="What to store, at most 500.")
    ],
    atomic: Atomic = False,
) -> list[CreateExecutionAuditPayload | UserError]:
    """Stores many."""
    outcomes = await create_records(
        info.context.deps, info.context.caller, KIND, batch(inputs), atomic=atomic
    )
    return [result_of(outcome, _created) for outcome in outcomes]


def _created(written: Written[records.ExecutionAudit]) -> CreateExecutionAuditPayload:
    return CreateExecutionAuditPayload(execution_audit=written.record, receipt=written.receipt)  # type: ignore[arg-type]


@strawberry.type
class ExecutionMutations:
    """Root fields."""

    create_execution_audit: CreateExecutionAuditResult = view(
        create_execution_audit,
        "Stores an execution with its event. Idempotent by `executionId`.",
    )
    create_execution_audits: list[CreateExecutionAuditResult] = view(
        create_execution_audits,
        "Stores many at once, each with its own result, in the order of the inputs; `atomic` makes it all or nothing.",
    )
