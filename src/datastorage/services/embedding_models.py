"""Looking after stored embeddings: how they stand, the backlog worked off at once, indexes, models put away.

Called by the commands `datastorage embeddings …`, which run beside the service.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from datastorage.db.hnsw_indexes import ModelIndex, index_of
from datastorage.domain.enums import OutboxKind
from datastorage.errors import OperatorError
from datastorage.limits import (
    BACKFILL_BUSY_S,
    BACKFILL_COMMAND_CALLS_MAX,
    BACKFILL_COMMAND_PASSES,
    DROP_BATCH_VECTORS,
    INDEX_RECALL_AT,
    PARKED_TOLD_MAX,
    VECTOR_SAMPLE_ROWS,
)
from datastorage.repositories import outbox, vector_indexes
from datastorage.repositories.model_vectors import (
    Coverage,
    coverage,
    nearest_by_index,
    nearest_exactly,
    remove_vectors,
    sample,
    stored_models,
)
from datastorage.repositories.outbox import Outbox, Parked, Waiting
from datastorage.services.dependencies import Dependencies
from datastorage.services.embedding_backfill import Backfill

SAME_DISTANCE = 1e-5  # texts equally near are equally good answers; sums in another order differ less


@dataclass(frozen=True, slots=True)
class ModelStanding:
    """What is stored of one model, and the index over it."""

    model: str
    vectors: int
    dimensions: tuple[int, ...]
    not_unit: int
    index: ModelIndex | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How the embeddings of all incidents stand, for the model that is configured."""

    model: str  # empty: embeddings are off
    coverage: Coverage
    waiting: Waiting
    parked: list[Parked]  # the newest of them
    models: list[ModelStanding]


async def standing(deps: Dependencies) -> Standing:
    """Reads everything; takes a while on millions of texts. Errors: Unavailable."""
    model = deps.embedder.model
    async with deps.database.maintenance() as session:
        covered = await coverage(session, model)
        models = [
            ModelStanding(
                found.model,
                found.vectors,
                found.dimensions,
                found.not_unit,
                await index_of(session, found.model),
            )
            for found in await stored_models(session)
        ]
    async with deps.database.primary() as reader:
        state = await outbox.waiting(reader, OutboxKind.EMBED, model)
        parked = await outbox.parked(reader, OutboxKind.EMBED, model, PARKED_TOLD_MAX)
    return Standing(model, covered, state, parked, models)


async def work_off(deps: Dependencies, backfill: Backfill, on_settled: Callable[[int], None]) -> Waiting:
    """Works off the backlog as far as the provider lets it; returns what is left. Errors: Unavailable.

    Texts that another process has leased are waited for: it embeds them, or its lease ends.
    """
    provider = deps.embedder.provider
    calls = 1 if provider is None else min(provider.calls_max, BACKFILL_COMMAND_CALLS_MAX)
    state = await backfill.waiting()
    for _ in range(BACKFILL_COMMAND_PASSES):
        if state.waiting == 0 or deps.embedder.rests:
            break
        await backfill.hurry()
        async with asyncio.TaskGroup() as group:
            for _ in range(calls):
                group.create_task(_rounds(deps, backfill, on_settled))
        await asyncio.sleep(BACKFILL_BUSY_S)
        state = await backfill.waiting()
    return state


async def _rounds(deps: Dependencies, backfill: Backfill, on_settled: Callable[[int], None]) -> None:
    """Rounds until nothing is due, and nobody else is at anything."""
    while not deps.embedder.rests:
        done = await backfill.round()
        on_settled(done.settled + done.parked)
        if done.leased == 0:
            if (await backfill.waiting()).leased == 0:
                return
            await asyncio.sleep(BACKFILL_BUSY_S)


async def build_index(deps: Dependencies) -> bool:
    """Builds the index of the configured model unless it is there; says whether it did.

    Errors: OperatorError while another command does, Unavailable.
    """
    provider = deps.embedder.provider
    if provider is None:
        raise OperatorError("embeddings are off: there is nothing to index")
    async with deps.database.maintenance() as session:
        return await vector_indexes.build_index(session, provider.model, provider.dimensions)


async def index_recall(deps: Dependencies, model: str, rows_max: int = VECTOR_SAMPLE_ROWS) -> float | None:
    """How many of the ten texts nearest to a text the index finds, over a sample; None without vectors."""
    async with deps.database.maintenance() as session:
        vectors = await sample(session, model, rows_max)
    shares = []
    for vector in vectors.values():
        async with deps.database.snapshot() as session:
            exact = await nearest_exactly(session, model, vector, INDEX_RECALL_AT)
            found = await nearest_by_index(session, model, vector, INDEX_RECALL_AT)
        worst = exact[-1] - SAME_DISTANCE
        shares.append(sum(similarity >= worst for similarity in found) / len(exact))
    return sum(shares) / len(shares) if shares else None


async def drop_model(deps: Dependencies, model: str, on_removed: Callable[[int], None]) -> int:
    """Removes the index, the vectors and the backlog of a model that is out of use; returns how many vectors.

    Errors: OperatorError for the configured model, Unavailable.
    """
    if model == deps.embedder.model:
        raise OperatorError(f"{model} is the configured model; its vectors are in use")
    async with deps.database.maintenance() as session:
        await vector_indexes.drop_index(session, model)
    removed = 0
    while True:
        async with deps.database.write() as session:
            for kind in OutboxKind:
                await Outbox(session, kind, model).remove_all()
            batch = await remove_vectors(session, model, DROP_BATCH_VECTORS)
            await session.commit()
        if batch == 0:
            return removed
        removed += batch
        on_removed(batch)
