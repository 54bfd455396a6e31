"""How a write went, as clients see it."""

from __future__ import annotations

import strawberry

from datastorage.domain import receipt as receipts
from datastorage.graphql.enums import Similarity


@strawberry.type(description="Secrets of one kind that were replaced in one field before storing.")
class Redaction:
    """A view of `domain.receipt.Redaction`."""

    field: str = strawberry.field(description="Name of the field.")
    pattern: str = strawberry.field(description="Kind of secret; it is stored as `[REDACTED:<pattern>]`.")
    count: int = strawberry.field(description="How many were replaced.")


def receipt_redactions(root: strawberry.Parent[receipts.Receipt]) -> list[Redaction]:
    """What was replaced."""
    return [Redaction(field=item.field, pattern=item.pattern, count=item.count) for item in root.redactions]


@strawberry.type(description="How a write went.")
class WriteReceipt:
    """A view of `domain.receipt.Receipt`."""

    replayed: bool = strawberry.field(
        description="Nothing was written, since the same write had been done before."
    )
    similarity: Similarity = strawberry.field(
        description="Whether the incident can be found by its meaning already."
    )
    redactions: list[Redaction] = strawberry.field(
        resolver=receipt_redactions, description="Secrets that were replaced before storing."
    )
