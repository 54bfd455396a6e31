"""Mutations for workflows. Expected errors become members of the result unions, see `graphql.errors`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from datastorage.domain import workflow as records
from datastorage.domain.receipt import Written
from datastorage.graphql.arguments import Atomic
from datastorage.graphql.context import Info
from datastorage.graphql.errors import UserError, result_of
from datastorage.graphql.input import batch, record_key, sent
from datastorage.graphql.view import view
from datastorage.graphql.workflow.inputs import CreateWorkflowAuditInput, UpdateWorkflowAuditInput
from datastorage.graphql.workflow.types import (
    CreateWorkflowAuditPayload,
    CreateWorkflowAuditResult,
    UpdateWorkflowAuditPayload,
    UpdateWorkflowAuditResult,
)
from datastorage.services.records import create_record, create_records, update_record

KIND = records.WORKFLOW


async def create_workflow_audit(
    info: Info,
    input: Annotated[CreateWorkflowAuditInput, strawberry.argument(description="What to store.")],
) -> CreateWorkflowAuditPayload:
    """Stores one."""
    return _created(await create_record(info.context.deps, info.context.caller, KIND, sent(input)))


async def create_workflow_audits(
    info: Info,
    inputs: Annotated[
        list[CreateWorkflowAuditInput], strawberry.argument(description="What to store, at most 500.")
    ],
    atomic: Atomic = False,
) -> list[CreateWorkflowAuditPayload | UserError]:
    """Stores many."""
    outcomes = await create_records(
        info.context.deps, info.context.caller, KIND, batch(inputs), atomic=atomic
    )
    return [result_of(outcome, _created) for outcome in outcomes]


def _created(written: Written[records.WorkflowAudit]) -> CreateWorkflowAuditPayload:
    return CreateWorkflowAuditPayload(workflow_audit=written.record, receipt=written.receipt)  # type: ignore[arg-type]


async def update_workflow_audit(
    info: Info,
    input: Annotated[
        UpdateWorkflowAuditInput, strawberry.argument(description="What to change of which one.")
    ],
) -> UpdateWorkflowAuditPayload:
    """Changes one."""
    given = sent(input)
    key = record_key(KIND, given.pop("id", None), given.pop(KIND.key, None))
    expected_version = given.pop("expected_version", None)
    written = await update_record(info.context.deps, info.context.caller, KIND, key, given, expected_version)
    return UpdateWorkflowAuditPayload(workflow_audit=written.record, receipt=written.receipt)  # type: ignore[arg-type]


@strawberry.type
class WorkflowMutations:
    """Root fields."""

    create_workflow_audit: CreateWorkflowAuditResult = view(
        create_workflow_audit,
        "Stores a workflow with its event. Idempotent by `workflowId`.",
    )
    create_workflow_audits: list[CreateWorkflowAuditResult] = view(
        create_workflow_audits,
        "Stores many at once, each with its own result, in the order of the inputs; `atomic` makes it all or nothing.",
    )

    update_workflow_audit: UpdateWorkflowAuditResult = view(
        update_workflow_audit,
        "Changes a workflow. An update that would change nothing answers `replayed: true`.",
    )
