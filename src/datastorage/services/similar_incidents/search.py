"""Incidents that resemble a text: the legs propose, every candidate is compared in every way, one score orders them.

Degradation is a value: without vectors the words answer, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from datastorage.db.database import ReadSession
from datastorage.domain.caller import EVERYWHERE, Caller, Right
from datastorage.domain.enums import SearchMode
from datastorage.domain.filters import EVERYTHING
from datastorage.domain.remediation import REMEDIATION, RemediationAudit
from datastorage.limits import (
    EXACT_SCAN_ROWS_MAX,
    LEG_ROWS_MIN,
    LEXICAL_EXACT_ROWS_MAX,
    SIMILAR_TERMS_TOLD_MAX,
)
from datastorage.observability.labels import QueryOperation
from datastorage.observability.metrics import query_observed
from datastorage.repositories.candidates import Candidates, Comparison, Occurrences
from datastorage.repositories.records import Records
from datastorage.repositories.search_session import prepare_for_search
from datastorage.repositories.vector_leg import VectorLeg
from datastorage.search.lexical import against_headline
from datastorage.search.term_statistics import TermStatistics
from datastorage.services.dependencies import Dependencies
from datastorage.services.similar_incidents.answer import SimilarIncident, SimilarIncidentsFound
from datastorage.services.similar_incidents.engine_leg import EngineLeg
from datastorage.services.similar_incidents.legs import best_matching, nearest
from datastorage.services.similar_incidents.question import Asked, SimilarityQuestion, understood
from datastorage.services.similar_incidents.ranking import Ranked, one_of_each_text, ranked
from datastorage.services.similar_incidents.searched import Searched

MATCHES_COUNTED_MAX: Final = max(EXACT_SCAN_ROWS_MAX, LEXICAL_EXACT_ROWS_MAX)


async def find_similar_incidents(
    deps: Dependencies, caller: Caller, question: SimilarityQuestion
) -> SimilarIncidentsFound:
    """The stored incidents most like a text. Errors: InvalidInput, Forbidden, Unavailable."""
    caller.require(Right.READ)
    question.check()
    with query_observed(QueryOperation.SEMANTIC_SEARCH):
        asked = await understood(deps, question)
        async with deps.database.snapshot() as session:
            return await similar_to(deps, caller, session, question, asked)


async def similar_to(
    deps: Dependencies, caller: Caller, session: ReadSession, question: SimilarityQuestion, asked: Asked
) -> SimilarIncidentsFound:
    """The same as part of a greater question, which was checked and is what the metrics count.

    The session is a snapshot, so that what else is asked in it fits the answer. Errors: Unavailable.
    """
    statistics = await deps.terms.seen_by(caller.scope, session)
    await prepare_for_search(session)
    return await _Search(deps, caller, session, question, asked, statistics).found()


class _Search:
    """One question on its way through one snapshot of the database."""

    def __init__(
        self,
        deps: Dependencies,
        caller: Caller,
        session: ReadSession,
        question: SimilarityQuestion,
        asked: Asked,
        statistics: TermStatistics,
    ) -> None:
        self._session, self._scope, self._index = session, caller.scope, deps.index
        self._question, self._asked, self._statistics = question, asked, statistics
        lexical = asked.lexical
        self._title, self._whole = statistics.weighed(lexical.title), statistics.weighed(lexical.whole)
        provider = deps.embedder.provider
        self._model, dimensions = ("", 1) if provider is None else (provider.model, provider.dimensions)
        self._audits = Records(session, caller.scope, REMEDIATION)
        self._candidates = Candidates(session, caller.scope, self._model, dimensions)
        self._vector_leg = VectorLeg(session, caller.scope, self._model, dimensions)
        self._engine_leg = EngineLeg(deps.second, session, self._vector_leg, self._model)
        self._mode = SearchMode.LEXICAL if asked.vectors is None else question.mode

    async def found(self) -> SimilarIncidentsFound:
        """The answer."""
        audit_ids, exhaustive = await self._proposed()
        compared = await self._compared(audit_ids)
        hits = self._chosen(ranked(compared, self._mode, self._question.moment))
        if len(hits) < self._question.rows and self._floor is None:
            hits = self._chosen([*hits, *await self._unranked(audit_ids)])
        return SimilarIncidentsFound(
            mode=self._mode,
            exhaustive=exhaustive,
            degraded_reason=self._degraded_reason,
            model=self._model or None,
            hits=await self._told(hits),
        )

    @property
    def _degraded_reason(self) -> str | None:
        ignored = self._asked.vectors is None and self._question.min_similarity is not None
        return f"{self._asked.reason}, so minSimilarity is not applied" if ignored else self._asked.reason

    async def _proposed(self) -> tuple[set[int], bool]:
        """The candidates, and whether every match was looked at."""
        searched = await self._searched()
        legs = []
        if self._asked.vectors is not None:
            vectors = self._asked.vectors if self._mode is SearchMode.HYBRID else self._asked.vectors[:1]
            legs.append(await nearest(self._vector_leg, self._engine_leg, vectors, searched))
        if self._mode is not SearchMode.VECTOR:
            asked = [self._whole, self._title]
            legs.append(await best_matching(self._session, self._scope, asked, self._statistics, searched))
        exhaustive = self._asked.reason is None and all(leg.exhaustive for leg in legs)
        return {row_id for leg in legs for row_id in leg.audit_ids}, exhaustive

    async def _searched(self) -> Searched:
        """What is to be searched, and how much it is."""
        where, rows = self._question.among, self._question.rows
        everything = where == EVERYTHING and self._scope == EVERYWHERE
        known = self._statistics.documents
        return Searched(
            where=where,
            everything=everything,
            # Of everything it is known about how much it is.
            matches=known
            if everything and known > MATCHES_COUNTED_MAX
            else await self._audits.count(where, MATCHES_COUNTED_MAX + 1),
            rows_max=max(LEG_ROWS_MIN, rows),
            rows_wanted=rows,
            collapse=self._question.collapse,
            index_usable=await self._index.usable(self._session, self._vector_leg, self._model),
        )

    async def _compared(self, audit_ids: set[int]) -> list[Comparison]:
        title, whole = self._title, self._whole
        questions = (
            ()
            if self._mode is SearchMode.VECTOR
            else (whole, title, against_headline(title), against_headline(whole))
        )
        vectors, signatures = self._asked.vectors or (), self._asked.lexical.signatures
        return await self._candidates.compared(audit_ids, questions, vectors, signatures)

    async def _unranked(self, audit_ids: set[int]) -> list[Ranked]:
        """Matches that no leg has proposed: those without a vector yet, or all where there are no vectors."""
        rows_max = LEG_ROWS_MIN + self._question.rows
        if self._asked.vectors is None:
            left = await self._audits.newest(self._question.among, rows_max)
        else:
            left = await self._vector_leg.without_vector(self._question.among, rows_max)
        compared = await self._compared(set(left) - audit_ids)
        compared.sort(key=lambda one: (one.start_time, one.audit_id), reverse=True)
        return [Ranked(one) for one in compared]

    @property
    def _floor(self) -> float | None:
        """How similar hits must be; without vectors nobody knows, and leaving out all would say there are none."""
        return None if self._asked.vectors is None else self._question.min_similarity

    def _chosen(self, hits: Sequence[Ranked]) -> list[Ranked]:
        """Those that are told."""
        floor = self._floor
        if floor is not None:
            hits = [hit for hit in hits if hit.similarity is not None and hit.similarity >= floor]
        if self._question.collapse:
            hits = one_of_each_text(hits)
        return list(hits[: self._question.rows])

    async def _told(self, hits: Sequence[Ranked]) -> list[SimilarIncident]:
        """The incidents behind the hits, with what they have in common with the question."""
        seen = await self._occurrences(hits)
        shown = [occurred.newest_id for occurred in seen]
        audits = await self._audits.by_ids(shown)
        terms = await self._candidates.terms(shown)
        return [
            self._hit(hit, audits[occurred.newest_id], terms.get(occurred.newest_id, frozenset()), occurred)
            for hit, occurred in zip(hits, seen, strict=True)
        ]

    def _hit(
        self, hit: Ranked, incident: RemediationAudit, terms: frozenset[int], occurred: Occurrences
    ) -> SimilarIncident:
        return SimilarIncident(
            incident=incident,
            score=hit.score,
            similarity=hit.similarity,
            vector_rank=hit.vector_rank,
            lexical_rank=hit.lexical_rank,
            matched_terms=self._matched(terms),
            term_coverage=self._coverage(terms),
            signature=hit.comparison.signature,
            occurrences=occurred.count,
            first_seen=occurred.first_seen,
            last_seen=occurred.last_seen,
        )

    async def _occurrences(self, hits: Sequence[Ranked]) -> list[Occurrences]:
        """How often each hit occurred: once, unless those of the same text were collapsed into it."""
        if not self._question.collapse:
            return [
                Occurrences(one.audit_id, 1, one.start_time, one.start_time)
                for one in (hit.comparison for hit in hits)
            ]
        hashes = [hit.comparison.content_hash for hit in hits]
        seen = await self._candidates.occurrences(hashes, self._question.among)
        return [seen[key] for key in hashes]

    def _coverage(self, numbers: frozenset[int]) -> float:
        """The share of the question's words that an incident has, each by what it says."""
        total = sum(self._whole.values())
        common = sum(worth for number, worth in self._whole.items() if number in numbers)
        return common / total if total else 0.0

    def _matched(self, numbers: frozenset[int]) -> list[str]:
        """The terms in common that say most."""
        worth, words = self._whole, self._asked.lexical.words
        common = sorted(numbers & worth.keys(), key=lambda number: (-worth[number], number))
        return [words[number] for number in common[:SIMILAR_TERMS_TOLD_MAX]]
