"""Provider and cache as the settings say. Called by the composition root."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from datastorage.embedding.cache import MemoryCache, VectorCache
from datastorage.embedding.onnx import OnnxProvider
from datastorage.embedding.openai import Endpoint, OpenAiProvider
from datastorage.embedding.provider import EmbeddingProvider
from datastorage.embedding.redis_cache import RedisCache
from datastorage.embedding.static import StaticProvider
from datastorage.settings import CacheBackend, ProviderKind, Settings

PATH: Final = "/embeddings"


@dataclass(frozen=True, slots=True)
class Prefixes:
    """What some models want before a text, to know which side of a search it is on."""

    document: str = ""
    query: str = ""


def configured_provider(settings: Settings) -> EmbeddingProvider | None:
    """The provider; None when embeddings are off. Errors: StartupError."""
    match settings.embedding_provider:
        case ProviderKind.STATIC:
            return StaticProvider.load()
        case ProviderKind.ONNX:
            return _onnx(settings)
        case ProviderKind.OPENAI:
            return OpenAiProvider(_openai_name(settings), _endpoint(settings))
        case ProviderKind.NONE:
            return None


def configured_prefixes(settings: Settings) -> Prefixes:
    """The prefixes; the model in the package was trained without any."""
    if settings.embedding_provider is ProviderKind.STATIC:
        return Prefixes()
    return Prefixes(settings.embedding_document_prefix, settings.embedding_query_prefix)


def configured_cache(settings: Settings, provider: EmbeddingProvider | None) -> VectorCache:
    """The cache for the vectors of this provider."""
    if (
        settings.cache_backend is CacheBackend.REDIS
        and settings.redis_url is not None
        and provider is not None
    ):
        return RedisCache.connect(
            settings.redis_url.get_secret_value(),
            model=provider.model,
            dimensions=provider.dimensions,
            ttl_s=settings.cache_ttl_s,
        )
    return MemoryCache(bytes_max=settings.cache_bytes_max, ttl_s=settings.cache_ttl_s)


def model_and_dimensions(settings: Settings) -> tuple[str, int | None]:
    """What vectors will be stored under, and their length; no name and None without embeddings.

    Errors: StartupError. Only a model of one's own has to be loaded to know.
    """
    match settings.embedding_provider:
        case ProviderKind.STATIC:
            return StaticProvider.model, StaticProvider.dimensions
        case ProviderKind.ONNX:
            provider = _onnx(settings)
            return provider.model, provider.dimensions
        case ProviderKind.OPENAI:
            return _openai_name(settings), settings.embedding_dimensions
        case ProviderKind.NONE:
            return "", None


def _onnx(settings: Settings) -> OnnxProvider:
    folder = Path(settings.embedding_model or "")
    return OnnxProvider.load(
        f"onnx:{folder.resolve().name}{_mark(settings)}", folder, settings.embedding_threads
    )


def _openai_name(settings: Settings) -> str:
    """With the dimensions: cut to others they are other vectors."""
    return f"openai:{settings.embedding_model}@{settings.embedding_dimensions}{_mark(settings)}"


def _mark(settings: Settings) -> str:
    """Tells texts that were embedded behind a prefix from those that were not."""
    prefix = settings.embedding_document_prefix
    return f"+{hashlib.sha256(prefix.encode()).hexdigest()[:8]}" if prefix else ""


def _endpoint(settings: Settings) -> Endpoint:
    base = (settings.embedding_url or "").rstrip("/")
    key = settings.embedding_api_key
    return Endpoint(
        url=base if base.endswith(PATH) else base + PATH,
        model=settings.embedding_model or "",
        dimensions=settings.embedding_dimensions or 0,
        sends_dimensions=settings.embedding_send_dimensions,
        api_key=None if key is None else key.get_secret_value(),
        timeout_s=settings.embedding_timeout_s,
        chars_max=settings.embedding_chars_max,
    )
