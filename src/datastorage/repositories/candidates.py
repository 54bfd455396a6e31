"""What the fusion of rankings needs to know of each candidate, in one statement; and what else a hit tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    bindparam,
    column,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from datastorage.db.database import ReadSession
from datastorage.domain.caller import Scope
from datastorage.domain.filters import Filter
from datastorage.domain.remediation import REMEDIATION
from datastorage.limits import SEARCH_STATEMENTS_MAX
from datastorage.models import incident_embedding, incident_lexical, remediation_audit
from datastorage.models.halfvec import Halfvec, Vector, inner_product, similarity
from datastorage.repositories.lexical_leg import asked, score
from datastorage.repositories.records import matching
from datastorage.repositories.scope import visible

_audit, _lexical, _embedding = remediation_audit.c, incident_lexical.c, incident_embedding.c


@dataclass(frozen=True, slots=True)
class Comparison:
    """One candidate compared with the question."""

    audit_id: int
    content_hash: bytes
    start_time: datetime
    terms: tuple[float, ...]  # one score for each question asked
    similarities: tuple[float | None, ...]  # one for each vector; None without a vector of its own
    signature: bool


@dataclass(frozen=True, slots=True)
class Occurrences:
    """The incidents of one text that match a filter."""

    newest_id: int
    count: int
    first_seen: datetime
    last_seen: datetime


class Candidates:
    """Incidents that a leg proposed, for one caller and one model."""

    def __init__(self, session: ReadSession, scope: Scope, model: str, dimensions: int) -> None:
        self._session, self._scope, self._model, self._dimensions = session, scope, model, dimensions

    async def compared(
        self,
        audit_ids: Iterable[int],
        questions: Sequence[Mapping[int, float]],
        vectors: Sequence[Vector],
        signatures: Sequence[int],
    ) -> list[Comparison]:
        """The candidates with all their scores."""
        statement = _compared(self._scope, self._model, self._dimensions, len(questions), len(vectors))
        of_vectors = {f"vector_{place}": vector for place, vector in enumerate(vectors)}
        given = {"audit_ids": sorted(set(audit_ids)), "signatures": list(signatures)}
        rows = await self._session.execute(statement, {**asked(questions), **of_vectors, **given})
        near = _SCORES + len(questions)
        return [
            Comparison(
                audit_id=row[0],
                content_hash=row[1],
                start_time=row[2],
                signature=row[3],
                terms=tuple(row[_SCORES:near]),
                similarities=tuple(map(_similarity, row[near:])),
            )
            for row in rows
        ]

    async def terms(self, audit_ids: Sequence[int]) -> dict[int, frozenset[int]]:
        """The terms of incidents."""
        statement = select(_lexical.audit_id, _lexical.terms).where(
            _lexical.audit_id.in_(audit_ids), visible(incident_lexical, self._scope)
        )
        return {row.audit_id: frozenset(row.terms) for row in await self._session.execute(statement)}

    async def occurrences(self, hashes: Sequence[bytes], where: Filter) -> dict[bytes, Occurrences]:
        """For each text how often it occurred among what matches the filter, and its newest incident."""
        given = (
            func.unnest(literal(list(hashes), ARRAY(_audit.content_hash.type)))
            .table_valued(column("content_hash", _audit.content_hash.type))
            .render_derived(name="given")
        )
        of_text = (_audit.content_hash == given.c.content_hash) & matching(REMEDIATION, where, self._scope)
        newest = (
            select(_audit.id)
            .where(of_text)
            .order_by(_audit.start_time.desc(), _audit.id.desc())
            .limit(1)
            .lateral("newest")
        )
        seen = (
            select(
                func.count().label("times"),
                func.min(_audit.start_time).label("first_seen"),
                func.max(_audit.start_time).label("last_seen"),
            )
            .where(of_text)
            .lateral("seen")
        )
        statement = (
            select(given.c.content_hash, newest.c.id, *seen.c)
            .select_from(given)
            .join(newest, true())
            .join(seen, true())
        )
        return {
            row.content_hash: Occurrences(row.id, row.times, row.first_seen, row.last_seen)
            for row in await self._session.execute(statement)
        }


_SCORES: Final = 4  # where in a row they begin


@lru_cache(SEARCH_STATEMENTS_MAX)
def _compared(scope: Scope, model: str, dimensions: int, questions: int, vectors: int) -> Select[Any]:
    """Put together once: that takes longer than to send it."""
    terms = [func.coalesce(score(place), 0.0) for place in range(questions)]
    nearness = [
        -inner_product(_embedding.vector, bindparam(f"vector_{place}", type_=Halfvec(dimensions)))
        for place in range(vectors)
    ]
    signed: ColumnElement[bool] = _lexical.terms.overlap(bindparam("signatures", type_=ARRAY(Integer)))
    of_model = _embedding.model == bindparam("model", model, literal_execute=True)
    columns = (_audit.id, _audit.content_hash, _audit.start_time, func.coalesce(signed, False))
    return (
        select(*columns, *terms, *nearness)
        .join(incident_lexical, _lexical.audit_id == _audit.id, isouter=True)
        .join(
            incident_embedding,
            (_embedding.content_hash == _audit.content_hash) & of_model,
            isouter=True,
        )
        .where(
            _audit.id == func.any(bindparam("audit_ids", type_=ARRAY(_audit.id.type))),
            visible(remediation_audit, scope),
        )
    )


def _similarity(nearness: float | None) -> float | None:
    return None if nearness is None else similarity(nearness)
