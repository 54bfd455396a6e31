"""The field that leads from any audit to incidents like its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from datastorage.domain.remediation import REMEDIATION, RemediationAudit
from datastorage.graphql.context import Info
from datastorage.graphql.filters import to_filter
from datastorage.graphql.relation import named
from datastorage.limits import SIMILAR_ROWS_DEFAULT
from datastorage.services.similar_incidents import SimilarIncidentsFound, find_incidents_like

if TYPE_CHECKING:
    from datastorage.graphql.remediation.inputs import RemediationAuditFilter


async def similar(
    root: strawberry.Parent[Any],
    info: Info,
    first: Annotated[
        int | None, strawberry.argument(description="How many are wanted, 1 to 100.")
    ] = SIMILAR_ROWS_DEFAULT,
    filters: Annotated[
        Annotated[RemediationAuditFilter, strawberry.lazy("datastorage.graphql.remediation.inputs")] | None,
        strawberry.argument(description="Which incidents to look among; all of them by default."),
    ] = None,
) -> SimilarIncidentsFound:
    """Incidents like that of this record."""
    rows = SIMILAR_ROWS_DEFAULT if first is None else first
    incident = root if isinstance(root, RemediationAudit) else await _remediation(info, root)
    return await find_incidents_like(
        info.context.deps, info.context.caller, incident, to_filter(filters), rows
    )


async def _remediation(info: Info, root: Any) -> RemediationAudit | None:
    request_id = await named(info, root)
    found: RemediationAudit | None = (
        None if request_id is None else await info.context.loaders.record(REMEDIATION, request_id)
    )
    return found
