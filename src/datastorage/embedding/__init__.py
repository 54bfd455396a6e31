"""Texts to vectors: the provider seam, the model in the package, and the cache in front."""

from datastorage.embedding.cache import MemoryCache, VectorCache
from datastorage.embedding.provider import EmbeddingProvider, Vector
from datastorage.embedding.static import StaticProvider
from datastorage.errors import EmbeddingFailed

__all__ = ["EmbeddingFailed", "EmbeddingProvider", "MemoryCache", "StaticProvider", "Vector", "VectorCache"]
