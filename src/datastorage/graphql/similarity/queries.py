"""Queries for similar incidents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from datastorage.graphql.context import Info
from datastorage.graphql.filters import to_filter
from datastorage.graphql.similarity.types import SimilarIncidents
from datastorage.limits import SIMILAR_ROWS_DEFAULT
from datastorage.services.similar_incidents import (
    SimilarIncidentsFound,
    SimilarityQuestion,
    find_similar_incidents,
)

if TYPE_CHECKING:
    from datastorage.graphql.remediation.inputs import RemediationAuditFilter


async def similar_incidents(
    info: Info,
    text: str,
    filters: Annotated[
        RemediationAuditFilter, strawberry.lazy("datastorage.graphql.remediation.inputs")
    ]
    | None = None,
    first: int = SIMILAR_ROWS_DEFAULT,
    min_similarity: float | None = None,
) -> SimilarIncidentsFound:
    """The nearest incidents."""
    question = SimilarityQuestion(text, to_filter(filters), first, min_similarity)
    return await find_similar_incidents(info.context.deps, info.context.caller, question)


@strawberry.type
class SimilarityQueries:
    """Root fields."""

    similar_incidents: SimilarIncidents = strawberry.field(
        resolver=similar_incidents,
        description="Have we seen this before? Incidents whose text is nearest in meaning to `text`, such as "
        "an alert's summary with its error message. `filters` never make a matching incident go missing. "
        "`first` 1 to 100.",
    )
