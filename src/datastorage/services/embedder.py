"""Vectors for texts: from the cache, else from the provider. Never fails a write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter

import structlog

from datastorage.domain.enums import Similarity
from datastorage.embedding import EmbeddingFailed, EmbeddingProvider, Vector, VectorCache
from datastorage.observability.metrics import CACHE_HITS, CACHE_MISSES, EMBEDDING_SECONDS

log = structlog.get_logger(__name__)


class Embedder:
    """One provider with its cache; without a provider, embeddings are off."""

    def __init__(self, provider: EmbeddingProvider | None, cache: VectorCache) -> None:
        self._provider, self._cache = provider, cache

    @property
    def provider(self) -> EmbeddingProvider | None:
        """Where vectors come from; None when embeddings are off."""
        return self._provider

    @property
    def model(self) -> str:
        """The name that vectors are stored under; a name no vector has when embeddings are off."""
        return "" if self._provider is None else self._provider.model

    @property
    def without_vector(self) -> Similarity:
        """What a client is told about an incident that has no vector."""
        return Similarity.DISABLED if self._provider is None else Similarity.PENDING

    async def vectors(self, texts: Mapping[bytes, str]) -> dict[bytes, Vector]:
        """Vectors by the hash of their text; those that could not be had are missing."""
        if self._provider is None or not texts:
            return {}
        found = {key: vector for key in texts if (vector := self._cache.get(key)) is not None}
        missing = [key for key in texts if key not in found]
        CACHE_HITS.inc(len(found))
        CACHE_MISSES.inc(len(missing))
        for key, vector in zip(missing, await self._embedded([texts[key] for key in missing]), strict=False):
            self._cache.put(key, vector)
            found[key] = vector
        return found

    async def vector(self, key: bytes, text: str) -> Vector | None:
        """The vector of one text, or None."""
        return (await self.vectors({key: text})).get(key)

    async def close(self) -> None:
        """Lets the provider go."""
        if self._provider is not None:
            await self._provider.close()

    async def _embedded(self, texts: Sequence[str]) -> Sequence[Vector]:
        if self._provider is None or not texts:
            return ()
        started = perf_counter()
        try:
            vectors = await self._provider.embed(texts)
        except EmbeddingFailed as failure:
            log.warning("embedding_failed", model=self._provider.model, texts=len(texts), reason=str(failure))
            return ()
        seconds = (perf_counter() - started) / len(texts)
        for _ in texts:
            EMBEDDING_SECONDS.observe(seconds)
        return vectors
