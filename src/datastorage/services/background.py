"""Work that goes on beside the requests, in rounds, for as long as the service runs. Used by what the lifespan starts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from datastorage.errors import DataStorageError
from datastorage.observability.log_context import begin

log = structlog.get_logger(__name__)

Step = Callable[[], Awaitable[object]]


@asynccontextmanager
async def running(name: str, round_: Step, rest: Step) -> AsyncIterator[None]:
    """Rounds with a rest after each; whatever one fails with is logged, and the next one comes."""
    task = asyncio.create_task(_rounds(name, round_, rest), name=name)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _rounds(name: str, round_: Step, rest: Step) -> None:
    last = ""
    begin({"operation": name})
    while True:
        try:
            await round_()
            fault = ""
        except Exception as error:  # noqa: BLE001 -- work that ended here would be missed by nobody, and never done again
            fault = f"{type(error).__name__}: {error}"
            if fault != last:  # the same one is told once
                _tell(name, error)
        last = fault
        await rest()


def _tell(name: str, error: Exception) -> None:
    if isinstance(error, DataStorageError):
        log.warning("background_work_interrupted", work=name, reason=str(error))
    else:
        log.error("background_work_failed", work=name, exc_info=error)
