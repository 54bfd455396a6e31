"""The field that leads from any audit to incidents like its own."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from datastorage.domain.remediation import REMEDIATION, RemediationAudit
from datastorage.graphql.arguments import AmongIncidents
from datastorage.graphql.context import Info
from datastorage.graphql.filters import to_filter
from datastorage.graphql.relation import named
from datastorage.limits import SIMILAR_ROWS_DEFAULT
from datastorage.services.similar_incidents import SimilarIncidentsFound, find_incidents_like


async def similar(
    root: strawberry.Parent[Any],
    info: Info,
    first: Annotated[
        int | None, strawberry.argument(description="How many are wanted, 1 to 100.")
    ] = SIMILAR_ROWS_DEFAULT,
    filters: AmongIncidents = None,
) -> SimilarIncidentsFound:
    """Incidents like that of this record."""
    rows = SIMILAR_ROWS_DEFAULT if first is None else first
    incident = root if isinstance(root, RemediationAudit) else await _remediation(info, root)
    where = to_filter(filters)
    async with info.context.search():
        return await find_incidents_like(info.context.deps, info.context.caller, incident, where, rows)


async def _remediation(info: Info, root: Any) -> RemediationAudit | None:
    request_id = await named(info, root)
    found: RemediationAudit | None = (
        None if request_id is None else await info.context.loaders.record(REMEDIATION, request_id)
    )
    return found
