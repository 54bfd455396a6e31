"""Incidents that resemble a text: the vector leg, exact where that is cheap, by index where it is not.

A filter never makes a result go missing: fewer hits than asked from the index → more texts are asked for,
then every matching incident is compared; incidents that have no vector yet follow the ranked ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from datastorage.db.database import ReadSession
from datastorage.domain.caller import Caller, Right
from datastorage.domain.enums import SearchMode
from datastorage.domain.filters import Filter, check_bounds
from datastorage.domain.remediation import REMEDIATION, RemediationAudit
from datastorage.embedding import Vector
from datastorage.errors import InvalidInput
from datastorage.limits import (
    EXACT_SCAN_ROWS_MAX,
    NEAREST_TEXTS_FIRST_TRY,
    NEAREST_TEXTS_SECOND_TRY,
    SEARCH_TEXT_BYTES_MAX,
    SIMILAR_ROWS_MAX,
)
from datastorage.observability.metrics import QueryOperation, query_observed
from datastorage.repositories.records import Records
from datastorage.repositories.similar_incidents import Neighbour, SimilarIncidents
from datastorage.search import content_hash, query_text
from datastorage.services.dependencies import Dependencies
from datastorage.services.embedder import Embedder


@dataclass(frozen=True, slots=True)
class SimilarIncident:
    """A stored incident and how much it resembles the text; None without a vector."""

    incident: RemediationAudit
    similarity: float | None


@dataclass(frozen=True, slots=True)
class SimilarIncidentsFound:
    """The hits, and how they were found."""

    mode: SearchMode
    exhaustive: bool
    degraded_reason: str | None
    model: str | None
    hits: Sequence[SimilarIncident]


@dataclass(frozen=True, slots=True)
class SimilarityQuestion:
    """What is asked for."""

    text: str
    where: Filter
    rows: int
    min_similarity: float | None = None

    def check(self) -> None:
        """Errors: InvalidInput."""
        if not self.text.strip():
            raise InvalidInput.single("text", "is empty or white space only")
        if len(self.text.encode(errors="replace")) > SEARCH_TEXT_BYTES_MAX:
            raise InvalidInput.single("text", f"is longer than {SEARCH_TEXT_BYTES_MAX} bytes")
        if not 1 <= self.rows <= SIMILAR_ROWS_MAX:
            raise InvalidInput.single("first", f"must be between 1 and {SIMILAR_ROWS_MAX}, got {self.rows}")
        if self.min_similarity is not None and not -1 <= self.min_similarity <= 1:
            raise InvalidInput.single("minSimilarity", "must be between -1 and 1")
        check_bounds(self.where)


async def find_similar_incidents(
    deps: Dependencies, caller: Caller, question: SimilarityQuestion
) -> SimilarIncidentsFound:
    """The stored incidents nearest to a text. Errors: InvalidInput, Forbidden, Unavailable."""
    caller.require(Right.READ)
    question.check()
    with query_observed(QueryOperation.SEMANTIC_SEARCH):
        vector = await _vector(deps, question.text)
        async with deps.database.snapshot() as session:
            found = await _found(deps.embedder, session, caller, question, vector)
            audits = await Records(session, caller.scope, REMEDIATION).by_ids(
                [hit.audit_id for hit in found.ranked]
            )
    return SimilarIncidentsFound(
        mode=SearchMode.VECTOR,
        exhaustive=found.exhaustive,
        degraded_reason=found.degraded_reason,
        model=deps.embedder.model or None,
        hits=[SimilarIncident(audits[hit.audit_id], hit.similarity) for hit in found.ranked],
    )


@dataclass(frozen=True, slots=True)
class _Found:
    ranked: Sequence[Neighbour]
    exhaustive: bool
    degraded_reason: str | None = None


async def _found(
    embedder: Embedder,
    session: ReadSession,
    caller: Caller,
    question: SimilarityQuestion,
    vector: Vector | None,
) -> _Found:
    provider = embedder.provider
    if provider is None or vector is None:
        reason = "embeddings are switched off" if provider is None else "the text could not be embedded"
        if question.min_similarity is not None:  # nothing is known to be similar enough
            return _Found([], exhaustive=False, degraded_reason=reason)
        newest = await Records(session, caller.scope, REMEDIATION).newest(question.where, question.rows)
        found = [Neighbour(row_id, None) for row_id in newest]
        return _Found(found, exhaustive=False, degraded_reason=reason)
    leg = SimilarIncidents(session, caller.scope, provider.model, provider.dimensions)
    return await _ranked(leg, vector, question)


async def _vector(deps: Dependencies, text: str) -> Vector | None:
    masked = query_text(deps.redactor.text(text)[0])
    return await deps.embedder.vector(content_hash(masked), masked)


async def _ranked(leg: SimilarIncidents, vector: Vector, question: SimilarityQuestion) -> _Found:
    hits, exhaustive = await _nearest(leg, vector, question)
    floor = question.min_similarity
    if floor is not None:
        hits = [hit for hit in hits if hit.similarity is not None and hit.similarity >= floor]
    elif len(hits) < question.rows:
        hits += await leg.without_vector(question.where, question.rows - len(hits))
    return _Found(hits, exhaustive)


async def _nearest(
    leg: SimilarIncidents, vector: Vector, question: SimilarityQuestion
) -> tuple[list[Neighbour], bool]:
    matches = await leg.count(question.where, EXACT_SCAN_ROWS_MAX + 1)
    if matches > EXACT_SCAN_ROWS_MAX and await leg.index_can_go_on():
        for texts_max in (NEAREST_TEXTS_FIRST_TRY, NEAREST_TEXTS_SECOND_TRY):
            hits = await leg.by_index(vector, question.where, question.rows, texts_max)
            if len(hits) == question.rows:
                return hits, False
    return await leg.exact(vector, question.where, question.rows), True
