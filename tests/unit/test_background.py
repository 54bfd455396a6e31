"""Work beside the requests goes on whatever befalls a round of it, and ends with the service."""

import asyncio
from collections.abc import Sequence

from structlog.testing import capture_logs
from structlog.typing import EventDict

from datastorage.errors import Unavailable
from datastorage.services.background import running


async def logged_by(faults: Sequence[Exception | None]) -> list[EventDict]:
    """What is logged while the rounds fail like this, one after the other."""
    left, worked_off = list(faults), asyncio.Event()

    async def work() -> None:
        if fault := left.pop(0):
            raise fault

    async def rest() -> None:
        if not left:
            worked_off.set()
            await asyncio.Event().wait()

    with capture_logs() as logs:
        async with running("counting", work, rest):
            await worked_off.wait()
    return logs


async def test_what_was_not_expected_is_logged_with_its_stack_and_the_next_round_comes() -> None:
    fault = KeyError("term")

    logs = await logged_by([fault, None, None])

    assert logs == [
        {"event": "background_work_failed", "log_level": "error", "work": "counting", "exc_info": fault}
    ]


async def test_an_outage_is_a_warning_without_a_stack() -> None:
    logs = await logged_by([Unavailable("the database is away")])

    assert logs == [
        {
            "event": "background_work_interrupted",
            "log_level": "warning",
            "work": "counting",
            "reason": "the database is away",
        }
    ]


async def test_the_same_fault_is_told_once_until_a_round_succeeds() -> None:
    away = Unavailable("away")

    logs = await logged_by([away, Unavailable("away"), ValueError("odd"), away, None, away])

    assert [line["event"].removeprefix("background_work_") for line in logs] == [
        "interrupted",
        "failed",
        "interrupted",
        "interrupted",
    ]


async def test_a_round_ends_with_the_service() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with running("waiting", work, work):
        await begun.wait()

    assert ended.is_set()
