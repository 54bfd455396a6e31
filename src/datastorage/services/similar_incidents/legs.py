"""Who is worth comparing: the candidates that each leg of the search proposes.

A leg compares everything where the filter leaves few incidents, and asks an index where it leaves many. A filter
never makes a result go missing: fewer than asked from the vector index → more texts, then everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from datastorage.db.database import ReadSession
from datastorage.domain.caller import Scope
from datastorage.domain.filters import Filter
from datastorage.embedding import Vector
from datastorage.limits import (
    EXACT_SCAN_ROWS_MAX,
    LEXICAL_BUDGET_DOCUMENTS,
    LEXICAL_BUDGET_DOCUMENTS_SECOND_TRY,
    LEXICAL_BUDGET_TERMS_MAX,
    LEXICAL_EXACT_ROWS_MAX,
    NEAREST_TEXTS_FIRST_TRY,
    NEAREST_TEXTS_SECOND_TRY,
)
from datastorage.repositories.lexical_leg import LexicalLeg
from datastorage.repositories.vector_leg import Neighbour, VectorLeg
from datastorage.search.term_statistics import TermStatistics


@dataclass(frozen=True, slots=True)
class Proposed:
    """Candidates of one leg, and whether it compared every match."""

    audit_ids: set[int]
    exhaustive: bool


@dataclass(frozen=True, slots=True)
class Searched:
    """What is searched: the filter, and how many incidents it leaves (or more than any bound)."""

    where: Filter
    everything: bool  # neither filter nor scope leaves anything out
    matches: int
    rows_max: int  # candidates of each list
    rows_wanted: int
    collapse: bool  # one incident of each text is enough
    index_usable: bool

    @property
    def texts_first_try(self) -> int:
        """Where nothing is filtered out, each text brings at least one incident, but for a few."""
        return self.rows_max * 3 // 2 if self.everything else NEAREST_TEXTS_FIRST_TRY


async def nearest(leg: VectorLeg, vectors: tuple[Vector, ...], searched: Searched) -> Proposed:
    """The incidents whose text lies nearest to any of the vectors."""
    if searched.matches <= EXACT_SCAN_ROWS_MAX or not searched.index_usable:
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
    of_each_text = 1 if searched.collapse else searched.rows_max
    return await leg.by_index(vector, searched.where, searched.rows_max, texts_max, of_each_text)


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
