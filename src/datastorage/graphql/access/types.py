"""Entries of the access audit as administrators see them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from datastorage.domain import access as records
from datastorage.graphql.audit import database_id
from datastorage.graphql.enums import described
from datastorage.graphql.scalars import BigInt

AccessOutcome = described(
    "What became of an access.",
    name="AccessOutcome",
    ALLOWED="It was done or answered.",
    REFUSED="Not done, for a reason of the request's: a fault of the input, a conflict, nothing there.",
    DENIED="Not done: the caller has no right to it, or it lies outside its scope.",
    UNAUTHENTICATED="The request was not let in: it showed no credential, or a bad one.",
    FAILED="Not done, for a reason of the service's; a write that failed may stand.",
)(records.AccessOutcome)


@strawberry.type(description="Who wanted what, from where, and what became of it; never changed.")
class AccessEntry:
    """A view of `domain.access.AccessEntry`."""

    database_id: BigInt = strawberry.field(resolver=database_id, description="Its number in the database.")
    recorded_at: datetime = strawberry.field(description="When it happened.")
    outcome: records.AccessOutcome = strawberry.field(description="What became of it.")
    principal: str | None = strawberry.field(
        description="Who it was, as authenticated; null if nobody was let in."
    )
    declared_actor: str | None = strawberry.field(description="Who it was, as the client says (`X-Actor`).")
    address: str | None = strawberry.field(
        description="Address that the request came from, as this service sees it: a gateway's, if there is one."
    )
    request_id: str | None = strawberry.field(description="Id of the request, as in logs and `X-Request-Id`.")
    operation: str | None = strawberry.field(description="The operation as the client named it.")
    field: str | None = strawberry.field(
        description="Root field; null where it was not reached or is not noted."
    )
    subject: str | None = strawberry.field(description="Key of the record that was named; null for batches.")
    reason: str | None = strawberry.field(
        description="Why it was not done; of batches how many items fared how."
    )
    times: int = strawberry.field(
        description="How often, where the same happened again and again within a second."
    )

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Entries of the domain are its values."""
        return isinstance(value, records.AccessEntry)
