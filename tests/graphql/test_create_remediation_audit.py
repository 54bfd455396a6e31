"""createRemediationAudit: what is stored, what is refused, and what a repeated create answers."""

import asyncio

import asyncpg
import pytest
from prometheus_client import REGISTRY

from datastorage.observability.labels import FaultField
from support.client import CREATE, GraphQLClient
from support.records import remediation_input


async def test_stores_the_audit_its_event_and_its_vector(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    result = await client.create(
        **remediation_input(
            endTime="2026-01-01T12:01:30.5Z",
            phase="COMPLETED",
            errorMessage="container killed: out of memory",
            metadata={"title": "Pod out of memory", "team": "core"},
            actionParameters={"replicas": 3},
        )
    )

    audit = result["remediationAudit"]
    assert result["receipt"] == {"replayed": False, "similarity": "INDEXED", "redactions": []}
    assert {
        name: audit[name]
        for name in (
            "version",
            "phase",
            "status",
            "startTime",
            "endTime",
            "durationMs",
            "targetKind",
            "targetName",
        )
    } == {
        "version": 1,
        "phase": "COMPLETED",
        "status": "SUCCESS",
        "startTime": "2026-01-01T12:00:00Z",
        "endTime": "2026-01-01T12:01:30.500000Z",
        "durationMs": 90_500,
        "targetKind": "Deployment",
        "targetName": "payment-api",
    }
    assert audit["metadata"] == {"title": "Pod out of memory", "team": "core"}
    assert audit["actionParameters"] == {"replicas": 3}
    event = await sql.fetchrow("SELECT * FROM remediation_event")
    assert (event["kind"], event["subject_key"], event["version"], event["actor"]) == (
        "created",
        "rr-1",
        1,
        "anonymous",
    )
    assert (
        await sql.fetchval(
            "SELECT count(*) FROM remediation_audit JOIN incident_embedding USING (content_hash)"
        )
        == 1
    )


async def test_two_incidents_with_the_same_text_share_one_vector(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    await client.create(
        **remediation_input(remediationRequestId="a", name="oom", errorMessage="killed pod x")
    )
    await client.create(
        **remediation_input(remediationRequestId="b", name="oom", errorMessage="killed pod x")
    )

    assert await sql.fetchval("SELECT count(*) FROM remediation_audit") == 2
    assert await sql.fetchval("SELECT count(*) FROM incident_embedding") == 1


async def test_the_same_content_again_answers_with_the_stored_audit(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    first = await client.create(**remediation_input(metadata={"a": 1.0}, errorMessage="  boom \x00"))
    await client.update(requestId="rr-1", phase="PROCESSING")

    again = await client.create(**remediation_input(metadata={"a": 1}, errorMessage="boom"))

    assert again["receipt"]["replayed"] is True
    assert again["remediationAudit"]["id"] == first["remediationAudit"]["id"]
    assert again["remediationAudit"]["phase"] == "PROCESSING"
    assert await sql.fetchval("SELECT count(*) FROM remediation_event") == 2


async def test_other_content_under_the_same_key_is_a_conflict_that_names_the_fields(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    await client.create(**remediation_input())

    result = await client.create(**remediation_input(severity="LOW", errorMessage="new"))

    assert result["__typename"] == "ConflictError"
    assert (result["code"], result["retryable"]) == ("CONFLICT", False)
    assert result["fields"] == ["severity", "errorMessage"]
    assert await sql.fetchval("SELECT severity FROM remediation_audit") == "high"


async def test_sixty_four_creates_at_once_leave_one_row_one_event_and_63_replays(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    results = await asyncio.gather(*(client.create(**remediation_input()) for _ in range(64)))

    replayed = [result["receipt"]["replayed"] for result in results]
    assert (replayed.count(False), replayed.count(True)) == (1, 63)
    assert await sql.fetchval("SELECT count(*) FROM remediation_audit") == 1
    assert await sql.fetchval("SELECT count(*) FROM remediation_event") == 1


async def test_all_faults_are_reported_together_and_nothing_is_stored(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    result = await client.create(
        **remediation_input(
            remediationRequestId="x" * 256,
            name="<script>alert(1)</script>",
            namespace="   ",
            actionType="'; DROP TABLE remediation_audit; --",
            endTime="2025-12-31T00:00:00Z",
            targetResource="no-slash",
            errorMessage="é" * 5121,
        )
    )

    assert result["__typename"] == "ValidationError"
    assert {fault["field"]: fault["reason"] for fault in result["faults"]} == {
        "remediationRequestId": "LENGTH_EXCEEDED",
        "name": "XSS_DETECTED",
        "namespace": "WHITESPACE_ONLY",
        "actionType": "SQL_INJECTION_DETECTED",
        "targetResource": "INVALID",
        "errorMessage": "LENGTH_EXCEEDED",
        "endTime": "INVALID",
    }
    assert await sql.fetchval("SELECT count(*) FROM remediation_audit") == 0
    assert await sql.fetchval("SELECT count(*) FROM remediation_event") == 0


@pytest.mark.parametrize(
    ("field", "longest"),
    [
        ("remediationRequestId", 255),
        ("name", 255),
        ("namespace", 255),
        ("actionType", 100),
        ("environment", 50),
    ],
)
async def test_the_longest_allowed_value_is_stored(client: GraphQLClient, field: str, longest: int) -> None:
    result = await client.create(**remediation_input(**{field: "a" * longest}))
    refused = await client.create(
        **remediation_input(**{"remediationRequestId": "rr-2", field: "a" * (longest + 1)})
    )

    assert result["remediationAudit"][field] == "a" * longest
    assert [(fault["field"], fault["reason"]) for fault in refused["faults"]] == [(field, "LENGTH_EXCEEDED")]


async def test_secrets_are_redacted_before_storing_and_named_in_the_receipt(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    result = await client.create(
        **remediation_input(
            errorMessage="cannot reach postgres://app:hunter2secret@db:5432/app",
            metadata={"password": "hunter2secret"},
        )
    )

    assert {redaction["field"] for redaction in result["receipt"]["redactions"]} == {
        "errorMessage",
        "metadata",
    }
    stored = await sql.fetchval(
        "SELECT string_agg(t::text, '') FROM (SELECT r::text AS t FROM remediation_audit r "
        "UNION ALL SELECT e::text FROM remediation_event e) rows"
    )
    assert "hunter2secret" not in stored
    assert "[REDACTED:" in result["remediationAudit"]["errorMessage"]


async def test_redaction_that_makes_a_text_longer_than_its_column_is_cut(client: GraphQLClient) -> None:
    secrets = "pwd=x1 " * (10 * 1024 // 7)

    result = await client.create(**remediation_input(errorMessage=secrets))
    again = await client.create(**remediation_input(errorMessage=secrets))

    stored = result["remediationAudit"]["errorMessage"]
    assert len(stored.encode()) <= 10 * 1024
    assert "x1" not in stored
    assert again["receipt"]["replayed"] is True


async def test_free_text_is_evidence_and_is_kept_as_sent(client: GraphQLClient) -> None:
    text = "SELECT * FROM t WHERE a = 'b'; -- <script>alert('ü')</script> 日本語 👍 \ttab\nline"

    result = await client.create(**remediation_input(errorMessage=text))

    assert result["remediationAudit"]["errorMessage"] == text


async def test_a_start_in_another_time_zone_is_stored_in_utc_cut_to_microseconds(
    client: GraphQLClient,
) -> None:
    result = await client.create(**remediation_input(startTime="2026-01-01T14:00:00.123456789+02:00"))

    assert result["remediationAudit"]["startTime"] == "2026-01-01T12:00:00.123456Z"


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-01:00"]
)
async def test_a_time_that_the_driver_takes_for_infinity_is_refused(
    client: GraphQLClient, moment: str
) -> None:
    answer = await client.ask(CREATE, input=remediation_input(startTime=moment))

    result = answer.body.get("data", {}) or {}
    faults = result.get("createRemediationAudit", {}).get("faults") or answer.body["errors"]
    assert "startTime" in str(faults)


async def test_a_number_beyond_the_range_of_json_is_refused(client: GraphQLClient) -> None:
    answer = await client.ask(
        """mutation { createRemediationAudit(input: {
          remediationRequestId: "rr-1", name: "a", namespace: "a", phase: PENDING, actionType: "a",
          startTime: "2026-01-01T00:00:00Z", alertFingerprint: "a", severity: LOW, environment: "a",
          clusterName: "a", targetResource: "Pod/a", metadata: {a: [1e400]} }) {
          __typename ... on ValidationError { faults { field reason } } } }"""
    )

    assert answer.data["createRemediationAudit"] == {
        "__typename": "ValidationError",
        "faults": [{"field": "metadata", "reason": "INVALID"}],
    }


async def test_missing_and_unknown_values_are_reported_together_and_counted(client: GraphQLClient) -> None:
    def counted(field: FaultField, reason: str) -> float:
        labels = {"field": field.value, "reason": reason}
        return REGISTRY.get_sample_value("datastorage_validation_failures_total", labels) or 0.0

    before = counted(FaultField.NAME, "required"), counted(FaultField.SEVERITY, "invalid")

    given = remediation_input(name=None, severity="AWFUL")
    answer = await client.ask(
        "mutation($i: CreateRemediationAuditInput!) { createRemediationAudit(input: $i) { __typename } }",
        i=given,
    )

    codes = [error["extensions"]["code"] for error in answer.body["errors"]]
    fields = [error["extensions"]["field"] for error in answer.body["errors"]]
    assert (codes, fields) == (["BAD_USER_INPUT", "BAD_USER_INPUT"], ["name", "severity"])
    assert "rr-1" not in str(answer.body)  # the input is not echoed
    after = counted(FaultField.NAME, "required"), counted(FaultField.SEVERITY, "invalid")
    assert after == (before[0] + 1, before[1] + 1)
