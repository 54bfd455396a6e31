"""Mutations for remediation audits. Expected errors become members of the result unions, see `graphql.errors`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from datastorage.domain import remediation as records
from datastorage.domain.receipt import Written
from datastorage.graphql.arguments import Atomic
from datastorage.graphql.context import Info
from datastorage.graphql.errors import UserError, result_of
from datastorage.graphql.input import batch, record_key, sent
from datastorage.graphql.remediation.inputs import CreateRemediationAuditInput, UpdateRemediationAuditInput
from datastorage.graphql.remediation.types import (
    CreateRemediationAuditPayload,
    CreateRemediationAuditResult,
    UpdateRemediationAuditPayload,
    UpdateRemediationAuditResult,
)
from datastorage.graphql.view import view
from datastorage.services.records import create_record, create_records, update_record

KIND = records.REMEDIATION


async def create_remediation_audit(
    info: Info,
    input: Annotated[CreateRemediationAuditInput, strawberry.argument(description="The audit to store.")],
) -> CreateRemediationAuditPayload:
    """Stores one audit."""
    return _created(await create_record(info.context.deps, info.context.caller, KIND, sent(input)))


async def create_remediation_audits(
    info: Info,
    inputs: Annotated[
        list[CreateRemediationAuditInput],
        strawberry.argument(description="The audits to store, at most 500."),
    ],
    atomic: Atomic = False,
) -> list[CreateRemediationAuditPayload | UserError]:
    """Stores many audits."""
    outcomes = await create_records(
        info.context.deps, info.context.caller, KIND, batch(inputs), atomic=atomic
    )
    return [result_of(outcome, _created) for outcome in outcomes]


async def update_remediation_audit(
    info: Info,
    input: Annotated[
        UpdateRemediationAuditInput, strawberry.argument(description="What to change of which audit.")
    ],
) -> UpdateRemediationAuditPayload:
    """Changes one audit."""
    given = sent(input)
    key = record_key(KIND, given.pop("id", None), given.pop("request_id", None))
    expected_version = given.pop("expected_version", None)
    written = await update_record(info.context.deps, info.context.caller, KIND, key, given, expected_version)
    return UpdateRemediationAuditPayload(remediation_audit=written.record, receipt=written.receipt)  # type: ignore[arg-type]


def _created(written: Written[records.RemediationAudit]) -> CreateRemediationAuditPayload:
    return CreateRemediationAuditPayload(remediation_audit=written.record, receipt=written.receipt)  # type: ignore[arg-type]


@strawberry.type
class RemediationMutations:
    """Root fields."""

    create_remediation_audit: CreateRemediationAuditResult = view(
        create_remediation_audit,
        "Stores a remediation audit with its event and vector, atomically. Idempotent by "
        "`remediationRequestId`: the same content again answers `replayed: true`.",
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
