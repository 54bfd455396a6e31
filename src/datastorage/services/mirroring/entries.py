"""The outbox entries of one transaction that stores or removes vectors. Called by units of work and the backfill."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from datastorage.db.database import WriteSession
from datastorage.domain.enums import OutboxKind
from datastorage.limits import MIRROR_LEASE_S, MIRROR_WAIT_S
from datastorage.observability.metrics import FALLBACK
from datastorage.repositories.incident_embeddings import IncidentEmbeddings
from datastorage.repositories.outbox import Outbox
from datastorage.services.dependencies import Dependencies
from datastorage.services.mirroring.deliveries import Deliveries, Handed


@dataclass(frozen=True, slots=True)
class MirrorEntries:
    """What becomes of a transaction's entries once it is committed."""

    deliveries: Deliveries
    handed: Handed | None = None  # ours to deliver
    left_over: bool = False  # somebody else's
    without_engine: bool = False  # vectors were stored in PostgreSQL alone

    def committed(self) -> None:
        """Hands the entries over; call it right after the commit."""
        if self.without_engine:
            FALLBACK.inc()
        if self.handed is not None:
            self.deliveries.hand_over(self.handed)
        if self.left_over:
            self.deliveries.left_over.set()

    async def delivered(self) -> None:
        """Waits until the engine has the vectors, but not for long."""
        if self.handed is None:
            return
        try:
            async with asyncio.timeout(MIRROR_WAIT_S):
                await self.handed.done.wait()
        except TimeoutError:
            return


async def enter_mirrored(
    deps: Dependencies, session: WriteSession, embeddings: IncidentEmbeddings
) -> MirrorEntries:
    """Makes entries for the vectors that the transaction has stored or removed; the last thing before its commit.

    They are leased to this process if it can deliver them; while the engine is out of use they just wait.
    """
    changed = embeddings.stored | embeddings.removed
    if not changed or not deps.second.configured:
        return MirrorEntries(deps.deliveries)
    available = deps.second.available
    leased_until = time.monotonic() + MIRROR_LEASE_S
    lease_s = MIRROR_LEASE_S if available and deps.deliveries.open else None
    new = await Outbox(session, OutboxKind.MIRROR, deps.embedder.model).put(changed, lease_s)
    ours = frozenset(new) if lease_s is not None else frozenset()
    return MirrorEntries(
        deps.deliveries,
        handed=Handed(ours, leased_until) if ours else None,
        left_over=changed != ours,
        without_engine=not available and bool(embeddings.stored),
    )
