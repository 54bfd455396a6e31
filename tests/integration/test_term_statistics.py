"""Term statistics follow what is stored: made when there is something, made anew when much was added."""

from datetime import timedelta

import asyncpg
import pytest

from datastorage.db.advisory_locks import AdvisoryLock
from datastorage.domain.caller import ANONYMOUS
from datastorage.domain.remediation import REMEDIATION
from datastorage.repositories import term_statistics as repository
from datastorage.search import term_number
from datastorage.services import term_statistics
from datastorage.services.dependencies import Dependencies
from datastorage.services.records import create_records
from datastorage.services.term_statistics import TermStatisticsCache, refresh_if_due
from support.records import remediation_row

DISK, QUOTA = term_number("disk"), term_number("quota")


async def store(deps: Dependencies, first: int, count: int, message: str) -> None:
    rows = [
        remediation_row(remediation_request_id=f"rr-{number}", error_message=message)
        for number in range(first, first + count)
    ]
    await create_records(deps, ANONYMOUS, REMEDIATION, rows)


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


async def test_old_ones_are_made_anew_if_anything_was_added(
    deps: Dependencies, sql: asyncpg.Connection
) -> None:
    await store(deps, 0, 40, "disk full")
    await refresh_if_due(deps.database)
    await store(deps, 40, 1, "disk full")
    assert await refresh_if_due(deps.database) is False

    await sql.execute(
        "UPDATE term_statistics SET refreshed_at = refreshed_at - $1::interval", timedelta(hours=2)
    )

    assert await refresh_if_due(deps.database) is True
    assert await read(deps) == (41, [41, 1])


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


async def test_a_process_reads_them_again_once_they_have_changed(
    deps: Dependencies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(term_statistics, "STATISTICS_CHECK_EVERY_S", 0.0)
    cache = TermStatisticsCache()
    await store(deps, 0, 20, "disk full")
    seen = []
    for message in ("disk full", "quota exceeded"):
        await store(deps, 100 + len(seen) * 50, 20, message)
        await refresh_if_due(deps.database)
        async with deps.database.read() as session:
            seen.append((await cache.current(session)).frequencies([DISK, QUOTA]).tolist())

    assert seen == [[40, 1], [40, 20]]
