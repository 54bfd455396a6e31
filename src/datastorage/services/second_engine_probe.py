"""Tries the vector engine now and then: notices that it is gone, and puts it back into use. Started by the lifespan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from datastorage.embedding import EmbeddingProvider
from datastorage.errors import EngineUnavailable
from datastorage.limits import (
    ENGINE_COUNT_FILLING_S,
    ENGINE_COUNT_S,
    ENGINE_PROBE_LOST_S,
    ENGINE_PROBE_S,
)
from datastorage.services.background import running
from datastorage.services.dependencies import Dependencies
from datastorage.services.second_engine_count import compare_counts
from datastorage.vector_engine import LAST_HASH


@asynccontextmanager
async def probing_second_engine(deps: Dependencies) -> AsyncIterator[None]:
    """Keeps it in use while it answers. One that is down does not hold up the start: the first try has begun, no more.

    Without embeddings nothing is kept in it.
    """
    provider = deps.embedder.provider
    if provider is None or not deps.second.configured:
        yield
        return
    probe = Probe(deps, provider)
    async with running("vector engine probe", probe.round, probe.rest):
        yield


class Probe:
    """Asks for a page beyond the last hash while the engine is in use, and prepares it while it is not."""

    def __init__(self, deps: Dependencies, provider: EmbeddingProvider) -> None:
        self._deps, self._second = deps, deps.second
        self._model, self._dimensions = provider.model, provider.dimensions
        self._answered = False
        self._count_at_s = 0.0  # when its vectors are counted again

    async def round(self) -> None:
        """One try, unless the breaker leaves the engine alone. Errors: Unavailable, of PostgreSQL."""
        if self._second.rests:
            return
        try:
            if self._second.available:
                await self._second.page(self._model, LAST_HASH, 1)
            else:
                await self._second.prepare(self._model, self._dimensions)
                self._count_at_s = 0.0  # it may have lost something
            self._answered = True
            await self._count()
        except EngineUnavailable:  # told by its breaker and by the change of mode
            self._answered = False

    async def _count(self) -> None:
        """Whether searches may rely on it; seldom, since PostgreSQL counts a million vectors in a tenth of a second."""
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._count_at_s:
            await compare_counts(self._deps)
            self._count_at_s = now_s + (ENGINE_COUNT_S if self._second.complete else ENGINE_COUNT_FILLING_S)

    async def rest(self) -> None:
        """Shorter after a failure."""
        await asyncio.sleep(ENGINE_PROBE_S if self._answered else ENGINE_PROBE_LOST_S)
