"""What `datastorage doctor` finds out about embeddings: one text is embedded, and the shared cache is asked.

Without either the service runs: records are stored without their vectors, and vectors are computed anew. So only a
model that cannot be loaded is fatal.
"""

from __future__ import annotations

import asyncio

from redis.exceptions import RedisError

from datastorage.db.findings import Finding
from datastorage.embedding import (
    EmbeddingFailed,
    EmbeddingProvider,
    RedisCache,
    configured_cache,
    configured_prefixes,
    configured_provider,
)
from datastorage.errors import StartupError
from datastorage.settings import Settings

TRIAL = "a pod was killed because it ran out of memory"


async def embedding_findings(settings: Settings) -> list[Finding]:
    """The provider and, where one is configured, Redis."""
    try:
        provider = configured_provider(settings)
    except StartupError as error:
        return [Finding("embedding", str(error), "see the message", fatal=True)]
    if provider is None:
        return [Finding("embedding", "switched off (DATASTORAGE_EMBEDDING_PROVIDER=none)")]
    try:
        return [await _provider(provider, settings), *await _cache(provider, settings)]
    finally:
        await provider.close()


async def _provider(provider: EmbeddingProvider, settings: Settings) -> Finding:
    try:
        async with asyncio.timeout(settings.embedding_timeout_s):
            (vector,) = await provider.embed([configured_prefixes(settings).document + TRIAL])
    except (EmbeddingFailed, TimeoutError) as error:
        return Finding(
            "embedding",
            f"{provider.model}: {str(error) or 'took too long'}",
            "see the message, or raise DATASTORAGE_EMBEDDING_TIMEOUT_S; until then records are stored "
            "without their vectors",
        )
    return Finding("embedding", f"{provider.model}, {len(vector)} dimensions")


async def _cache(provider: EmbeddingProvider, settings: Settings) -> list[Finding]:
    cache = configured_cache(settings, provider)
    if not isinstance(cache, RedisCache):
        return []
    try:
        await cache.check()
    except (RedisError, OSError) as error:
        mend = "start it, or check DATASTORAGE_REDIS_URL; until then vectors are computed anew"
        return [Finding("cache", f"Redis is out of reach: {error}", mend)]
    finally:
        await cache.close()
    return [Finding("cache", "Redis answers")]
