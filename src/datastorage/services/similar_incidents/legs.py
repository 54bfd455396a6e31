"""Who is worth comparing: the candidates that each leg of the search proposes.

A leg compares everything where the filter leaves few incidents, and asks an index where it leaves many: the vector
engine, if there is one in use, else PostgreSQL's. A filter never makes a result go missing: fewer than asked from
the vector index → more texts, then everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from datastorage.db.database import ReadSession
from datastorage.domain.caller import Scope
from datastorage.embedding import Vector
from datastorage.limits import (
    EXACT_SCAN_ROWS_MAX,
    LEXICAL_BUDGET_DOCUMENTS,
    LEXICAL_BUDGET_DOCUMENTS_SECOND_TRY,
    LEXICAL_BUDGET_TERMS_MAX,
    LEXICAL_EXACT_ROWS_MAX,
    NEAREST_TEXTS_SECOND_TRY,
)
from datastorage.repositories.lexical_leg import LexicalLeg
from datastorage.repositories.vector_leg import Neighbour, VectorLeg
from datastorage.search.term_statistics import TermStatistics
from datastorage.services.similar_incidents.engine_leg import EngineLeg
from datastorage.services.similar_incidents.searched import Proposed, Searched


async def nearest(
    leg: VectorLeg, engine: EngineLeg, vectors: tuple[Vector, ...], searched: Searched
) -> Proposed:
    """The incidents whose text lies nearest to any of the vectors."""
    engine.count_if_lost()
    if searched.matches <= EXACT_SCAN_ROWS_MAX:
        return Proposed(await _compared_with_all(leg, vectors, searched), exhaustive=True)
    proposed = await engine.nearest(vectors, searched)
    if proposed is not None:
        return Proposed(proposed, exhaustive=False)
    return await _nearest_alone(leg, vectors, searched)


async def _nearest_alone(leg: VectorLeg, vectors: tuple[Vector, ...], searched: Searched) -> Proposed:
    """By PostgreSQL's own index, where there is one."""
    if not searched.index_usable:
        return Proposed(await _compared_with_all(leg, vectors, searched), exhaustive=True)
    found: set[int] = set()
    for vector in vectors:
        hits = await _by_index(leg, vector, searched, searched.texts_first_try)
        if len(hits) < searched.rows_wanted:
            hits = await _by_index(leg, vector, searched, NEAREST_TEXTS_SECOND_TRY)
        if len(hits) < searched.rows_wanted:
            return Proposed(await _compared_with_all(leg, vectors, searched), exhaustive=True)
        found.update(hit.audit_id for hit in hits)
    return Proposed(found, exhaustive=False)


async def _by_index(leg: VectorLeg, vector: Vector, searched: Searched, texts_max: int) -> list[Neighbour]:
    return await leg.by_index(vector, searched.where, searched.rows_max, texts_max, searched.of_each_text)


async def _compared_with_all(leg: VectorLeg, vectors: tuple[Vector, ...], searched: Searched) -> set[int]:
    compare = leg.exact_texts if searched.collapse else leg.exact
    lists = [await compare(vector, searched.where, searched.rows_max) for vector in vectors]
    return {hit.audit_id for hits in lists for hit in hits}


async def best_matching(
    session: ReadSession,
    scope: Scope,
    asked: Sequence[Mapping[int, float]],
    statistics: TermStatistics,
    searched: Searched,
) -> Proposed:
    """The incidents whose words answer any of the weighed questions best."""
    leg = LexicalLeg(session, scope)
    if searched.matches <= LEXICAL_EXACT_ROWS_MAX:
        return Proposed(await leg.exact(asked, searched.where, searched.rows_max), exhaustive=True)
    for documents_max in (LEXICAL_BUDGET_DOCUMENTS, LEXICAL_BUDGET_DOCUMENTS_SECOND_TRY):
        terms = {
            number
            for weights in asked
            for number in statistics.rarest(weights, documents_max, LEXICAL_BUDGET_TERMS_MAX)
        }
        found = await leg.by_terms(asked, sorted(terms), searched.where, searched.rows_max)
        if searched.everything or len(found) >= searched.rows_max:
            break
    return Proposed(found, exhaustive=False)
