"""Comparing the vector engine with PostgreSQL, vector by vector, and making it agree. Called by `datastorage vectors`.

Both sides are read in the order of hashes, window by window. Nothing is repaired straight: a difference becomes an
entry of the outbox, which is delivered at once. So the repair is as safe beside writers as any delivery is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from datastorage.domain.enums import OutboxKind
from datastorage.embedding import Vector
from datastorage.errors import OperatorError
from datastorage.limits import (
    MIRROR_LEASE_S,
    RECONCILE_PASSES_MAX,
    RECONCILE_WINDOW_TEXTS,
    VECTOR_VALUE_TOLERANCE,
)
from datastorage.repositories.model_vectors import count_vectors, page_of_vectors
from datastorage.repositories.outbox import Outbox
from datastorage.services.dependencies import Dependencies
from datastorage.services.mirroring.mirror import Mirror
from datastorage.services.second_engine_count import compare_counts


@dataclass(slots=True)
class Differences:
    """Hashes of the texts about which both sides disagree, and how many texts were compared."""

    compared: int = 0
    missing: set[bytes] = field(default_factory=set)  # only in PostgreSQL
    surplus: set[bytes] = field(default_factory=set)  # only in the engine
    differing: set[bytes] = field(default_factory=set)

    @property
    def hashes(self) -> set[bytes]:
        """All of them."""
        return self.missing | self.surplus | self.differing

    def add(self, stored: Mapping[bytes, Vector], mirrored: Mapping[bytes, Vector]) -> None:
        """Compares two sides of one window."""
        self.compared += len(stored.keys() | mirrored.keys())
        self.missing |= stored.keys() - mirrored.keys()
        self.surplus |= mirrored.keys() - stored.keys()
        self.differing |= {
            key for key in stored.keys() & mirrored.keys() if _differ(stored[key], mirrored[key])
        }


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was found, and what is left of it."""

    found: Differences
    left: Differences

    @property
    def agree(self) -> bool:
        """Whether both sides hold the same at the end."""
        return not self.left.hashes


async def stored_vectors(deps: Dependencies) -> int:
    """How many vectors PostgreSQL has to compare. Errors: Unavailable."""
    async with deps.database.maintenance() as session:
        return await count_vectors(session, deps.embedder.model)


async def reconcile(deps: Dependencies, *, repair: bool, progress: Callable[[int], object]) -> Reconciled:
    """Compares everything, and with `repair` makes the engine agree; `progress` is told how many a pass has compared.

    What writers change meanwhile may look like a difference; a further pass tells. Errors: EngineUnavailable,
    OperatorError when there is nothing to compare with.
    """
    provider = deps.embedder.provider
    if provider is None or not deps.second.configured:
        raise OperatorError(
            "no vector engine is configured (DATASTORAGE_VECTOR_ENGINE_URL), or embeddings are off"
        )
    await deps.second.prepare(provider.model, provider.dimensions)
    found = left = await _compared(deps, progress)
    passes = 1
    while repair and left.hashes and passes < RECONCILE_PASSES_MAX:
        await _repair(deps, left.hashes)
        left = await _compared(deps, progress)
        passes += 1
    await compare_counts(deps)
    return Reconciled(found, left)


async def _compared(deps: Dependencies, progress: Callable[[int], object]) -> Differences:
    found = Differences()
    after = b""
    while True:
        stored = await _stored_page(deps, after)
        mirrored = await deps.second.page(deps.embedder.model, after, RECONCILE_WINDOW_TEXTS)
        # Neither side is known beyond the end of its page, unless that was its last one.
        ends = [max(mirrored)] if mirrored else []
        if len(stored) == RECONCILE_WINDOW_TEXTS:
            ends.append(max(stored))
        if not ends:
            found.add(stored, mirrored)
            progress(found.compared)
            return found
        after = min(ends)
        found.add(_up_to(after, stored), _up_to(after, mirrored))
        progress(found.compared)


async def _stored_page(deps: Dependencies, after: bytes) -> dict[bytes, Vector]:
    async with deps.database.primary() as session:
        return await page_of_vectors(session, deps.embedder.model, after, RECONCILE_WINDOW_TEXTS)


async def _repair(deps: Dependencies, hashes: Iterable[bytes]) -> None:
    mirror, left = Mirror(deps), sorted(hashes)
    while left:
        some, left = left[: mirror.texts_max], left[mirror.texts_max :]
        async with deps.database.write() as session:
            await Outbox(session, OutboxKind.MIRROR, deps.embedder.model).put(some, MIRROR_LEASE_S)
            await session.commit()
        await mirror.deliver(some)


def _up_to(last: bytes, vectors: Mapping[bytes, Vector]) -> dict[bytes, Vector]:
    return {key: vector for key, vector in vectors.items() if key <= last}


def _differ(one: Vector, other: Vector) -> bool:
    return one.shape != other.shape or bool(np.max(np.abs(one - other)) > VECTOR_VALUE_TOLERANCE)
