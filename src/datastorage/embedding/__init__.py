"""Texts to vectors: the provider seam with its providers, the caches in front, and what guards them."""

from datastorage.embedding.cache import MemoryCache, VectorCache
from datastorage.embedding.configured import (
    Prefixes,
    configured_cache,
    configured_prefixes,
    configured_provider,
    model_and_dimensions,
)
from datastorage.embedding.guarded import GuardedProvider
from datastorage.embedding.provider import EmbeddingProvider, Vector
from datastorage.embedding.redis_cache import RedisCache
from datastorage.embedding.single_flight import SingleFlight
from datastorage.embedding.static import StaticProvider
from datastorage.embedding.traced import TracedProvider
from datastorage.errors import EmbeddingFailed

__all__ = [
    "EmbeddingFailed",
    "EmbeddingProvider",
    "GuardedProvider",
    "MemoryCache",
    "Prefixes",
    "RedisCache",
    "SingleFlight",
    "StaticProvider",
    "TracedProvider",
    "Vector",
    "VectorCache",
    "configured_cache",
    "configured_prefixes",
    "configured_provider",
    "model_and_dimensions",
]
