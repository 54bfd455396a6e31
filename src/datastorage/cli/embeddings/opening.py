"""The parts that the embedding commands work with: as the service has them, but in no hurry, and with a cache apart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from datastorage.cli.parts import opened
from datastorage.errors import OperatorError
from datastorage.limits import BACKFILL_COMMAND_TIMEOUT_S
from datastorage.services.dependencies import Dependencies
from datastorage.settings import CacheBackend, Settings


@asynccontextmanager
async def patiently_opened(settings: Settings) -> AsyncIterator[Dependencies]:
    """Database and services; every vector comes from the provider. Errors: OperatorError."""
    changed = {
        "embedding_timeout_s": max(settings.embedding_timeout_s, BACKFILL_COMMAND_TIMEOUT_S),
        "cache_backend": CacheBackend.MEMORY,
    }
    async with opened(settings.model_copy(update=changed)) as deps:
        if deps.embedder.provider is None:
            raise OperatorError("embeddings are off (DATASTORAGE_EMBEDDING_PROVIDER=none)")
        yield deps
