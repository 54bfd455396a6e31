"""upsertRemediationAudits: each item its own result, in the order of the inputs."""

from typing import Any

import asyncpg
import pytest

from support.client import GraphQLClient
from support.records import remediation_input
from support.upserts import UPSERTS, upserts

PAYLOAD = "UpsertRemediationAuditPayload"


def item(number: int, **overrides: Any) -> dict[str, Any]:
    return remediation_input(remediationRequestId=f"rr-{number}", **overrides)


async def test_one_bad_item_does_not_spoil_the_others(client: GraphQLClient, sql: asyncpg.Connection) -> None:
    await client.create(**item(3))
    await client.create(**item(4))
    await client.create(**item(5, phase="COMPLETED"))

    results = await upserts(
        client,
        item(1),
        item(2, name="NOT A NAME"),
        item(3),
        item(4, severity="LOW"),
        item(5, phase="FAILED"),
        item(6, expectedVersion=1),
        item(3, name="other"),
    )

    assert [result["__typename"] for result in results] == [
        PAYLOAD,
        "ValidationError",
        PAYLOAD,
        PAYLOAD,
        "InvalidTransitionError",
        "NotFoundError",
        "ConflictError",
    ]
    assert [results[n]["created"] for n in (0, 2, 3)] == [True, False, False]
    assert [results[n]["receipt"]["replayed"] for n in (0, 2, 3)] == [False, True, False]
    assert results[6]["fields"] == ["name"]
    assert await sql.fetchval("SELECT count(*) FROM remediation_audit") == 4
    assert await sql.fetchval("SELECT count(*) FROM remediation_event") == 5


async def test_of_two_items_with_one_key_the_second_is_applied_to_the_result_of_the_first(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    results = await upserts(
        client,
        item(1, expectedVersion=1),
        item(1, errorMessage="boom"),
        item(2),
        item(1, phase="PROCESSING"),
        item(1, phase="PROCESSING", expectedVersion=2, severity="LOW"),
        item(1, phase="PROCESSING", severity="LOW"),
    )

    assert results[0]["__typename"] == "NotFoundError"
    assert [result["created"] for result in results[1:]] == [True, True, False, False, False]
    assert [result["remediationAudit"]["version"] for result in results[1:]] == [1, 1, 2, 3, 3]
    assert results[5]["receipt"]["replayed"] is True
    assert results[5]["remediationAudit"]["errorMessage"] == "boom"
    told = await sql.fetch(
        "SELECT kind, version FROM remediation_event WHERE subject_key = 'rr-1' ORDER BY id"
    )
    assert [tuple(row) for row in told] == [("created", 1), ("phase_changed", 2), ("updated", 3)]


async def test_an_atomic_batch_with_a_bad_item_changes_nothing(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    await client.create(**item(9, phase="COMPLETED"))

    for bad in (item(2, name="NOT A NAME"), item(9, phase="FAILED"), item(2, expectedVersion=1)):
        results = await upserts(client, item(1), bad, item(9, phase="COMPLETED", severity="LOW"), atomic=True)

        assert results[0]["message"] == "not stored, since another item of this atomic batch was refused"
        assert results[1]["__typename"] in ("ValidationError", "InvalidTransitionError", "NotFoundError")
        assert (results[2]["__typename"], results[2]["fields"]) == ("ConflictError", [])
    assert await sql.fetchval("SELECT count(*) FROM remediation_audit") == 1
    assert await sql.fetchval("SELECT severity FROM remediation_audit") == "high"
    assert await sql.fetchval("SELECT count(*) FROM remediation_event") == 1


async def test_500_items_are_stored_then_changed_then_replayed(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    for severity, created, replayed in (("HIGH", True, False), ("LOW", False, False), ("LOW", False, True)):
        results = await upserts(client, *(item(n, severity=severity) for n in range(500)), atomic=True)

        assert {result["__typename"] for result in results} == {PAYLOAD}
        assert {result["created"] for result in results} == {created}
        assert {result["receipt"]["replayed"] for result in results} == {replayed}
    assert await sql.fetchval("SELECT count(*) FROM remediation_audit WHERE version = 2") == 500
    assert await sql.fetchval("SELECT count(*) FROM remediation_event") == 1000


async def test_more_than_500_items_are_refused(client: GraphQLClient, sql: asyncpg.Connection) -> None:
    answer = await client.ask(UPSERTS, inputs=[item(n) for n in range(501)])

    assert answer.error["extensions"]["code"] == "BAD_USER_INPUT"
    assert await sql.fetchval("SELECT count(*) FROM remediation_audit") == 0


@pytest.mark.parametrize("stands", [False, True])
async def test_texts_of_a_batch_are_found_at_once(client: GraphQLClient, stands: bool) -> None:
    if stands:
        await upserts(client, item(1), item(2))

    results = await upserts(
        client, item(1, errorMessage="disk is full"), item(2, errorMessage="certificate has expired")
    )

    assert [result["receipt"]["similarity"] for result in results] == ["INDEXED", "INDEXED"]
