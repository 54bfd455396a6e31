"""The query for a remediation's timeline."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from datastorage.graphql.context import Info
from datastorage.graphql.timeline.types import Remediation
from datastorage.graphql.view import view
from datastorage.services.remediation_timeline import Timeline, find_timeline


async def remediation(
    info: Info,
    request_id: Annotated[str, strawberry.argument(description="Remediation request id.")],
    as_of: Annotated[
        datetime | None, strawberry.argument(description="The time to go back to; now if left out.")
    ] = None,
) -> Timeline | None:
    """The timeline."""
    return await find_timeline(info.context.deps, info.context.caller, request_id, as_of)


@strawberry.type
class TimelineQueries:
    """Root fields."""

    remediation: Remediation | None = view(
        remediation,
        "The whole timeline of a remediation, in whatever order its records arrived: the audit, analyses, workflows, "
        "executions and events. With `asOf`, as it was known at that time. Null if nothing is (or was then) known "
        "under this request id. A past of more than 10,000 events is refused.",
    )
