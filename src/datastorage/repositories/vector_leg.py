"""The vector leg: incidents whose text lies nearest to a vector, within a filter and a scope.

Vectors belong to texts and incidents to texts, so a search finds the nearest texts and joins their incidents.
Which way is right depends on how many incidents the filter leaves, see `services.similar_incidents`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from packaging.version import Version
from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Row,
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


class VectorLeg:
    """Nearest neighbours for one caller and one model, in a session that was prepared for searching."""

    def __init__(self, session: ReadSession, scope: Scope, model: str, dimensions: int) -> None:
        self._session, self._scope, self._dimensions = session, scope, dimensions
        # A literal, so that the planner sees which partial index serves the model.
        self._of_model = _embedding.model == bindparam("model", model, literal_execute=True)

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
        distance = inner_product(_embedding.vector, self._query(vector))
        statement = (
            select(_audit.id, distance.label("distance"))
            .join(incident_embedding, (_embedding.content_hash == _audit.content_hash) & self._of_model)
            .where(self._matching(where))
            # "+ 0" keeps the planner from walking an index whose answers the filter would thin out
            .order_by(distance + 0, _audit.start_time.desc(), _audit.id.desc())
            .limit(rows_max)
        )
        return await self._neighbours(statement)

    async def exact_texts(self, vector: Vector, where: Filter, rows_max: int) -> list[Neighbour]:
        """The same for the texts of the matching incidents; of each text the newest incident."""
        distance = inner_product(_embedding.vector, self._query(vector))
        of_text = (_audit.content_hash == _embedding.content_hash) & self._matching(where)
        nearest = (
            select(_embedding.content_hash, distance.label("distance"))
            .where(self._of_model, exists().where(of_text))
            .order_by(distance + 0)
            .limit(rows_max)
            .subquery("nearest")
        )
        return await self._neighbours(self._newest(nearest, where, rows_max, of_each_text=1))

    async def by_index(
        self, vector: Vector, where: Filter, rows_max: int, texts_max: int, of_each_text: int
    ) -> list[Neighbour]:
        """Asks HNSW for the nearest texts, then joins their newest matching incidents; approximate."""
        query = self._query(vector)
        nearest = (
            select(_embedding.content_hash, inner_product(_embedding.vector, query).label("distance"))
            .where(self._of_model)
            .order_by(cosine_distance(_embedding.vector, query, self._dimensions))
            .limit(texts_max)  # without it the planner sorts the whole table instead of using the index
            .subquery("nearest")
        )
        return await self._neighbours(self._newest(nearest, where, rows_max, of_each_text))

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
        distance = inner_product(_embedding.vector, self._query(vector))
        given = bindparam("hashes", sorted(hashes), type_=ARRAY(LargeBinary))
        nearest = (
            select(_embedding.content_hash, distance.label("distance"))
            .where(self._of_model, _embedding.content_hash == func.any(given))
            .order_by(distance + 0)
            .limit(texts_max)
            .subquery("nearest")
        )
        return await self._neighbours(self._newest(nearest, where, rows_max, of_each_text))

    async def without_vector(self, where: Filter, rows_max: int) -> list[int]:
        """Matching incidents whose text has no vector yet, newest first."""
        has_vector = exists().where(_embedding.content_hash == _audit.content_hash, self._of_model)
        statement = (
            select(_audit.id)
            .where(self._matching(where), ~has_vector)
            .order_by(_audit.start_time.desc(), _audit.id.desc())
            .limit(rows_max)
        )
        return list(await self._session.scalars(statement))

    def _newest(self, nearest: Subquery, where: Filter, rows_max: int, of_each_text: int) -> Select[Any]:
        """The newest matching incidents of each text, in the order of their distance."""
        incidents = (
            select(_audit.id, _audit.start_time)
            .where(_audit.content_hash == nearest.c.content_hash, self._matching(where))
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

    def _matching(self, where: Filter) -> ColumnElement[bool]:
        return matching(REMEDIATION, where, self._scope)

    def _query(self, vector: Vector) -> ColumnElement[Any]:
        return bindparam("vector", vector, type_=Halfvec(self._dimensions), unique=False)

    async def _neighbours(self, statement: Select[Any]) -> list[Neighbour]:
        return [_neighbour(row) for row in await self._session.execute(statement)]


def _neighbour(row: Row[Any]) -> Neighbour:
    return Neighbour(row.id, similarity(-row.distance))
