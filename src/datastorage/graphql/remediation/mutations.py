"""Mutations for remediation audits. Expected errors become members of the result unions, see `graphql.errors`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from datastorage.domain.remediation import REMEDIATION
from datastorage.graphql.arguments import Atomic
from datastorage.graphql.context import Info
from datastorage.graphql.errors import UserError
from datastorage.graphql.remediation.inputs import CreateRemediationAuditInput, UpdateRemediationAuditInput
from datastorage.graphql.remediation.types import (
    CreateRemediationAuditPayload,
    CreateRemediationAuditResult,
    UpdateRemediationAuditPayload,
    UpdateRemediationAuditResult,
)
from datastorage.graphql.view import view
from datastorage.graphql.write import answered, create, create_many, update

_created = answered(CreateRemediationAuditPayload, "remediation_audit")
_updated = answered(UpdateRemediationAuditPayload, "remediation_audit")


async def create_remediation_audit(
    info: Info,
    input: Annotated[CreateRemediationAuditInput, strawberry.argument(description="What to store.")],
) -> CreateRemediationAuditPayload:
    """Stores a remediation audit."""
    return await create(info, REMEDIATION, input, _created)


async def create_remediation_audits(
    info: Info,
    inputs: Annotated[
        list[CreateRemediationAuditInput], strawberry.argument(description="What to store, at most 500.")
    ],
    atomic: Atomic = False,
) -> list[CreateRemediationAuditPayload | UserError]:
    """Stores remediation audits."""
    return await create_many(info, REMEDIATION, inputs, _created, atomic=atomic)


async def update_remediation_audit(
    info: Info,
    input: Annotated[
        UpdateRemediationAuditInput, strawberry.argument(description="What to change of which one.")
    ],
) -> UpdateRemediationAuditPayload:
    """Changes a remediation audit."""
    return await update(info, REMEDIATION, input, _updated, key="request_id")


@strawberry.type
class RemediationMutations:
    """Root fields."""

    create_remediation_audit: CreateRemediationAuditResult = view(
        create_remediation_audit,
        "Stores a remediation audit with its event and vector, atomically. Idempotent by `remediationRequestId`: the same content again answers `replayed: true`.",
    )
    create_remediation_audits: list[CreateRemediationAuditResult] = view(
        create_remediation_audits,
        "Stores many at once, each with its own result, in the order of the inputs; `atomic` makes it all or "
        "nothing.",
    )
    update_remediation_audit: UpdateRemediationAuditResult = view(
        update_remediation_audit,
        "Changes a remediation audit. An update that would change nothing answers `replayed: true`.",
    )
