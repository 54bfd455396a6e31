"""Tries the vector engine now and then: notices that it is gone, and puts it back into use. Started by the lifespan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from datastorage.embedding import EmbeddingProvider
from datastorage.errors import EngineUnavailable
from datastorage.limits import ENGINE_PROBE_LOST_S, ENGINE_PROBE_S
from datastorage.services.background import running
from datastorage.services.dependencies import Dependencies
from datastorage.services.second_engine import SecondEngine

LAST_HASH: Final = b"\xff" * 32


@asynccontextmanager
async def probing_second_engine(deps: Dependencies) -> AsyncIterator[None]:
    """Keeps it in use while it answers. One that is down does not hold up the start: the first try has begun, no more.

    Without embeddings nothing is kept in it.
    """
    provider = deps.embedder.provider
    if provider is None or not deps.second.configured:
        yield
        return
    probe = Probe(deps.second, provider)
    async with running("vector engine probe", probe.round, probe.rest):
        yield


class Probe:
    """Asks for a page beyond the last hash while the engine is in use, and prepares it while it is not."""

    def __init__(self, second: SecondEngine, provider: EmbeddingProvider) -> None:
        self._second, self._model, self._dimensions = second, provider.model, provider.dimensions
        self._answered = False

    async def round(self) -> None:
        """One try, unless the breaker leaves the engine alone."""
        if self._second.rests:
            return
        try:
            if self._second.available:
                await self._second.page(self._model, LAST_HASH, 1)
            else:
                await self._second.prepare(self._model, self._dimensions)
            self._answered = True
        except EngineUnavailable:  # told by its breaker and by the change of mode
            self._answered = False

    async def rest(self) -> None:
        """Shorter after a failure."""
        await asyncio.sleep(ENGINE_PROBE_S if self._answered else ENGINE_PROBE_LOST_S)
