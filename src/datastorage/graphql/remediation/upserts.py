"""Upserts of remediation audits: their input, results and mutations."""

from __future__ import annotations

from typing import Annotated

import strawberry

from datastorage.domain.receipt import Written
from datastorage.domain.remediation import RemediationAudit as Record
from datastorage.graphql.arguments import Atomic
from datastorage.graphql.context import Info
from datastorage.graphql.errors import (
    ConflictError,
    ForbiddenError,
    InvalidTransitionError,
    NotFoundError,
    UnavailableError,
    UserError,
    ValidationError,
    result_of,
)
from datastorage.graphql.input import batch, optional, sent
from datastorage.graphql.receipt import WriteReceipt
from datastorage.graphql.remediation.inputs import CreateRemediationAuditInput
from datastorage.graphql.remediation.types import RemediationAudit
from datastorage.graphql.view import view
from datastorage.services.records import upsert_remediation, upsert_remediations


@strawberry.input(
    description="A whole remediation audit, to be stored or, where its key stands already, to change what does. "
    "Of an audit that stands, absent fields stay and null clears optional ones, as in an update; `name`, "
    "`namespace`, `startTime`, `alertFingerprint` and `clusterName` never change and must be what they were."
)
class UpsertRemediationAuditInput(CreateRemediationAuditInput):
    """Everything a client can say of a remediation, and which version it is based on."""

    expected_version: int | None = optional(
        "The version the change is based on; another version there is a conflict, and none is NOT_FOUND."
    )


@strawberry.type(description="The audit was stored, changed, or needed no change.")
class UpsertRemediationAuditPayload:
    """What an upsert wrote."""

    remediation_audit: RemediationAudit = strawberry.field(description="The audit as it now stands.")
    receipt: WriteReceipt = strawberry.field(description="How the write went.")
    created: bool = strawberry.field(description="Whether the audit is new.")


UpsertRemediationAuditResult = Annotated[
    UpsertRemediationAuditPayload
    | ValidationError
    | ConflictError
    | NotFoundError
    | InvalidTransitionError
    | ForbiddenError
    | UnavailableError,
    strawberry.union("UpsertRemediationAuditResult", description="What an upsert answers."),
]


def _upserted(written: Written[Record]) -> UpsertRemediationAuditPayload:
    view_of_record: RemediationAudit = written.record  # type: ignore[assignment]
    receipt: WriteReceipt = written.receipt  # type: ignore[assignment]
    return UpsertRemediationAuditPayload(
        remediation_audit=view_of_record, receipt=receipt, created=written.created
    )


async def upsert_remediation_audit(
    info: Info,
    input: Annotated[UpsertRemediationAuditInput, strawberry.argument(description="What should stand.")],
) -> UpsertRemediationAuditPayload:
    """Stores or changes a remediation audit."""
    written = await upsert_remediation(info.context.deps, info.context.caller, sent(input))
    info.context.forget()
    return _upserted(written)


async def upsert_remediation_audits(
    info: Info,
    inputs: Annotated[
        list[UpsertRemediationAuditInput], strawberry.argument(description="What should stand, at most 500.")
    ],
    atomic: Atomic = False,
) -> list[UpsertRemediationAuditPayload | UserError]:
    """Stores or changes remediation audits."""
    outcomes = await upsert_remediations(
        info.context.deps, info.context.caller, batch(info, inputs), atomic=bool(atomic)
    )
    info.context.forget()
    return [result_of(info, outcome, _upserted) for outcome in outcomes]


@strawberry.type
class UpsertMutations:
    """Root fields."""

    upsert_remediation_audit: UpsertRemediationAuditResult = view(
        upsert_remediation_audit,
        "Stores a remediation audit or, if one stands under its `remediationRequestId`, changes the fields sent, "
        "under the same rules for phases as an update. If nothing differs it answers `replayed: true`.",
    )
    upsert_remediation_audits: list[UpsertRemediationAuditResult] = view(
        upsert_remediation_audits,
        "Upserts many at once, each with its own result, in the order of the inputs: of two with one key the second "
        "is applied to what the first led to. `atomic` makes it all or nothing.",
    )
