"""Whether the vector engine has what PostgreSQL has. Called by its prober, and after it was filled.

An engine that is new, or has lost its data, would answer with the nearest of the little it has.
"""

from __future__ import annotations

from datastorage.domain.enums import OutboxKind
from datastorage.repositories.model_vectors import count_vectors
from datastorage.repositories.outbox import waiting
from datastorage.services.dependencies import Dependencies


async def compare_counts(deps: Dependencies) -> None:
    """Counts both sides; what waits to be delivered is not missed. Errors: Unavailable."""
    model = deps.embedder.model
    async with deps.database.snapshot() as session:
        stored = await count_vectors(session, model)
        lag = await waiting(session, OutboxKind.MIRROR, model)
    deps.second.counted(await deps.second.count(model), stored - lag.waiting - lag.parked)
