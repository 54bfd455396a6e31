"""Mutations for remediation audits. Expected errors become members of the result unions, see `graphql.errors`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from datastorage.domain.remediation import REMEDIATION
from datastorage.graphql.context import Info
from datastorage.graphql.remediation.inputs import (
    CreateRemediationAuditInput,
    UpdateRemediationAuditInput,
    sent,
)
from datastorage.graphql.remediation.queries import remediation_key
from datastorage.graphql.remediation.types import (
    CreateRemediationAuditPayload,
    CreateRemediationAuditResult,
    UpdateRemediationAuditPayload,
    UpdateRemediationAuditResult,
)
from datastorage.graphql.view import view
from datastorage.services import records


async def create_remediation_audit(
    info: Info,
    input: Annotated[CreateRemediationAuditInput, strawberry.argument(description="The audit to store.")],
) -> CreateRemediationAuditPayload:
    """Stores one audit."""
    written = await records.create_record(info.context.deps, info.context.caller, REMEDIATION, sent(input))
    return CreateRemediationAuditPayload(remediation_audit=written.record, receipt=written.receipt)  # type: ignore[arg-type]


async def update_remediation_audit(
    info: Info,
    input: Annotated[
        UpdateRemediationAuditInput, strawberry.argument(description="What to change of which audit.")
    ],
) -> UpdateRemediationAuditPayload:
    """Changes one audit."""
    given = sent(input)
    key = remediation_key(given.pop("id", None), given.pop("request_id", None))
    expected_version = given.pop("expected_version", None)
    written = await records.update_record(
        info.context.deps, info.context.caller, REMEDIATION, key, given, expected_version
    )
    return UpdateRemediationAuditPayload(remediation_audit=written.record, receipt=written.receipt)  # type: ignore[arg-type]


@strawberry.type
class RemediationMutations:
    """Root fields."""

    create_remediation_audit: CreateRemediationAuditResult = view(
        create_remediation_audit,
        "Stores a remediation audit with its event and vector, atomically. Idempotent by "
        "`remediationRequestId`: the same content again answers `replayed: true`.",
    )
    update_remediation_audit: UpdateRemediationAuditResult = view(
        update_remediation_audit,
        "Changes a remediation audit. An update that would change nothing answers `replayed: true`.",
    )
