"""The query for the access audit."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from datastorage.domain import access as records
from datastorage.domain.filters import AllOf, Condition, Operator
from datastorage.domain.paging import Page, page_request, total_order
from datastorage.graphql.access.types import AccessEntry
from datastorage.graphql.arguments import After, Before, First, Last
from datastorage.graphql.connection import Connection
from datastorage.graphql.context import Info
from datastorage.graphql.view import view
from datastorage.services.access.access_audit import list_accesses


@strawberry.input(description="Which entries of the access audit; all that is given must hold.")
class AccessFilter:
    """Conditions."""

    principal: str | None = strawberry.field(default=None, description="Of this principal.")
    outcomes: list[records.AccessOutcome] | None = strawberry.field(
        default=None, description="With one of these outcomes."
    )
    field: str | None = strawberry.field(default=None, description="Of this root field.")
    subject: str | None = strawberry.field(default=None, description="That named a record of this key.")
    since: datetime | None = strawberry.field(default=None, description="At this time or later.")
    until: datetime | None = strawberry.field(default=None, description="Before this time.")

    def conditions(self) -> AllOf:
        """As the domain says it."""
        given = (
            Condition("principal", Operator.EQ, self.principal),
            Condition("outcome", Operator.IN, None if self.outcomes is None else tuple(self.outcomes)),
            Condition("field", Operator.EQ, self.field),
            Condition("subject", Operator.EQ, self.subject),
            Condition("recorded_at", Operator.GTE, self.since),
            Condition("recorded_at", Operator.LT, self.until),
        )
        return AllOf(tuple(condition for condition in given if condition.value is not None))


async def access_audit(
    info: Info,
    filter: Annotated[
        AccessFilter | None, strawberry.argument(description="Which entries; all of them by default.")
    ] = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page[records.AccessEntry]:
    """A page."""
    request = page_request(
        where=(filter or AccessFilter()).conditions(),
        order=total_order((), "recorded_at"),
        first=first,
        after=after,
        last=last,
        before=before,
        of="AccessEntry",
    )
    return await list_accesses(info.context.deps, info.context.caller, request)


@strawberry.type
class AccessQueries:
    """Root fields."""

    access_audit: Connection[AccessEntry] = view(
        access_audit,
        "Who wanted what and what became of it, newest first; written a moment after it happened. What is noted is "
        "a setting: denials always. Needs the right to administrate, without a scope.",
    )
