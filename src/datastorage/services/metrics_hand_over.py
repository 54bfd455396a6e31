"""Hands the tallies of a worker over to where the process that serves the metrics of all workers reads them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from datastorage.limits import METRICS_HAND_OVER_EVERY_S
from datastorage.observability.tallies import hand_over
from datastorage.services.background import running


@asynccontextmanager
async def handing_over_metrics() -> AsyncIterator[None]:
    """While the service runs, and once more when it ends."""
    try:
        async with running("metrics", _round, lambda: asyncio.sleep(METRICS_HAND_OVER_EVERY_S)):
            yield
    finally:
        hand_over()


async def _round() -> None:
    hand_over()
