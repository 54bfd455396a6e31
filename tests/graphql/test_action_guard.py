"""actionGuard: what is in flight on a target, how an action went on it lately, and the advice that follows."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy.engine import URL

from datastorage.domain.caller import Caller, Right, Scope
from datastorage.errors import Forbidden
from datastorage.services.action_guard import action_guard
from support.api import Api, opened_api
from support.client import GraphQLClient
from support.plans import explained, scans, sent
from support.records import remediation_input

TARGET, SINCE = "Deployment/payment-api", "2026-01-02T00:00:00Z"
ROWS: dict[str, dict[str, Any]] = {
    "long-ago": {  # helped, before the window
        "phase": "COMPLETED",
        "startTime": "2026-01-01T12:00:00Z",
        "endTime": "2026-01-01T12:00:10Z",
    },
    "short-lived": {  # helped, and struck again as "failed"
        "phase": "COMPLETED",
        "startTime": "2026-01-02T00:00:00Z",
        "endTime": "2026-01-02T00:00:10Z",
    },
    "failed": {
        "phase": "FAILED",
        "startTime": "2026-01-02T06:00:00Z",
        "endTime": "2026-01-02T06:00:10Z",
    },
    "reported": {  # ended well, but did not help; in another namespace
        "phase": "COMPLETED",
        "status": "FAILURE",
        "alertFingerprint": "fp-9",
        "namespace": "search",
        "startTime": "2026-01-04T06:00:00Z",
        "endTime": "2026-01-04T06:00:10Z",
    },
    "other-cluster": {
        "phase": "COMPLETED",
        "clusterName": "dev",
        "startTime": "2026-01-04T07:00:00Z",
        "endTime": "2026-01-04T07:00:10Z",
    },
    "other-action": {
        "phase": "FAILED",
        "actionType": "rollback",
        "alertFingerprint": "fp-8",
        "startTime": "2026-01-02T08:00:00Z",
    },
    "other-target": {"phase": "PENDING", "targetResource": "payments/Deployment/payment-api"},
    "busy-1": {
        "phase": "PROCESSING",
        "targetResource": "Node/n1",
        "actionType": "drain_node",
        "startTime": "2025-06-01T00:00:00Z",
    },
    "busy-2": {
        "phase": "PENDING",
        "targetResource": "Node/n1",
        "startTime": "2026-01-02T03:04:05Z",
    },
}
GUARD = """
query Guard($actionType: String! = "restart_pod", $target: String!, $cluster: String, $namespace: String,
            $since: DateTime, $except: String) {
  actionGuard(actionType: $actionType, target: $target, cluster: $cluster, namespace: $namespace, since: $since,
              exceptRequestId: $except) {
    advice reasons since inFlight { remediationRequestId } inFlightCount
    recentFailures { remediationRequestId } recentFailureCount recentAttemptCount recentSuccessCount
    recurredCount lastAttempt { remediationRequestId } lastSuccess { remediationRequestId }
  }
}
"""
NOTHING = {
    "advice": "CLEAR",
    "reasons": [],
    "since": SINCE,
    "inFlight": [],
    "inFlightCount": 0,
    "recentFailures": [],
    "recentFailureCount": 0,
    "recentAttemptCount": 0,
    "recentSuccessCount": 0,
    "recurredCount": 0,
    "lastAttempt": None,
    "lastSuccess": None,
}


def named(*keys: str) -> list[dict[str, str]]:
    return [{"remediationRequestId": key} for key in keys]


@pytest.fixture(scope="module")
async def api(server_url: URL, template: str) -> AsyncIterator[Api]:
    async with opened_api(server_url, template) as opened:
        for key, fields in ROWS.items():
            created = await opened.client.create(**remediation_input(remediationRequestId=key, **fields))
            assert created["__typename"] == "CreateRemediationAuditPayload"
        yield opened


@pytest.fixture
def client(api: Api) -> GraphQLClient:
    return api.client


async def guard(client: GraphQLClient, **variables: Any) -> dict[str, Any]:
    answer = await client.ask(GUARD, **{"target": TARGET, "since": SINCE, **variables})
    return answer.data["actionGuard"]


async def test_an_action_that_failed_or_did_not_last_is_to_be_taken_with_caution(
    client: GraphQLClient,
) -> None:
    assert await guard(client) == {
        "advice": "CAUTION",
        "reasons": [
            "of 4 attempts since 2026-01-02T00:00:00Z, 2 failed",
            "of 4 attempts since 2026-01-02T00:00:00Z, 1 did not last: the same alert came back within 24 hours",
        ],
        "since": SINCE,
        "inFlight": [],
        "inFlightCount": 0,
        "recentFailures": named("reported", "failed"),
        "recentFailureCount": 2,
        "recentAttemptCount": 4,
        "recentSuccessCount": 2,
        "recurredCount": 1,
        "lastAttempt": {"remediationRequestId": "other-cluster"},
        "lastSuccess": {"remediationRequestId": "other-cluster"},
    }


async def test_one_cluster_and_one_namespace_can_be_asked_for(client: GraphQLClient) -> None:
    found = await guard(client, cluster="prod-eu-1", namespace="payments")

    assert (found["recentFailures"], found["recentAttemptCount"]) == (named("failed"), 2)
    assert found["lastAttempt"] == {"remediationRequestId": "failed"}
    assert found["lastSuccess"] == {"remediationRequestId": "short-lived"}


async def test_what_is_in_flight_says_wait_whatever_the_action_and_however_old(client: GraphQLClient) -> None:
    found = await guard(client, target="Node/n1")

    assert (found["advice"], found["inFlight"], found["inFlightCount"]) == (
        "WAIT",
        named("busy-2", "busy-1"),
        2,
    )
    assert found["reasons"] == [
        "in flight on this target: 2, the newest restart_pod (busy-2) started 2026-01-02T03:04:05Z"
    ]
    assert (found["recentAttemptCount"], found["lastAttempt"]) == (1, {"remediationRequestId": "busy-2"})


async def test_the_remediation_that_asks_does_not_stand_in_its_own_way(client: GraphQLClient) -> None:
    found = await guard(client, target="payments/Deployment/payment-api", **{"except": "other-target"})

    assert found == NOTHING


async def test_before_the_window_only_the_last_ones_are_told(client: GraphQLClient) -> None:
    found = await guard(client, cluster="prod-eu-1", since="2026-01-05T00:00:00Z")

    assert found == {
        **NOTHING,
        "since": "2026-01-05T00:00:00Z",
        "lastAttempt": {"remediationRequestId": "reported"},
        "lastSuccess": {"remediationRequestId": "short-lived"},
    }


async def test_nothing_is_known_of_a_target_that_nobody_touched(client: GraphQLClient) -> None:
    assert await guard(client, target="Deployment/unknown") == NOTHING


async def test_the_window_is_the_last_day_by_default(client: GraphQLClient) -> None:
    before = datetime.now(UTC)

    found = await guard(client, since=None)

    after = datetime.now(UTC)
    assert before <= datetime.fromisoformat(found["since"]) + timedelta(hours=24) <= after


@pytest.mark.parametrize(
    ("target", "count", "bound"), [(TARGET, 0, 5), ("Node/n1", 2, 5), ("Pod/crowded", 12, 6)]
)
async def test_a_handful_of_statements_answers_whatever_there_is(
    api: Api, statements: Any, target: str, count: int, bound: int
) -> None:
    await api.sql.execute(
        "INSERT INTO remediation_audit (remediation_request_id, name, namespace, phase, status, action_type, "
        "start_time, alert_fingerprint, severity, environment, cluster_name, target_resource, target_kind, "
        "target_name, content_hash) SELECT 'crowd-' || n, 'x', 'x', 'pending', 'pending', 'a', "
        "timestamptz '2026-01-01' + n * interval '1 second', 'x', 'low', 'x', 'x', 'Pod/crowded', 'Pod', "
        "'crowded', sha256('x') FROM generate_series(1, 12) n"
    )
    try:
        with statements.counted() as seen:
            found = await guard(api.client, target=target)
    finally:
        await api.sql.execute("DELETE FROM remediation_audit WHERE target_resource = 'Pod/crowded'")

    assert (found["inFlightCount"], len(found["inFlight"])) == (count, min(count, 10))
    assert len(seen) == bound


async def test_nothing_outside_the_scope_is_told(api: Api) -> None:
    in_search = Caller("alice", frozenset({Right.READ}), Scope(namespaces=frozenset({"search"})))
    since = datetime(2026, 1, 2, tzinfo=UTC)
    asked = {"action_type": "restart_pod", "since": since}

    found = await action_guard(api.deps, in_search, {**asked, "target": TARGET})
    busy = await action_guard(api.deps, in_search, {**asked, "target": "Node/n1"})

    assert [audit.remediation_request_id for audit in found.recent_failures] == ["reported"]
    assert (found.recent_attempt_count, found.recent_success_count, found.recurred_count) == (1, 0, 0)
    assert (found.last_attempt, found.last_success) == (found.recent_failures[0], None)
    assert (busy.in_flight_count, busy.last_attempt, busy.advice) == (0, None, "clear")


async def test_who_may_not_read_is_told_nothing(api: Api) -> None:
    writer = Caller("writer", frozenset({Right.WRITE}))

    with pytest.raises(Forbidden):
        await action_guard(api.deps, writer, {"action_type": "restart_pod", "target": TARGET})


async def test_all_faults_are_told_at_once(client: GraphQLClient) -> None:
    bad = {
        "actionType": "restart pod",
        "target": "payment-api",
        "cluster": "<script>alert(1)</script>",
        "namespace": "Payments",
        "since": "2999-01-01T00:00:00Z",
        "except": " ",
    }

    error = (await client.ask(GUARD, **bad)).error

    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert [(fault["field"], fault["reason"]) for fault in error["extensions"]["faults"]] == [
        ("actionType", "INVALID"),
        ("target", "INVALID"),
        ("cluster", "XSS_DETECTED"),
        ("namespace", "INVALID"),
        ("exceptRequestId", "WHITESPACE_ONLY"),
        ("since", "INVALID"),
    ]


async def test_a_guard_counts_as_an_aggregate(client: GraphQLClient) -> None:
    def aggregates() -> float:
        labels = {"operation": "aggregate", "status": "success"}
        return REGISTRY.get_sample_value("datastorage_query_total", labels) or 0

    before = aggregates()
    await guard(client)

    assert aggregates() == before + 1


MANY = """
INSERT INTO remediation_audit
  (remediation_request_id, name, namespace, phase, status, action_type, start_time, end_time, duration_ms,
   alert_fingerprint, severity, environment, cluster_name, target_resource, target_kind, target_name, content_hash)
SELECT 'many-' || n, 'x', 'ns-' || n % 50, CASE WHEN n % 20 = 0 THEN 'processing' ELSE 'completed' END,
       CASE WHEN n % 20 = 0 THEN 'running' WHEN n % 7 = 0 THEN 'failure' ELSE 'success' END,
       'action-' || n % 3, timestamptz '2026-01-01' + n * interval '1 second',
       CASE WHEN n % 20 > 0 THEN timestamptz '2026-01-01' + n * interval '1 second' END,
       CASE WHEN n % 20 > 0 THEN 0 END, 'many-' || n % 2000, 'low', 'production',
       'cluster-' || n % 5, 'Pod/many-' || n % 500, 'Pod', 'many-' || n % 500, sha256((n % 500)::text::bytea)
FROM generate_series(1, 50000) n
"""


async def test_every_statement_of_a_guard_goes_through_an_index(server_url: URL, template: str) -> None:
    async with opened_api(server_url, template) as api:
        await api.sql.execute(MANY)
        await api.sql.execute("VACUUM ANALYZE remediation_audit")
        for cluster in ("cluster-1", None):
            with sent() as seen:
                found = await guard(
                    api.client,
                    actionType="action-1",
                    target="Pod/many-1",
                    cluster=cluster,
                    since="2026-01-01T06:00:00Z",
                )
            assert found["recentSuccessCount"] > 0
            for statement in seen:
                read = scans(await explained(api.sql, *statement))
                assert {kind for kind, _ in read} <= {"Index Scan", "Bitmap Index Scan", "Bitmap Heap Scan"}
                assert "ix_remediation_audit_target_resource" in {index for _, index in read}
