"""Mutations for executions. Expected errors become members of the result unions, see `graphql.errors`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from datastorage.domain.execution import EXECUTION
from datastorage.graphql.arguments import Atomic
from datastorage.graphql.context import Info
from datastorage.graphql.errors import UserError
from datastorage.graphql.execution.inputs import CreateExecutionAuditInput
from datastorage.graphql.execution.types import CreateExecutionAuditPayload, CreateExecutionAuditResult
from datastorage.graphql.view import view
from datastorage.graphql.write import answered, create, create_many

_created = answered(CreateExecutionAuditPayload, "execution_audit")


async def create_execution_audit(
    info: Info,
    input: Annotated[CreateExecutionAuditInput, strawberry.argument(description="What to store.")],
) -> CreateExecutionAuditPayload:
    """Stores an execution."""
    return await create(info, EXECUTION, input, _created)


async def create_execution_audits(
    info: Info,
    inputs: Annotated[
        list[CreateExecutionAuditInput], strawberry.argument(description="What to store, at most 500.")
    ],
    atomic: Atomic = False,
) -> list[CreateExecutionAuditPayload | UserError]:
    """Stores executions."""
    return await create_many(info, EXECUTION, inputs, _created, atomic=atomic)


@strawberry.type
class ExecutionMutations:
    """Root fields."""

    create_execution_audit: CreateExecutionAuditResult = view(
        create_execution_audit,
        "Stores an execution with its event, atomically. Idempotent by `executionId`: the same content again answers `replayed: true`.",
    )
    create_execution_audits: list[CreateExecutionAuditResult] = view(
        create_execution_audits,
        "Stores many at once, each with its own result, in the order of the inputs; `atomic` makes it all or "
        "nothing.",
    )
