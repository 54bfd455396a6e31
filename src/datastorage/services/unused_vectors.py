"""Vectors of texts that no incident has any more: before it changed, or before its root cause was known."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from functools import partial

from datastorage.domain.caller import OPERATOR
from datastorage.limits import DELETE_BATCH_VECTORS, UNUSED_VECTORS_EVERY_S
from datastorage.services.background import running
from datastorage.services.dependencies import Dependencies
from datastorage.services.unit_of_work import failures_counted, unit_of_work


async def remove_unused_vectors(deps: Dependencies) -> None:
    """Removes them batch by batch, each in a unit of its own; beside writers, who hold on to what they rely on."""
    last = b""
    while True:
        with failures_counted():
            async with unit_of_work(deps, OPERATOR) as work:
                unused = await work.embeddings.unused(last, DELETE_BATCH_VECTORS)
                if not unused:
                    return
                await work.embeddings.remove_unused(unused)
                await work.commit()
        last = unused[-1]


def removing_unused_vectors(deps: Dependencies) -> AbstractAsyncContextManager[None]:
    """Does so now and then while the service runs; not at its start, which has more urgent work."""

    async def later() -> None:
        await asyncio.sleep(UNUSED_VECTORS_EVERY_S)
        await remove_unused_vectors(deps)

    return running("unused vectors", later, partial(asyncio.sleep, 0))
