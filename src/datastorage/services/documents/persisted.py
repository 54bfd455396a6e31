"""Documents that clients have sent once, by their SHA-256: in memory, and in Redis for all replicas.

Only what has been executed is remembered here, so that nobody fills the room with what is no document of ours.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from typing import Final

from datastorage.limits import (
    PERSISTED_CHARS_MAX,
    PERSISTED_DOCUMENT_CHARS_MAX,
    PERSISTED_SHARED_S,
)
from datastorage.observability.labels import CircuitName
from datastorage.resilience import GuardedRedis
from datastorage.settings import Settings

KEY_PREFIX: Final = "datastorage:document:"


class PersistedDocuments:
    """Bounded by the characters of all documents; the longest unused go first."""

    def __init__(self, redis: GuardedRedis | None = None, *, chars_max: int = PERSISTED_CHARS_MAX) -> None:
        self._redis, self._chars_max = redis, chars_max
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._chars = 0

    def __contains__(self, digest: str) -> bool:
        return digest in self._texts

    async def get(self, digest: str) -> str | None:
        """The document; the same string each time, so that what is known of it is found at once."""
        text = self._texts.get(digest)
        if text is not None:
            self._texts.move_to_end(digest)
            return text
        text = await self._get_shared(digest)
        if text is not None:
            self._keep(digest, text)
        return text

    async def put(self, digest: str, text: str) -> None:
        """Remembers a document, unless it is a very long one."""
        if len(text) <= PERSISTED_DOCUMENT_CHARS_MAX and digest not in self._texts:
            self._keep(digest, text)
            await self._put_shared(digest, text)

    async def close(self) -> None:
        """Closes the connections to Redis."""
        if self._redis is not None:
            await self._redis.close()

    def _keep(self, digest: str, text: str) -> None:
        if digest in self._texts:  # somebody else was told at the same time
            return
        self._texts[digest] = text
        self._chars += len(text)
        while self._chars > self._chars_max:
            self._chars -= len(self._texts.popitem(last=False)[1])

    async def _get_shared(self, digest: str) -> str | None:
        redis = self._redis
        if redis is None:
            return None
        found = await redis.asked(lambda: redis.client.getex(KEY_PREFIX + digest, ex=PERSISTED_SHARED_S))
        # Others may write there: only its hash says that it is the document.
        if not isinstance(found, bytes) or sha256(found).hexdigest() != digest:
            return None
        return found.decode()

    async def _put_shared(self, digest: str, text: str) -> None:
        redis = self._redis
        if redis is not None:
            await redis.asked(lambda: redis.client.set(KEY_PREFIX + digest, text, ex=PERSISTED_SHARED_S))


def sha256_of(text: str) -> str:
    """By which a document is known, in lower-case hexadecimal digits."""
    return sha256(text.encode()).hexdigest()


def configured_persisted(settings: Settings) -> PersistedDocuments | None:
    """Shared wherever there is a Redis; None where nothing is to be remembered."""
    if not settings.persisted_queries:
        return None
    if settings.redis_url is None:
        return PersistedDocuments()
    return PersistedDocuments(
        GuardedRedis.connect(settings.redis_url.get_secret_value(), CircuitName.DOCUMENTS)
    )
