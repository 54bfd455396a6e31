"""Term statistics follow what is stored: made when there is something, made anew when much was added."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from datastorage.db.advisory_locks import AdvisoryLock
from datastorage.domain.caller import ANONYMOUS
from datastorage.domain.remediation import REMEDIATION
from datastorage.errors import SchemaNotReady
from datastorage.limits import STATISTICS_CHECK_EVERY_S
from datastorage.repositories import term_statistics as repository
from datastorage.search import term_number
from datastorage.services.dependencies import Dependencies
from datastorage.services.records import RecordKey, create_records, update_record
from datastorage.services.term_statistics import (
    TermStatisticsCache,
    keeping_term_statistics,
    refresh_if_due,
)
from support.records import remediation_row

DISK, QUOTA = term_number("disk"), term_number("quota")


async def store(deps: Dependencies, first: int, count: int, message: str) -> None:
    rows = [
        remediation_row(remediation_request_id=f"rr-{number}", error_message=message)
        for number in range(first, first + count)
    ]
    await create_records(deps, ANONYMOUS, REMEDIATION, rows)


async def until(sql: asyncpg.Connection, count: str) -> None:
    """Waits until there is something to count."""
    while not await sql.fetchval(count):  # noqa: ASYNC110 -- the database tells nobody
        await asyncio.sleep(0.01)


async def read(deps: Dependencies) -> tuple[int, list[int]]:
    async with deps.database.read() as session:
        found = await TermStatisticsCache().current(session)
    return found.documents, found.frequencies([DISK, QUOTA]).tolist()


async def test_they_are_made_once_there_is_something_and_again_when_much_was_added(
    deps: Dependencies,
) -> None:
    assert await refresh_if_due(deps.database) is False
    await store(deps, 0, 20, "disk full")
    assert await refresh_if_due(deps.database) is True
    assert await read(deps) == (20, [20, 1])

    assert await refresh_if_due(deps.database) is False
    await store(deps, 20, 5, "quota exceeded")
    assert await refresh_if_due(deps.database) is True
    assert await read(deps) == (25, [20, 5])


async def one_more(deps: Dependencies) -> None:
    await store(deps, 40, 1, "disk full")


async def another_text(deps: Dependencies) -> None:
    await update_record(
        deps, ANONYMOUS, REMEDIATION, RecordKey(key="rr-7"), {"error_message": "quota exceeded"}
    )


@pytest.mark.parametrize(
    ("write", "counted"), [(one_more, (41, [41, 1])), (another_text, (40, [39, 1]))], ids=["create", "update"]
)
async def test_old_ones_are_made_anew_if_anything_was_written_since(
    deps: Dependencies,
    sql: asyncpg.Connection,
    write: Callable[[Dependencies], Awaitable[None]],
    counted: tuple[int, list[int]],
) -> None:
    two_hours_pass = "UPDATE {} SET {} = {} - interval '2 hours'"
    await store(deps, 0, 40, "disk full")
    await refresh_if_due(deps.database)
    for table, column in (("term_statistics", "refreshed_at"), ("remediation_event", "recorded_at")):
        await sql.execute(two_hours_pass.format(table, column, column))
    assert await refresh_if_due(deps.database) is False

    await write(deps)

    assert await refresh_if_due(deps.database) is True
    assert await read(deps) == counted


async def test_a_delete_in_between_does_not_hold_them_up(deps: Dependencies, sql: asyncpg.Connection) -> None:
    await store(deps, 0, 20, "disk full")
    async with sql.transaction():
        await sql.execute("SELECT pg_advisory_xact_lock($1)", AdvisoryLock.VECTOR_REMOVAL.value)

        assert await refresh_if_due(deps.database) is True


async def test_of_many_a_sample_is_counted(deps: Dependencies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "STATISTICS_SAMPLE_ROWS", 1000)
    for first in range(0, 4000, 500):
        await store(deps, first, 500, "disk full")

    await refresh_if_due(deps.database)

    documents, (disk, quota) = await read(deps)
    assert (documents, quota) == (4000, 1)
    assert 2000 <= disk <= 6000  # blocks are drawn, so the sample's size varies


class Clock:
    """A time that passes when it is told to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


async def current(deps: Dependencies, cache: TermStatisticsCache) -> int:
    """How many documents the cache knows of."""
    async with deps.database.read() as session:
        return (await cache.current(session)).documents


async def test_a_process_reads_them_again_after_a_while(deps: Dependencies) -> None:
    clock = Clock()
    cache = TermStatisticsCache(clock)
    seen = []
    for first, passing_s in ((0, 0.0), (20, STATISTICS_CHECK_EVERY_S - 1), (40, 1.0)):
        await store(deps, first, 20, "disk full")
        await refresh_if_due(deps.database)
        clock.now_s += passing_s
        seen.append(await current(deps, cache))

    assert seen == [20, 20, 60]


async def test_the_first_searches_wait_for_the_one_read_that_is_enough_for_all(
    deps: Dependencies, statements: Any
) -> None:
    await store(deps, 0, 20, "disk full")
    await refresh_if_due(deps.database)
    cache = TermStatisticsCache()

    async with AsyncExitStack() as stack:
        sessions = [await stack.enter_async_context(deps.database.read()) for _ in range(3)]
        with statements.counted() as seen:
            found = await asyncio.gather(*(cache.current(session) for session in sessions))

    assert [statistics.documents for statistics in found] == [20] * 3
    assert len(seen) == 2  # whether they have changed, and what they are


async def test_after_a_read_that_failed_the_next_search_reads(
    deps: Dependencies, sql: asyncpg.Connection
) -> None:
    await store(deps, 0, 20, "disk full")
    await refresh_if_due(deps.database)
    cache = TermStatisticsCache()
    await sql.execute("ALTER TABLE term_statistics RENAME TO away")
    with pytest.raises(SchemaNotReady):
        await current(deps, cache)

    await sql.execute("ALTER TABLE away RENAME TO term_statistics")

    assert await current(deps, cache) == 20


async def test_while_one_reads_anew_the_others_go_on_with_what_is_known(
    deps: Dependencies, sql: asyncpg.Connection
) -> None:
    clock = Clock()
    cache = TermStatisticsCache(clock)
    await store(deps, 0, 20, "disk full")
    await refresh_if_due(deps.database)
    await current(deps, cache)
    await store(deps, 20, 20, "disk full")
    await refresh_if_due(deps.database)
    clock.now_s = STATISTICS_CHECK_EVERY_S

    async with sql.transaction():
        await sql.execute("LOCK TABLE term_statistics IN ACCESS EXCLUSIVE MODE")
        reading = asyncio.create_task(current(deps, cache))
        await until(
            sql,
            "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database "
            "WHERE NOT granted AND datname = current_database()",
        )
        meanwhile = await current(deps, cache)

    assert (meanwhile, await reading) == (20, 40)


async def test_they_are_kept_fitting_also_after_a_round_that_failed(
    deps: Dependencies, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datastorage.services.term_statistics.STATISTICS_CHECK_EVERY_S", 0.01)
    await store(deps, 0, 20, "disk full")
    await sql.execute("ALTER TABLE incident_lexical RENAME COLUMN terms TO away")

    with capture_logs() as logs:
        async with keeping_term_statistics(deps.database):
            while not logs:  # noqa: ASYNC110 -- a log has no event to wait for
                await asyncio.sleep(0.01)
            await sql.execute("ALTER TABLE incident_lexical RENAME COLUMN away TO terms")
            await until(sql, "SELECT count(*) FROM term_statistics")

    assert await read(deps) == (20, [20, 1])
