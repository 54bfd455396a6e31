"""A span around each call of the provider: how many texts, never which. Put on only where traces are wanted."""

from __future__ import annotations

from collections.abc import Sequence

from datastorage.embedding.provider import EmbeddingProvider, Vector
from datastorage.observability.spans import Attributes, Spans


class TracedProvider:
    """A provider, within spans; what it asks of an endpoint belongs to the same trace."""

    def __init__(self, provider: EmbeddingProvider, spans: Spans) -> None:
        self._provider, self._spans = provider, spans
        self.model, self.dimensions = provider.model, provider.dimensions
        self.costs_more_than_a_lookup, self.calls_max = provider.costs_more_than_a_lookup, provider.calls_max

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One vector per text. Errors: InvalidInput for a blank text, EmbeddingFailed."""
        attributes: Attributes = {
            "gen_ai.operation.name": "embeddings",
            "gen_ai.request.model": self.model,
            "datastorage.texts": len(texts),
        }
        with self._spans.within("embeddings", attributes, is_call=True):
            return await self._provider.embed(texts)

    async def close(self) -> None:
        """Lets go of what the provider holds."""
        await self._provider.close()
