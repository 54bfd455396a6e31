"""The query that tries a create out."""

from __future__ import annotations

from typing import Annotated

import strawberry

from datastorage.domain.remediation import REMEDIATION
from datastorage.graphql.context import Info
from datastorage.graphql.enums import ValidationOutcome
from datastorage.graphql.errors import FieldFault
from datastorage.graphql.input import sent
from datastorage.graphql.receipt import Redaction
from datastorage.graphql.remediation.inputs import CreateRemediationAuditInput
from datastorage.graphql.view import view
from datastorage.services.records.validate import Validation, validate_record


@strawberry.type(description="What creating an audit would lead to; nothing was written.")
class RemediationAuditValidation:
    """A view of `services.records.validate.Validation`."""

    valid: bool = strawberry.field(description="Whether the create would be accepted: CREATED or REPLAYED.")
    outcome: ValidationOutcome = strawberry.field(description="What the create would lead to.")
    faults: list[FieldFault] = strawberry.field(description="All faults of the input.")
    redactions: list[Redaction] = strawberry.field(
        description="Secrets that would be replaced before storing."
    )
    conflicting_fields: list[str] = strawberry.field(
        description="Fields that differ from what is stored under the same key; none are named if that lies "
        "outside the caller's scope."
    )


async def validate_remediation_audit(
    info: Info,
    input: Annotated[CreateRemediationAuditInput, strawberry.argument(description="What would be stored.")],
) -> Validation:
    """A dry run."""
    return await validate_record(info.context.deps, info.context.caller, REMEDIATION, sent(input))


@strawberry.type
class ValidationQueries:
    """Root fields."""

    validate_remediation_audit: RemediationAuditValidation = view(
        validate_remediation_audit,
        "A dry run of `createRemediationAudit`: the same rights and rules, with nothing written. What the types of "
        "the input refuse (a missing field, an unknown enum value) is an error of the request, as it is there.",
    )
