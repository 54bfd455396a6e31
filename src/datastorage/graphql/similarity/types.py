"""Similar incidents as clients see them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from datastorage.graphql.enums import MatchedField, SearchMode

if TYPE_CHECKING:
    from datastorage.graphql.remediation.types import RemediationAudit


@strawberry.type(description="A stored incident that resembles the text, and why it stands where it stands.")
class SimilarIncident:
    """A view of `services.similar_incidents.SimilarIncident`."""

    incident: Annotated[RemediationAudit, strawberry.lazy("datastorage.graphql.remediation.types")] = (
        strawberry.field(description="The incident; with `collapse` the newest of its text.")
    )
    score: float | None = strawberry.field(
        description="What the order follows: meaning, words, closeness in time and shared error signatures "
        "together. Compare it within one answer only. Null for incidents that follow unranked."
    )
    similarity: float | None = strawberry.field(
        description="1 − cosine distance of the texts: 1 the same, about 0.2 two unrelated ones. Null where there "
        "is no vector (yet). With the default model incidents of one alert are mostly above 0.7 and unrelated "
        "ones below 0.4. It proves nothing: duplicates told in other words come lower, and among many incidents "
        "the nearest stranger comes higher, so let `score` choose."
    )
    vector_rank: int | None = strawberry.field(
        description="Place by meaning alone, 1 the nearest; null where there is no vector."
    )
    lexical_rank: int | None = strawberry.field(
        description="Place by words alone, 1 the best; null without a word in common."
    )
    matched_terms: list[str] = strawberry.field(
        description="Words in common with the text that say most, at most 10, the most telling first."
    )
    term_coverage: float = strawberry.field(
        description="Share of what the text's words say that the incident says too, 0 to 1; rare words say more."
    )
    matched_fields: list[MatchedField] = strawberry.field(description="Where the words in common are.")
    occurrences: int = strawberry.field(
        description="With `collapse`: matching incidents of this text. Otherwise 1."
    )
    first_seen: datetime = strawberry.field(description="Start of the earliest occurrence.")
    last_seen: datetime = strawberry.field(description="Start of the latest occurrence.")


@strawberry.type(description="Incidents that resemble a text, the most alike first.")
class SimilarIncidents:
    """A view of `services.similar_incidents.SimilarIncidentsFound`."""

    mode: SearchMode = strawberry.field(
        description="How it was searched; LEXICAL although more was asked for means: see degradedReason."
    )
    exhaustive: bool = strawberry.field(
        description="Every matching incident was compared. Otherwise indexes answered, approximately."
    )
    degraded_reason: str | None = strawberry.field(description="Why the answer is less than it could be.")
    model: str | None = strawberry.field(description="Embedding model.")
    hits: list[SimilarIncident] = strawberry.field(
        description="As many as asked for, if so many match the filters; only `minSimilarity` shortens them. "
        "Matching incidents that neither meaning nor words have found come last, newest first."
    )
