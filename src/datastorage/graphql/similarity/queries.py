"""Queries for similar incidents."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from datastorage.graphql.arguments import AmongIncidents
from datastorage.graphql.context import Info
from datastorage.graphql.enums import SearchMode
from datastorage.graphql.filters import to_filter
from datastorage.graphql.similarity.types import SimilarIncidents
from datastorage.graphql.view import view
from datastorage.limits import SIMILAR_ROWS_DEFAULT
from datastorage.services.similar_incidents import (
    SimilarIncidentsFound,
    SimilarityQuestion,
    find_similar_incidents,
)


async def similar_incidents(
    info: Info,
    text: Annotated[
        str,
        strawberry.argument(
            description="What happened, in words: an alert's summary, then its error message or stack trace; "
            "up to 64 KiB."
        ),
    ],
    filters: AmongIncidents = None,
    at: Annotated[
        datetime | None,
        strawberry.argument(
            description="When it happened; now by default. Incidents close to it in time count for more."
        ),
    ] = None,
    first: Annotated[
        int | None, strawberry.argument(description="How many are wanted, 1 to 100.")
    ] = SIMILAR_ROWS_DEFAULT,
    min_similarity: Annotated[
        float | None,
        strawberry.argument(
            description="Leave out what resembles the text less, -1 to 1; see `similarity`. Not applied, and told in "
            "`degradedReason`, while the text cannot be embedded."
        ),
    ] = None,
    mode: Annotated[
        SearchMode | None, strawberry.argument(description="By meaning and words, or by one of them.")
    ] = SearchMode.HYBRID,
    collapse: Annotated[
        bool | None,
        strawberry.argument(description="Incidents of the same text count as one hit, the newest of them."),
    ] = False,
) -> SimilarIncidentsFound:
    """The most similar incidents."""
    question = SimilarityQuestion(
        text=text,
        where=to_filter(filters),
        at=at,
        rows=SIMILAR_ROWS_DEFAULT if first is None else first,
        min_similarity=min_similarity,
        mode=mode or SearchMode.HYBRID,
        collapse=bool(collapse),
    )
    async with info.context.search():
        return await find_similar_incidents(info.context.deps, info.context.caller, question)


@strawberry.type
class SimilarityQueries:
    """Root fields."""

    similar_incidents: SimilarIncidents = view(
        similar_incidents,
        "Have we seen this before? Incidents that resemble `text`, such as an alert's summary with its error "
        "message, in meaning and in words. `filters` never make a matching incident go missing.",
    )
