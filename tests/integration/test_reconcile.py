"""Comparing PostgreSQL with a real engine finds every difference, and mends it."""

from collections.abc import AsyncIterator

import asyncpg
import numpy as np
import pytest
from sqlalchemy.engine import URL

from datastorage.services import vector_reconciliation
from datastorage.services.dependencies import Dependencies
from datastorage.services.vector_reconciliation import Differences, Reconciled, reconcile
from support.client import GraphQLClient
from support.milvus_server import MilvusServer
from support.records import remediation_input
from support.second_engine import with_engine

SURPLUS = b"\7" * 32
FAULTS = [
    "disk full",
    "out of memory",
    "node gone",
    "certificate expired",
    "queue stuck",
    "dns down",
    "quota reached",
]


@pytest.fixture
async def opened(
    milvus: MilvusServer, database_url: URL
) -> AsyncIterator[tuple[Dependencies, GraphQLClient]]:
    async with with_engine(database_url, milvus.url) as (deps, client):
        for number, fault in enumerate(FAULTS):
            await client.create(**remediation_input(remediationRequestId=f"r{number}", errorMessage=fault))
        yield deps, client


async def reconciled(deps: Dependencies, *, repair: bool = True) -> Reconciled:
    return await reconcile(deps, repair=repair, progress=lambda _: None)


def figures(found: Differences) -> tuple[int, int, int, int]:
    return found.compared, len(found.missing), len(found.surplus), len(found.differing)


async def mirrored(deps: Dependencies) -> set[bytes]:
    return set(await deps.second.page(deps.embedder.model, b"", 1_000))


async def hashes(sql: asyncpg.Connection) -> list[bytes]:
    rows = await sql.fetch("SELECT content_hash FROM incident_embedding ORDER BY 1")
    return [row["content_hash"] for row in rows]


async def test_an_empty_engine_is_filled(
    opened: tuple[Dependencies, GraphQLClient], sql: asyncpg.Connection
) -> None:
    deps, _ = opened

    done = await reconciled(deps)

    assert figures(done.found) == (7, 7, 0, 0)
    assert (figures(done.left), done.agree) == ((7, 0, 0, 0), True)
    assert await mirrored(deps) == set(await hashes(sql))
    assert await sql.fetchval("SELECT count(*) FROM outbox") == 0


@pytest.mark.parametrize("window", [1, 2, 3, 1_000])
async def test_every_kind_of_difference_is_found_and_mended_in_windows_of_any_size(
    opened: tuple[Dependencies, GraphQLClient],
    sql: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    window: int,
) -> None:
    monkeypatch.setattr(vector_reconciliation, "RECONCILE_WINDOW_TEXTS", window)
    deps, _ = opened
    await reconciled(deps)
    missing, differing, *_ = stored = await hashes(sql)
    await deps.second.delete(deps.embedder.model, [missing])
    other = np.zeros(256, np.float32)
    other[0] = 1.0
    await deps.second.upsert(deps.embedder.model, {SURPLUS: other, differing: other})

    found = await reconciled(deps, repair=False)

    assert (found.found.missing, found.found.surplus, found.found.differing) == (
        {missing},
        {SURPLUS},
        {differing},
    )
    assert not found.agree
    assert (await reconciled(deps)).agree
    assert await mirrored(deps) == set(stored)
    assert figures((await reconciled(deps, repair=False)).found) == (7, 0, 0, 0)


async def test_a_dry_run_changes_nothing(opened: tuple[Dependencies, GraphQLClient]) -> None:
    deps, _ = opened

    done = await reconciled(deps, repair=False)

    assert (figures(done.left), done.agree) == ((7, 7, 0, 0), False)
    assert await mirrored(deps) == set()
