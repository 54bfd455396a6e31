"""Queries for similar incidents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from datastorage.graphql.context import Info
from datastorage.graphql.filters import to_filter
from datastorage.graphql.similarity.types import SimilarIncidents
from datastorage.graphql.view import view
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
    text: Annotated[
        str,
        strawberry.argument(
            description="What happened, in words: an alert's summary, then its error message or stack trace; "
            "up to 64 KiB."
        ),
    ],
    filters: Annotated[
        Annotated[RemediationAuditFilter, strawberry.lazy("datastorage.graphql.remediation.inputs")] | None,
        strawberry.argument(description="Which incidents to look among; all of them by default."),
    ] = None,
    first: Annotated[
        int | None, strawberry.argument(description="How many are wanted, 1 to 100.")
    ] = SIMILAR_ROWS_DEFAULT,
    min_similarity: Annotated[
        float | None, strawberry.argument(description="Leave out what resembles the text less, -1 to 1.")
    ] = None,
) -> SimilarIncidentsFound:
    """The nearest incidents."""
    rows = SIMILAR_ROWS_DEFAULT if first is None else first
    question = SimilarityQuestion(text, to_filter(filters), rows, min_similarity)
    return await find_similar_incidents(info.context.deps, info.context.caller, question)


@strawberry.type
class SimilarityQueries:
    """Root fields."""

    similar_incidents: SimilarIncidents = view(
        similar_incidents,
        "Have we seen this before? Incidents whose text is nearest in meaning to `text`, such as "
        "an alert's summary with its error message. `filters` never make a matching incident go missing. "
        "`first` 1 to 100.",
    )
