"""upsertRemediationAudit: a create, or an update of the fields sent where the audit stands already."""

import asyncio
from typing import Any

import asyncpg
import orjson
import pytest

from datastorage.domain.caller import Caller, Right, Scope
from datastorage.errors import Forbidden, RecordConflict
from datastorage.services.dependencies import Dependencies
from datastorage.services.records import upsert_remediation
from support.around import ANALYSIS, around
from support.client import GraphQLClient
from support.records import remediation_input, remediation_row
from support.upserts import upsert


async def events(sql: asyncpg.Connection, key: str = "rr-1") -> list[tuple[str, int]]:
    rows = await sql.fetch(
        "SELECT kind, version FROM remediation_event WHERE subject_key = $1 ORDER BY id", key
    )
    return [tuple(row) for row in rows]


async def test_an_unknown_key_is_stored_as_by_a_create(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    first = await upsert(client, **remediation_input(errorMessage="password=hunter2secret"))

    assert (first["__typename"], first["created"]) == ("UpsertRemediationAuditPayload", True)
    assert first["receipt"] == {
        "replayed": False,
        "similarity": "INDEXED",
        "redactions": [{"field": "errorMessage", "pattern": "password", "count": 1}],
    }
    assert (first["remediationAudit"]["version"], first["remediationAudit"]["status"]) == (1, "PENDING")
    assert await events(sql) == [("created", 1)]


async def test_a_known_key_changes_the_fields_sent_and_no_others(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    await client.create(**remediation_input(errorMessage="boom", resolution="none yet", metadata={"a": 1}))

    changed = await upsert(
        client, **remediation_input(phase="PROCESSING", severity="LOW"), errorMessage=None, metadata=None
    )

    audit = changed["remediationAudit"]
    assert (changed["created"], changed["receipt"]["replayed"]) == (False, False)
    assert (audit["version"], audit["phase"], audit["status"]) == (2, "PROCESSING", "RUNNING")
    assert (audit["severity"], audit["errorMessage"], audit["resolution"]) == ("LOW", None, "none yet")
    assert audit["metadata"] == {}
    assert await events(sql) == [("created", 1), ("phase_changed", 2)]
    changes = orjson.loads(await sql.fetchval("SELECT changes FROM remediation_event WHERE version = 2"))
    assert changes.keys() == {"phase", "status", "severity", "error_message", "metadata"}


async def test_the_same_again_is_replayed_without_an_event(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    whole = remediation_input(errorMessage="boom token=ghp_" + "a" * 36, metadata={"n": 1})
    first = await upsert(client, **whole)

    again = await upsert(client, **{**whole, "status": None})

    assert (again["created"], again["receipt"]["replayed"]) == (False, True)
    assert again["remediationAudit"] == first["remediationAudit"]
    assert await events(sql) == [("created", 1)]


async def test_fields_that_never_change_are_named_when_they_differ(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    await upsert(client, **remediation_input())

    refused = await upsert(
        client,
        **remediation_input(
            name="other",
            namespace="other",
            startTime="2026-01-02T12:00:00Z",
            alertFingerprint="other",
            clusterName="other",
            severity="LOW",
        ),
    )

    assert refused["fields"] == ["name", "namespace", "startTime", "alertFingerprint", "clusterName"]
    assert (refused["__typename"], refused["code"]) == ("ConflictError", "CONFLICT")
    assert await events(sql) == [("created", 1)]


async def test_phases_move_under_the_rules_of_updates(client: GraphQLClient, sql: asyncpg.Connection) -> None:
    await upsert(client, **remediation_input(phase="PROCESSING"))
    await upsert(client, **remediation_input(phase="FAILED", endTime="2026-01-01T12:01:00Z"))

    refused = await upsert(client, **remediation_input(phase="COMPLETED"))
    retried = await upsert(client, **remediation_input(phase="PROCESSING"))
    late = await upsert(client, **remediation_input(endTime="2025-01-01T12:00:00Z"))

    assert (refused["__typename"], refused["currentPhase"]) == ("InvalidTransitionError", "FAILED")
    assert (retried["remediationAudit"]["endTime"], retried["remediationAudit"]["durationMs"]) == (None, None)
    assert late["faults"] == [{"field": "endTime", "reason": "INVALID"}]
    assert await events(sql) == [("created", 1), ("phase_changed", 2), ("phase_changed", 3)]


async def test_an_expected_version_asks_for_an_audit_that_stands(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    missing = await upsert(client, **remediation_input(expectedVersion=1))
    await upsert(client, **remediation_input())
    right = await upsert(client, **remediation_input(severity="LOW", expectedVersion=1))
    again = await upsert(client, **remediation_input(severity="LOW", expectedVersion=1))
    wrong = await upsert(client, **remediation_input(severity="INFO", expectedVersion=1))

    assert (missing["__typename"], missing["message"]) == (
        "NotFoundError",
        "no remediation audit with remediationRequestId rr-1",
    )
    assert (right["remediationAudit"]["version"], right["receipt"]["replayed"]) == (2, False)
    assert (again["remediationAudit"]["version"], again["receipt"]["replayed"]) == (2, True)
    assert wrong["fields"] == ["version"]
    assert await events(sql) == [("created", 1), ("updated", 2)]


async def test_every_fault_is_told_whether_the_audit_stands_or_not(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    bad = remediation_input(name="NOT A NAME", targetResource="x")
    expected = [
        {"field": "name", "reason": "INVALID"},
        {"field": "targetResource", "reason": "INVALID"},
    ]

    assert (await upsert(client, **bad))["faults"] == expected
    await upsert(client, **remediation_input())
    assert (await upsert(client, **bad))["faults"] == expected
    assert await events(sql) == [("created", 1)]


async def test_a_changed_text_is_found_by_what_it_became(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    await client.ask(
        "mutation($input: CreateAiAnalysisAuditInput!) { createAiAnalysisAudit(input: $input) { __typename } }",
        input=around(ANALYSIS, rootCause="the disk of the broker is full"),
    )
    await upsert(client, **remediation_input())

    changed = await upsert(client, **remediation_input(errorMessage="certificate has expired"))

    assert changed["receipt"]["similarity"] == "INDEXED"
    await client.create(
        **remediation_input(remediationRequestId="rr-2", errorMessage="certificate has expired")
    )
    await client.ask(
        "mutation($input: CreateAiAnalysisAuditInput!) { createAiAnalysisAudit(input: $input) { __typename } }",
        input=around(
            ANALYSIS,
            analysisId="an-2",
            remediationRequestId="rr-2",
            rootCause="the disk of the broker is full",
        ),
    )
    assert await sql.fetchval("SELECT count(DISTINCT content_hash) FROM remediation_audit") == 1
    assert (
        await sql.fetchval(
            "SELECT count(*) FROM remediation_audit JOIN incident_embedding USING (content_hash)"
        )
        == 2
    )
    words = await sql.fetch("SELECT terms FROM incident_lexical ORDER BY audit_id")
    assert sorted(words[0][0]) == sorted(words[1][0])


async def test_of_64_upserts_of_one_new_key_one_creates_and_63_are_replayed(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    results = await asyncio.gather(*(upsert(client, **remediation_input()) for _ in range(64)))

    assert sum(result["created"] for result in results) == 1
    assert sum(result["receipt"]["replayed"] for result in results) == 63
    assert await sql.fetchval("SELECT count(*) FROM remediation_audit") == 1
    assert await events(sql) == [("created", 1)]


async def test_64_different_upserts_of_one_new_key_all_win_one_after_the_other(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    results = await asyncio.gather(
        *(upsert(client, **remediation_input(metadata={"writer": n})) for n in range(64))
    )

    assert sorted(result["remediationAudit"]["version"] for result in results) == list(range(1, 65))
    assert sum(result["created"] for result in results) == 1
    assert await events(sql) == [("created", 1), *(("updated", n) for n in range(2, 65))]


@pytest.mark.parametrize("expected", [{}, {"expected_version": 1}])
async def test_an_audit_beyond_the_scope_is_a_conflict_that_names_nothing(
    client: GraphQLClient, deps: Dependencies, sql: asyncpg.Connection, expected: dict[str, Any]
) -> None:
    await upsert(client, **remediation_input())
    outsider = Caller("outsider", frozenset(Right), Scope(namespaces=frozenset({"search"})))
    reader = Caller("reader", frozenset({Right.READ}))

    with pytest.raises(RecordConflict) as refused:
        await upsert_remediation(deps, outsider, remediation_row(namespace="search", **expected))
    with pytest.raises(Forbidden):
        await upsert_remediation(deps, outsider, remediation_row(**expected))
    with pytest.raises(Forbidden):
        await upsert_remediation(deps, reader, remediation_row(**expected))

    assert (refused.value.fields, str(refused.value)) == ((), "remediationRequestId is taken")
    assert await events(sql) == [("created", 1)]
