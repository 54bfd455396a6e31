"""The query for the system's status."""

from __future__ import annotations

import strawberry

from datastorage.graphql.context import Info
from datastorage.graphql.system.types import SystemStatus
from datastorage.graphql.view import view
from datastorage.services import system_status as services


async def system_status(info: Info) -> services.SystemStatus:
    """The status."""
    return await services.system_status(info.context.deps, info.context.caller)


@strawberry.type
class SystemQueries:
    """Root fields."""

    system_status: SystemStatus = view(
        system_status,
        "How the service and what it depends on stand: database, vector engine, outbox, circuit breakers. Answers "
        "also while they do not. Needs the right to administrate.",
    )
