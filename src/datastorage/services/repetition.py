"""Units of work that PostgreSQL gave up in favour of another: done again, from the start, a few times."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from datastorage.errors import WriteCollision
from datastorage.limits import WRITE_ATTEMPTS_MAX, WRITE_REPEATED_AFTER_S_MAX

T = TypeVar("T")


async def repeated(unit: Callable[[], Awaitable[T]]) -> T:
    """What the unit returns, once no other writer is in its way. Errors: WriteCollision, after the last attempt."""
    attempts = AsyncRetrying(
        retry=retry_if_exception_type(WriteCollision),
        stop=stop_after_attempt(WRITE_ATTEMPTS_MAX),
        wait=wait_random_exponential(multiplier=0.02, max=WRITE_REPEATED_AFTER_S_MAX),
        reraise=True,
    )
    async for attempt in attempts:
        with attempt:
            return await unit()
    raise AssertionError  # the last attempt raises or returns
