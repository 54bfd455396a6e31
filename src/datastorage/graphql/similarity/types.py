"""Similar incidents as clients see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from datastorage.graphql.enums import SearchMode

if TYPE_CHECKING:
    from datastorage.graphql.remediation.types import RemediationAudit


@strawberry.type(description="A stored incident that resembles the text.")
class SimilarIncident:
    """A view of `services.similar_incidents.SimilarIncident`."""

    incident: Annotated[RemediationAudit, strawberry.lazy("datastorage.graphql.remediation.types")] = (
        strawberry.field(description="The incident.")
    )
    similarity: float | None = strawberry.field(
        description="1 − cosine distance of the texts: 1 the same, 0 unrelated. "
        "Null for an incident whose text has no vector yet; such ones come last."
    )


@strawberry.type(description="Incidents that resemble a text, the nearest first.")
class SimilarIncidents:
    """A view of `services.similar_incidents.SimilarIncidentsFound`."""

    mode: SearchMode = strawberry.field(description="Legs that answered.")
    exhaustive: bool = strawberry.field(
        description="Every matching incident was compared. Otherwise an index answered, approximately."
    )
    degraded_reason: str | None = strawberry.field(description="Why the answer is less than it could be.")
    model: str | None = strawberry.field(description="Embedding model.")
    hits: list[SimilarIncident] = strawberry.field(
        description="As many as asked for, if so many match the filters; only `minSimilarity` shortens them."
    )
