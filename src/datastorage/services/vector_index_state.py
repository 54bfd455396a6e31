"""Whether the vector index may be asked: it must be there for the model, and able to go on behind a filter."""

from __future__ import annotations

import time
from collections.abc import Callable

from datastorage.db.database import ReadSession
from datastorage.limits import INDEX_STATE_S
from datastorage.repositories.vector_indexes import has_index
from datastorage.repositories.vector_leg import VectorLeg


class IndexState:
    """What this process last saw of the indexes, by model; looked up anew after a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, tuple[float, bool]] = {}

    async def usable(self, session: ReadSession, leg: VectorLeg, model: str) -> bool:
        """Without it every match is compared, which is slower and never wrong."""
        seen_at, usable = self._seen.get(model, (-INDEX_STATE_S, False))
        now = self._clock()
        if now - seen_at >= INDEX_STATE_S:
            usable = await leg.index_can_go_on() and await has_index(session, model)
            self._seen[model] = (now, usable)
        return usable
