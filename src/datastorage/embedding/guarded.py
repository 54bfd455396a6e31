"""The provider as the service asks it: behind a circuit breaker, under a deadline, never failing its caller."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from time import perf_counter

import structlog

from datastorage.embedding.provider import EmbeddingProvider, Vector
from datastorage.errors import CircuitOpen, EmbeddingFailed, EmbeddingTimeout, RateLimited, TextRefused
from datastorage.observability.labels import EmbeddingOutcome
from datastorage.observability.metrics import count_embedded, count_embedding_request
from datastorage.resilience import CircuitBreaker

log = structlog.get_logger(__name__)


class GuardedProvider:
    """One provider with its breaker. All calls of one batch share one deadline, waiting for their turn included."""

    def __init__(self, provider: EmbeddingProvider, breaker: CircuitBreaker, timeout_s: float) -> None:
        self._provider, self._breaker, self._timeout_s = provider, breaker, timeout_s
        self._turns = asyncio.Semaphore(provider.calls_max)

    @property
    def timeout_s(self) -> float:
        """How long one batch may take."""
        return self._timeout_s

    @property
    def rests(self) -> bool:
        """Whether the provider is being left alone for a while."""
        return self._breaker.refuses

    async def embed(self, texts: Sequence[str]) -> list[Vector | TextRefused | None]:
        """A vector per text, its refusal, or None where none could be had now.

        Errors: InvalidInput for a blank text.
        """
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        try:
            async with asyncio.timeout_at(deadline) if self._turns.locked() else nullcontext():
                await self._turns.acquire()
        except TimeoutError:  # others wait for the provider, so it is not for this call to judge it
            log.warning("embedding_failed", model=self._provider.model, texts=len(texts), reason="no turn")
            return [None] * len(texts)
        try:
            return await self._embedded(texts, deadline)
        finally:
            self._turns.release()

    async def _embedded(self, texts: Sequence[str], deadline: float) -> list[Vector | TextRefused | None]:
        """Halves a batch until a text that is refused stands alone, so that it does not hold up the others."""
        try:
            return [*await self._asked(texts, deadline)]
        except TextRefused as refusal:
            if len(texts) > 1:
                middle = len(texts) // 2
                first = await self._embedded(texts[:middle], deadline)
                return first + await self._embedded(texts[middle:], deadline)
            self._tell(texts, refusal)
            return [refusal]
        except EmbeddingFailed as failure:
            self._tell(texts, failure)
        except CircuitOpen:
            pass  # told when it opened
        return [None] * len(texts)

    async def _asked(self, texts: Sequence[str], deadline: float) -> list[Vector]:
        with self._breaker.guarding(EmbeddingFailed):
            started = perf_counter()
            try:
                async with asyncio.timeout_at(deadline):
                    vectors = await self._provider.embed(texts)
            except TextRefused as error:  # the provider answered: it is well
                refusal = error
            except TimeoutError:
                count_embedding_request(EmbeddingOutcome.TIMEOUT)
                raise EmbeddingTimeout(f"it took longer than {self._timeout_s:g} s") from None
            except EmbeddingFailed as failure:
                count_embedding_request(_outcome(failure))
                raise
            else:
                count_embedding_request(EmbeddingOutcome.OK)
                count_embedded(len(texts), perf_counter() - started)
                return vectors
        count_embedding_request(EmbeddingOutcome.ERROR)
        raise refusal

    def _tell(self, texts: Sequence[str], failure: EmbeddingFailed) -> None:
        log.warning("embedding_failed", model=self._provider.model, texts=len(texts), reason=str(failure))


def _outcome(failure: EmbeddingFailed) -> EmbeddingOutcome:
    match failure:
        case EmbeddingTimeout():
            return EmbeddingOutcome.TIMEOUT
        case RateLimited():
            return EmbeddingOutcome.RATE_LIMITED
        case _:
            return EmbeddingOutcome.ERROR
