"""The vector leg's third way: the vector engine proposes texts, PostgreSQL decides. Called by `legs`.

Filter, scope and similarity are PostgreSQL's, so an engine that is behind, or wrong, shows nothing that is not so.
"""

from __future__ import annotations

from datastorage.db.database import ReadSession
from datastorage.embedding import Vector
from datastorage.errors import EngineUnavailable
from datastorage.limits import ENGINE_LAG_TEXTS_MAX, NEAREST_TEXTS_SECOND_TRY
from datastorage.observability.metrics import FALLBACK
from datastorage.repositories.engine_lag import hashes_not_mirrored
from datastorage.repositories.vector_leg import VectorLeg
from datastorage.services.second_engine import SecondEngine
from datastorage.services.similar_incidents.searched import Searched


class EngineLeg:
    """Nearest incidents for one search, in its snapshot."""

    def __init__(self, second: SecondEngine, session: ReadSession, leg: VectorLeg, model: str) -> None:
        self._second, self._session, self._leg, self._model = second, session, leg, model

    def count_if_lost(self) -> None:
        """Counts a search that PostgreSQL has to do alone from its beginning."""
        if self._second.configured and not self._second.available:
            FALLBACK.inc()

    async def nearest(self, vectors: tuple[Vector, ...], searched: Searched) -> set[int] | None:
        """The incidents; None where PostgreSQL's own index must answer.

        What is committed and not delivered yet is compared as well, so that a lag hides nothing. More than a few of
        these mean that the engine is being filled or was away: then the index, which never lags, is both right
        and cheaper than comparing with all of them. So it is where the engine has not been filled.
        """
        if not self._second.complete:
            return None
        lagging = await hashes_not_mirrored(self._session, self._model, ENGINE_LAG_TEXTS_MAX + 1)
        if len(lagging) > ENGINE_LAG_TEXTS_MAX:
            return None
        try:
            return await self._found(vectors, searched, lagging)
        except EngineUnavailable:
            FALLBACK.inc()
            return None

    async def _found(
        self, vectors: tuple[Vector, ...], searched: Searched, lagging: set[bytes]
    ) -> set[int] | None:
        found: set[int] = set()
        for vector in vectors:
            for texts_max in (searched.texts_first_try, NEAREST_TEXTS_SECOND_TRY):
                hits = await self._asked(vector, searched, texts_max, lagging)
                if len(hits) >= searched.rows_wanted:
                    break
            else:
                return None
            found |= hits
        return found

    async def _asked(
        self, vector: Vector, searched: Searched, texts_max: int, lagging: set[bytes]
    ) -> set[int]:
        near = await self._second.nearest(self._model, vector, texts_max)
        hashes = lagging.union(text.content_hash for text in near)
        hits = await self._leg.of_texts(
            vector, searched.where, hashes, searched.rows_max, texts_max, searched.of_each_text
        )
        return {hit.audit_id for hit in hits}
