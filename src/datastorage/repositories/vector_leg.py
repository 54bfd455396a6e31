"""The vector leg: incidents whose text lies nearest to a vector, within a filter and a scope.

Vectors belong to texts and incidents to texts, so a search finds the nearest texts and joins their incidents.
Which way is right depends on how many incidents the filter leaves, see `services.similar_incidents`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from packaging.version import Version
from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Select,
    Subquery,
    bindparam,
    column,
    exists,
    func,
    select,
    true,
)
from sqlalchemy import table as pg_table
from sqlalchemy.dialects.postgresql import ARRAY

from datastorage.db.database import ReadSession
from datastorage.domain.caller import Scope
from datastorage.domain.filters import Filter
from datastorage.domain.remediation import REMEDIATION
from datastorage.limits import SEARCH_STATEMENTS_MAX
from datastorage.models import incident_embedding, remediation_audit
from datastorage.models.halfvec import Halfvec, Vector, cosine_distance, inner_product, similarity
from datastorage.repositories.records import matching

ITERATIVE_SCANS_SINCE: Final = Version("0.8.0")
_audit, _embedding = remediation_audit.c, incident_embedding.c


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An incident and how similar its text is: 1 − cosine distance."""

    audit_id: int
    similarity: float


@dataclass(frozen=True, slots=True)
class _Space:
    """What a caller may see, and the vectors that are compared."""

    scope: Scope
    model: str
    dimensions: int

    @property
    def of_model(self) -> ColumnElement[bool]:
        """A literal, so that the planner sees which partial index serves the model."""
        return _embedding.model == bindparam("model", self.model, literal_execute=True)

    @property
    def query(self) -> ColumnElement[Any]:
        """The vector that is asked for."""
        return bindparam("vector", type_=Halfvec(self.dimensions), unique=False)


class VectorLeg:
    """Nearest neighbours for one caller and one model, in a session that was prepared for searching."""

    def __init__(self, session: ReadSession, scope: Scope, model: str, dimensions: int) -> None:
        self._session, self._space = session, _Space(scope, model, dimensions)

    async def index_can_go_on(self) -> bool:
        """Whether an index scan continues when a filter leaves too few: pgvector can since 0.8."""
        version = await self._session.scalar(
            select(column("extversion"))
            .select_from(pg_table("pg_extension"))
            .where(column("extname") == "vector")
        )
        return Version(str(version)) >= ITERATIVE_SCANS_SINCE

    async def exact(self, vector: Vector, where: Filter, rows_max: int) -> list[Neighbour]:
        """Compares with every matching incident that has a vector; exact, and linear in their number."""
        return await self._neighbours(_exact(self._space, where, rows_max), vector)

    async def exact_texts(self, vector: Vector, where: Filter, rows_max: int) -> list[Neighbour]:
        """The same for the texts of the matching incidents; of each text the newest incident."""
        return await self._neighbours(_exact_texts(self._space, where, rows_max), vector)

    async def by_index(
        self, vector: Vector, where: Filter, rows_max: int, texts_max: int, of_each_text: int
    ) -> list[Neighbour]:
        """Asks HNSW for the nearest texts, then joins their newest matching incidents; approximate."""
        return await self._neighbours(
            _by_index(self._space, where, rows_max, texts_max, of_each_text), vector
        )

    async def of_texts(
        self,
        vector: Vector,
        where: Filter,
        hashes: Iterable[bytes],
        rows_max: int,
        texts_max: int,
        of_each_text: int,
    ) -> list[Neighbour]:
        """Compares with these texts, then joins the newest matching incidents of the nearest of them."""
        statement = _of_texts(self._space, where, rows_max, texts_max, of_each_text)
        return await self._neighbours(statement, vector, hashes=sorted(hashes))

    async def without_vector(self, where: Filter, rows_max: int) -> list[int]:
        """Matching incidents whose text has no vector yet, newest first."""
        has_vector = exists().where(_embedding.content_hash == _audit.content_hash, self._space.of_model)
        statement = (
            select(_audit.id)
            .where(self._matching(where), ~has_vector)
            .order_by(_audit.start_time.desc(), _audit.id.desc())
            .limit(rows_max)
        )
        return list(await self._session.scalars(statement))

    def _matching(self, where: Filter) -> ColumnElement[bool]:
        return matching(REMEDIATION, where, self._space.scope)

    async def _neighbours(self, statement: Select[Any], vector: Vector, **parameters: Any) -> list[Neighbour]:
        rows = await self._session.execute(statement, {"vector": vector, **parameters})
        return [Neighbour(row_id, similarity(-distance)) for row_id, distance in rows]


# Statements are put together once: that takes longer than to send them.


@lru_cache(SEARCH_STATEMENTS_MAX)
def _exact(space: _Space, where: Filter, rows_max: int) -> Select[Any]:
    distance = inner_product(_embedding.vector, space.query)
    return (
        select(_audit.id, distance.label("distance"))
        .join(incident_embedding, (_embedding.content_hash == _audit.content_hash) & space.of_model)
        .where(matching(REMEDIATION, where, space.scope))
        # "+ 0" keeps the planner from walking an index whose answers the filter would thin out
        .order_by(distance + 0, _audit.start_time.desc(), _audit.id.desc())
        .limit(rows_max)
    )


@lru_cache(SEARCH_STATEMENTS_MAX)
def _exact_texts(space: _Space, where: Filter, rows_max: int) -> Select[Any]:
    distance = inner_product(_embedding.vector, space.query)
    of_text = (_audit.content_hash == _embedding.content_hash) & matching(REMEDIATION, where, space.scope)
    nearest = (
        select(_embedding.content_hash, distance.label("distance"))
        .where(space.of_model, exists().where(of_text))
        .order_by(distance + 0)
        .limit(rows_max)
        .subquery("nearest")
    )
    return _newest(nearest, space, where, rows_max, of_each_text=1)


@lru_cache(SEARCH_STATEMENTS_MAX)
def _by_index(space: _Space, where: Filter, rows_max: int, texts_max: int, of_each_text: int) -> Select[Any]:
    nearest = (
        select(_embedding.content_hash, inner_product(_embedding.vector, space.query).label("distance"))
        .where(space.of_model)
        .order_by(cosine_distance(_embedding.vector, space.query, space.dimensions))
        .limit(texts_max)  # without it the planner sorts the whole table instead of using the index
        .subquery("nearest")
    )
    return _newest(nearest, space, where, rows_max, of_each_text)


@lru_cache(SEARCH_STATEMENTS_MAX)
def _of_texts(space: _Space, where: Filter, rows_max: int, texts_max: int, of_each_text: int) -> Select[Any]:
    distance = inner_product(_embedding.vector, space.query)
    given = bindparam("hashes", type_=ARRAY(LargeBinary))
    nearest = (
        select(_embedding.content_hash, distance.label("distance"))
        .where(space.of_model, _embedding.content_hash == func.any(given))
        .order_by(distance + 0)
        .limit(texts_max)
        .subquery("nearest")
    )
    return _newest(nearest, space, where, rows_max, of_each_text)


def _newest(nearest: Subquery, space: _Space, where: Filter, rows_max: int, of_each_text: int) -> Select[Any]:
    """The newest matching incidents of each text, in the order of their distance."""
    incidents = (
        select(_audit.id, _audit.start_time)
        .where(_audit.content_hash == nearest.c.content_hash, matching(REMEDIATION, where, space.scope))
        .order_by(_audit.start_time.desc(), _audit.id.desc())
        .limit(of_each_text)
        .lateral("incidents")
    )
    return (
        select(incidents.c.id, nearest.c.distance)
        .select_from(nearest)
        .join(incidents, true())
        .order_by(nearest.c.distance, incidents.c.start_time.desc(), incidents.c.id.desc())
        .limit(rows_max)
    )
