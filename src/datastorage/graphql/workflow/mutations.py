"""Mutations for workflows. Expected errors become members of the result unions, see `graphql.errors`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from datastorage.domain.workflow import WORKFLOW
from datastorage.graphql.arguments import Atomic
from datastorage.graphql.context import Info
from datastorage.graphql.errors import UserError
from datastorage.graphql.view import view
from datastorage.graphql.workflow.inputs import CreateWorkflowAuditInput, UpdateWorkflowAuditInput
from datastorage.graphql.workflow.types import (
    CreateWorkflowAuditPayload,
    CreateWorkflowAuditResult,
    UpdateWorkflowAuditPayload,
    UpdateWorkflowAuditResult,
)
from datastorage.graphql.write import answered, create, create_many, update

_created = answered(CreateWorkflowAuditPayload, "workflow_audit")
_updated = answered(UpdateWorkflowAuditPayload, "workflow_audit")


async def create_workflow_audit(
    info: Info,
    input: Annotated[CreateWorkflowAuditInput, strawberry.argument(description="What to store.")],
) -> CreateWorkflowAuditPayload:
    """Stores a workflow."""
    return await create(info, WORKFLOW, input, _created)


async def create_workflow_audits(
    info: Info,
    inputs: Annotated[
        list[CreateWorkflowAuditInput], strawberry.argument(description="What to store, at most 500.")
    ],
    atomic: Atomic = False,
) -> list[CreateWorkflowAuditPayload | UserError]:
    """Stores workflows."""
    return await create_many(info, WORKFLOW, inputs, _created, atomic=atomic)


async def update_workflow_audit(
    info: Info,
    input: Annotated[
        UpdateWorkflowAuditInput, strawberry.argument(description="What to change of which one.")
    ],
) -> UpdateWorkflowAuditPayload:
    """Changes a workflow."""
    return await update(info, WORKFLOW, input, _updated, key="workflow_id")


@strawberry.type
class WorkflowMutations:
    """Root fields."""

    create_workflow_audit: CreateWorkflowAuditResult = view(
        create_workflow_audit,
        "Stores a workflow with its event, atomically. Idempotent by `workflowId`: the same content again answers `replayed: true`.",
    )
    create_workflow_audits: list[CreateWorkflowAuditResult] = view(
        create_workflow_audits,
        "Stores many at once, each with its own result, in the order of the inputs; `atomic` makes it all or "
        "nothing.",
    )
    update_workflow_audit: UpdateWorkflowAuditResult = view(
        update_workflow_audit,
        "Changes a workflow. An update that would change nothing answers `replayed: true`.",
    )
