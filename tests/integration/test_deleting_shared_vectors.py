"""A vector stays as long as an incident has its text, however deletes and creates meet; then it goes."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from datastorage.domain.caller import ANONYMOUS, OPERATOR
from datastorage.domain.remediation import REMEDIATION
from datastorage.domain.selection import Selection
from datastorage.embedding import Vector
from datastorage.services.delete_remediations import delete_remediations
from datastorage.services.dependencies import Dependencies
from datastorage.services.incident_text import incident_text
from datastorage.services.records import RecordKey, create_record, create_records, update_record
from datastorage.services.unit_of_work import UnitOfWork, unit_of_work
from datastorage.services.unused_vectors import remove_unused_vectors
from support.records import remediation_row

PAIRS = 150


async def store(deps: Dependencies, key: str, **fields: Any) -> None:
    await create_record(deps, OPERATOR, REMEDIATION, remediation_row(remediation_request_id=key, **fields))


async def delete(deps: Dependencies, *keys: str) -> None:
    async for _ in delete_remediations(deps, OPERATOR, Selection(request_ids=keys)):
        pass


async def vectors(sql: asyncpg.Connection) -> int:
    return await sql.fetchval("SELECT count(*) FROM incident_embedding")


async def without_vector(sql: asyncpg.Connection) -> int:
    return await sql.fetchval(
        "SELECT count(*) FROM remediation_audit LEFT JOIN incident_embedding USING (content_hash) WHERE model IS NULL"
    )


@asynccontextmanager
async def creating(deps: Dependencies, key: str, *, has_vector: bool = True) -> AsyncIterator[UnitOfWork]:
    """A create that has written everything, relies on its vector, and has not committed yet."""
    draft = REMEDIATION.parse(remediation_row(remediation_request_id=key))
    text = incident_text(draft)
    embedded: dict[bytes, Vector] = await deps.embedder.vectors({text.hash: text.text})
    (row_id,) = await deps.ids[REMEDIATION.type_name].take(1)
    row = {name: getattr(draft, name) for name in REMEDIATION.draft_fields}
    async with unit_of_work(deps, OPERATOR) as work:
        await work.audits(REMEDIATION).add_many([{**row, "id": row_id, "content_hash": text.hash}])
        if has_vector:
            await work.embeddings.add_many(embedded)
        else:  # as while the provider is down
            assert await work.embeddings.known([text.hash]) == {text.hash}
        yield work


@pytest.mark.parametrize("has_vector", [True, False])
async def test_a_create_that_found_the_vector_keeps_it_from_a_delete_that_ends_first(
    deps: Dependencies, sql: asyncpg.Connection, has_vector: bool
) -> None:
    await store(deps, "last-of-its-text")

    async with creating(deps, "next-of-its-text", has_vector=has_vector) as work:
        await delete(deps, "last-of-its-text")
        await work.commit()

    assert await without_vector(sql) == 0
    assert await vectors(sql) == 1


async def test_a_create_during_a_delete_waits_and_brings_the_vector_back(
    deps: Dependencies, sql: asyncpg.Connection
) -> None:
    # given
    await store(deps, "last-of-its-text")
    content_hash = await sql.fetchval("SELECT content_hash FROM remediation_audit")

    # when
    async with unit_of_work(deps, OPERATOR) as deleting:
        await sql.execute("DELETE FROM remediation_audit")
        await deleting.embeddings.remove_unused([content_hash])
        create = asyncio.create_task(store(deps, "next-of-its-text"))
        while not await sql.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            assert not create.done()
            await asyncio.sleep(0.01)
        await deleting.commit()
    await create

    # then
    assert await without_vector(sql) == 0
    assert await vectors(sql) == 1


async def test_two_deletes_of_the_last_incidents_of_a_text_leave_no_vector(
    deps: Dependencies, sql: asyncpg.Connection
) -> None:
    for number in range(20):
        await create_records(
            deps,
            OPERATOR,
            REMEDIATION,
            [remediation_row(remediation_request_id=f"rr-{number}-{side}") for side in "ab"],
        )

        await asyncio.gather(delete(deps, f"rr-{number}-a"), delete(deps, f"rr-{number}-b"))

        assert await vectors(sql) == 0


async def test_creates_and_deletes_of_the_same_text_at_once_leave_every_incident_with_its_vector(
    deps: Dependencies, sql: asyncpg.Connection
) -> None:
    texts = itertools.cycle(("the disk is full", "no route to host", "out of memory"))
    failures = [next(texts) for _ in range(PAIRS)]
    await asyncio.gather(
        *(store(deps, f"old-{number}", error_message=text) for number, text in enumerate(failures[:3]))
    )

    # Each text has one incident at a time, and loses it while it gets the next.
    for number in range(3, PAIRS):
        await asyncio.gather(
            store(deps, f"old-{number}", error_message=failures[number]), delete(deps, f"old-{number - 3}")
        )

        assert await without_vector(sql) == 0
    await delete(deps, *(f"old-{number}" for number in range(PAIRS)))
    assert await vectors(sql) == 0


async def test_vectors_of_texts_that_changed_are_swept(deps: Dependencies, sql: asyncpg.Connection) -> None:
    await create_record(deps, ANONYMOUS, REMEDIATION, remediation_row(error_message="quorum lost"))
    for message in ("leader elected", "quorum restored"):
        await update_record(deps, ANONYMOUS, REMEDIATION, RecordKey(key="rr-1"), {"error_message": message})
    before = await sql.fetchval("SELECT count(*) FROM incident_embedding")

    await remove_unused_vectors(deps)

    left = await sql.fetch("SELECT content_hash FROM incident_embedding")
    used = await sql.fetch("SELECT content_hash FROM remediation_audit")
    assert (before, left) == (3, used)
