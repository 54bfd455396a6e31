"""updateRemediationAudit: expected versions, replays, and many writers at once."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.engine import URL

from support.api import Api, opened_api
from support.updates import OwnAudit


@pytest.fixture(scope="module")
async def api(server_url: URL, template: str) -> AsyncIterator[Api]:
    async with opened_api(server_url, template) as opened:
        yield opened


@pytest.fixture
def audit(api: Api) -> OwnAudit:
    return OwnAudit(api)


async def test_the_expected_version_lets_the_update_through(audit: OwnAudit) -> None:
    await audit.create()

    assert (await audit.update(severity="LOW", expectedVersion=1))["version"] == 2
    assert (await audit.update(severity="INFO", expectedVersion=2))["version"] == 3


@pytest.mark.parametrize("expected", [-1, 1, 3, 2**31 - 1])
async def test_another_version_is_a_conflict_and_leaves_no_trace(audit: OwnAudit, expected: int) -> None:
    await audit.create()
    await audit.update(severity="LOW")

    refused = await audit.attempt(severity="INFO", expectedVersion=expected)

    assert refused == {
        "__typename": "ConflictError",
        "message": f"version is 2, not the expected {expected}; read it again",
        "code": "CONFLICT",
        "retryable": False,
        "fields": ["version"],
    }
    assert (await audit.stored("version"), await audit.stored("severity")) == (2, "low")
    assert len(await audit.changes()) == 1


async def test_an_outdated_move_is_a_conflict_even_where_it_is_no_allowed_move_any_more(
    audit: OwnAudit,
) -> None:
    await audit.create(phase="PROCESSING")
    await audit.update(phase="COMPLETED", expectedVersion=1)

    refused = await audit.attempt(phase="FAILED", expectedVersion=1)

    assert (refused["__typename"], refused["fields"]) == ("ConflictError", ["version"])


async def test_an_update_sent_again_is_replayed(audit: OwnAudit) -> None:
    await audit.create()
    change = {
        "phase": "FAILED",
        "endTime": "2026-01-01T12:00:01.123456789Z",
        "metadata": {"a": 1.0},
        "expectedVersion": 1,
    }
    first = await audit.update(**change, errorMessage=" boom\x00 pwd=hunter2secret")

    again = await audit.update(**change, errorMessage=" boom\x00 pwd=hunter2secret")

    assert (first["receipt"]["replayed"], again["receipt"]["replayed"]) == (False, True)
    assert {**again, "receipt": None} == {**first, "receipt": None}
    assert again["version"] == 2
    assert len(await audit.changes()) == 1


async def test_an_update_that_changes_nothing_is_replayed(audit: OwnAudit) -> None:
    await audit.create(errorMessage="boom", metadata={"a": 1})
    updated_at = await audit.stored("updated_at")

    for nothing in (
        {},
        {"severity": "HIGH", "errorMessage": "boom ", "metadata": {"a": 1.0}},
        {"expectedVersion": 1},
    ):
        same = await audit.update(**nothing)
        assert (same["version"], same["receipt"]["replayed"]) == (1, True)
    assert await audit.changes() == []
    assert await audit.stored("updated_at") == updated_at


async def test_of_32_different_updates_of_one_version_exactly_one_wins(audit: OwnAudit) -> None:
    await audit.create(phase="PROCESSING")

    results = await asyncio.gather(
        *(
            audit.attempt(
                expectedVersion=1,
                phase=("COMPLETED", "FAILED")[number % 2],
                resolution=f"tried way number {number}",
            )
            for number in range(32)
        )
    )

    kinds = [result["__typename"] for result in results]
    assert (kinds.count("UpdateRemediationAuditPayload"), kinds.count("ConflictError")) == (1, 31)
    winner = next(result["remediationAudit"] for result in results if "remediationAudit" in result)
    ((_, version, changes),) = await audit.changes()
    assert (version, changes["resolution"]["new"]) == (2, winner["resolution"])
    assert await audit.stored("resolution") == winner["resolution"]


async def test_of_32_equal_updates_of_one_version_one_is_written_and_31_are_replayed(audit: OwnAudit) -> None:
    await audit.create()

    results = await asyncio.gather(*(audit.update(expectedVersion=1, phase="PROCESSING") for _ in range(32)))

    replayed = [result["receipt"]["replayed"] for result in results]
    assert (replayed.count(False), replayed.count(True)) == (1, 31)
    assert {result["version"] for result in results} == {2}
    assert len(await audit.changes()) == 1


async def test_32_updates_without_a_version_all_win_one_after_the_other(audit: OwnAudit) -> None:
    await audit.create()

    results = await asyncio.gather(*(audit.update(metadata={"writer": number}) for number in range(32)))

    assert sorted(result["version"] for result in results) == list(range(2, 34))
    told = await audit.changes()
    assert [version for _, version, _ in told] == list(range(2, 34))
    for (_, _, before), (_, _, after) in itertools.pairwise(told):
        assert after["metadata"]["old"] == before["metadata"]["new"]
