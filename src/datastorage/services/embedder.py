"""Vectors for texts: from the cache, from what is stored, else from the provider. Never fails a write."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final, TypeAlias

from datastorage.domain.enums import Similarity
from datastorage.embedding import (
    EmbeddingProvider,
    GuardedProvider,
    Prefixes,
    SingleFlight,
    Vector,
    VectorCache,
)
from datastorage.errors import TextRefused
from datastorage.limits import EMBEDDING_BATCH_TEXTS, EMBEDDING_REFUSALS_MAX
from datastorage.observability.metrics import count_cache_reads
from datastorage.resilience import CircuitBreaker, CircuitName

TIMEOUT_S: Final = 2.0
QUESTION: Final = b"question:"  # in the cache, before the hash

Stored: TypeAlias = Callable[[Iterable[bytes]], Awaitable[set[bytes]]]


class Embedder:
    """One provider with its cache; without a provider, embeddings are off."""

    def __init__(
        self,
        provider: EmbeddingProvider | None,
        cache: VectorCache,
        *,
        prefixes: Prefixes | None = None,
        breaker: CircuitBreaker | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._provider, self._cache, self._prefixes = provider, cache, prefixes or Prefixes()
        breaker = breaker or CircuitBreaker(CircuitName.EMBEDDING)
        self._guarded = None if provider is None else GuardedProvider(provider, breaker, timeout_s)
        self._flights = SingleFlight(self._computed, EMBEDDING_BATCH_TEXTS)
        self._refused: dict[bytes, str] = {}

    @property
    def provider(self) -> EmbeddingProvider | None:
        """Where vectors come from; None when embeddings are off."""
        return self._provider

    @property
    def model(self) -> str:
        """The name that vectors are stored under; a name no vector has when embeddings are off."""
        return "" if self._provider is None else self._provider.model

    @property
    def timeout_s(self) -> float:
        """How long embedding one batch may take."""
        return 0.0 if self._guarded is None else self._guarded.timeout_s

    @property
    def rests(self) -> bool:
        """Whether the provider failed so often that it is left alone for a while."""
        return self._guarded is not None and self._guarded.rests

    @property
    def without_vector(self) -> Similarity:
        """What a client is told about an incident that has no vector."""
        return Similarity.DISABLED if self._provider is None else Similarity.PENDING

    async def vectors(self, texts: Mapping[bytes, str], stored: Stored | None = None) -> dict[bytes, Vector]:
        """Vectors to store, by the hash of their text; those that could not be had are missing.

        `stored` tells which texts have their vector in the database already: they are missing too, since there is
        nothing to store. It is asked only if that is cheaper than to embed them.
        """
        prefix = self._prefixes.document
        return await self._had({key: prefix + text for key, text in texts.items()}, stored)

    async def questions(self, texts: Mapping[bytes, str]) -> dict[bytes, Vector]:
        """Vectors to search with, by the hash of their text; those that could not be had are missing."""
        prefix, mark = self._prefixes.query, b""
        if prefix != self._prefixes.document:  # else a question may be a stored text word for word
            mark = QUESTION
        found = await self._had({mark + key: prefix + text for key, text in texts.items()})
        return {key: found[mark + key] for key in texts if mark + key in found}

    async def vector(self, key: bytes, text: str) -> Vector | None:
        """The vector of one question, or None."""
        return (await self.questions({key: text})).get(key)

    def refusals(self, keys: Iterable[bytes]) -> dict[bytes, str]:
        """Why the provider refused texts that were asked for just before; each is told once."""
        return {key: self._refused.pop(key) for key in keys if key in self._refused}

    async def close(self) -> None:
        """Lets the provider and the cache go."""
        await self._flights.close()
        if self._provider is not None:
            await self._provider.close()
        await self._cache.close()

    async def _had(self, texts: Mapping[bytes, str], stored: Stored | None = None) -> dict[bytes, Vector]:
        if self._provider is None or not texts:
            return {}
        found = await self._cache.get_many(texts)
        missing = {key: text for key, text in texts.items() if key not in found}
        if missing and stored is not None and self._provider.costs_more_than_a_lookup:
            for key in await stored(missing):
                del missing[key]
        computed = len(self._flights.absent(missing))
        count_cache_reads(len(texts) - computed, computed)
        return found | await self._flights.vectors(missing) if missing else found

    async def _computed(self, texts: Mapping[bytes, str]) -> dict[bytes, Vector]:
        if self._guarded is None:
            return {}
        vectors = await self._guarded.embed(list(texts.values()))
        pairs = zip(texts, vectors, strict=True)
        found: dict[bytes, Vector] = {}
        for key, vector in pairs:
            if isinstance(vector, TextRefused):
                self._remember(key, vector)
            elif vector is not None:
                found[key] = vector
        await self._cache.put_many(found)
        return found

    def _remember(self, key: bytes, refusal: TextRefused) -> None:
        self._refused[key] = str(refusal)
        if len(self._refused) > EMBEDDING_REFUSALS_MAX:
            del self._refused[next(iter(self._refused))]
