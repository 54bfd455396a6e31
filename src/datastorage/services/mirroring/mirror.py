"""Making the second engine agree with PostgreSQL about texts, one lease at a time. Called by the mirror worker.

The steps can be repeated: whoever dies between them leaves entries whose lease ends. An entry goes only if, once it
is locked, the vector is there (or not) as it was delivered; who changes that holds the entry until its commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from datastorage.domain.enums import OutboxKind
from datastorage.embedding import Vector
from datastorage.errors import EngineUnavailable
from datastorage.limits import BACKFILL_BUSY_S, MIRROR_BATCH_VECTORS, MIRROR_DELIVERY_S, MIRROR_LEASE_S
from datastorage.observability.labels import DualWriteFailure
from datastorage.observability.metrics import count_dualwrite_failure
from datastorage.repositories.outbox import Outbox
from datastorage.repositories.stored_vectors import vectors_of
from datastorage.services.dependencies import Dependencies

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of the texts of one lease."""

    leased: int = 0
    settled: int = 0  # the engine agrees
    parked: int = 0
    failed: int = 0

    @property
    def busy(self) -> int:
        """Texts that a writer held, or changed meanwhile."""
        return self.leased - self.settled - self.parked - self.failed


class Mirror:
    """Delivers for the active model."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps, self._model = deps, deps.embedder.model
        self._texts_max = MIRROR_BATCH_VECTORS

    @property
    def texts_max(self) -> int:
        """How many the engine is handed at a time: fewer after a failure, which may be due to one of them."""
        return self._texts_max

    async def lease(self) -> list[bytes]:
        """Texts that are due. Errors: Unavailable."""
        async with self._outbox() as entries:
            return await entries.lease(self._texts_max, MIRROR_LEASE_S)

    async def deliver(self, hashes: Iterable[bytes]) -> Delivery:
        """Delivers texts that are leased to the caller, and ends the lease. Errors: Unavailable."""
        leased = frozenset(hashes)
        deadline = asyncio.get_running_loop().time() + MIRROR_DELIVERY_S
        async with self._deps.database.primary() as session:
            vectors = await vectors_of(session, self._model, leased)
        gone, refused = leased - vectors.keys(), self._unfit(vectors)
        fit = {key: vector for key, vector in vectors.items() if key not in refused}
        try:
            async with asyncio.timeout_at(deadline):
                if fit:
                    await self._deps.second.upsert(self._model, fit)
                if gone:
                    await self._deps.second.delete(self._model, gone)
        except (EngineUnavailable, TimeoutError) as outage:
            return await self._failed(leased, outage)
        self._texts_max = min(MIRROR_BATCH_VECTORS, self._texts_max * 2)
        settled = await self._settle(fit, gone, refused)
        return Delivery(len(leased), settled, len(refused))

    def _unfit(self, vectors: Mapping[bytes, Vector]) -> dict[bytes, str]:
        """Vectors that no engine would keep beside the others, and why; it would seem out of use for them."""
        provider = self._deps.embedder.provider
        wanted = 0 if provider is None else provider.dimensions
        return {
            key: f"the vector has {len(vector)} dimensions, those of {self._model} have {wanted}"
            for key, vector in vectors.items()
            if len(vector) != wanted
        }

    async def _failed(self, leased: frozenset[bytes], outage: Exception) -> Delivery:
        log.info("mirroring_failed", texts=len(leased), reason=str(outage) or type(outage).__name__)
        count_dualwrite_failure(DualWriteFailure.VECTORDB)
        self._texts_max = max(1, self._texts_max // 2)
        # Out of use it is asked by nobody, and everything is due when it is back.
        delay_s = None if self._deps.second.available else 0.0
        async with self._outbox() as entries:
            await entries.postpone(leased, delay_s)
        return Delivery(len(leased), failed=len(leased))

    async def _settle(
        self, present: Iterable[bytes], absent: Iterable[bytes], refused: Mapping[bytes, str]
    ) -> int:
        if refused:
            log.warning("vectors_refused", texts=len(refused), reason=next(iter(refused.values())))
            count_dualwrite_failure(DualWriteFailure.VECTORDB)
        present, absent = set(present), set(absent)
        async with self._outbox() as entries:
            settled = await entries.remove_mirrored(present, absent)
            await entries.park(refused)
            if settled < len(present) + len(absent):
                await entries.postpone(present | absent, BACKFILL_BUSY_S)
        return settled

    @asynccontextmanager
    async def _outbox(self) -> AsyncIterator[Outbox]:
        """A transaction on the entries alone."""
        async with self._deps.database.write() as session:
            yield Outbox(session, OutboxKind.MIRROR, self._model)
            await session.commit()
