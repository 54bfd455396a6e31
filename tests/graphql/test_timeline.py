"""remediation: the whole timeline, as it is now and as it was known at a time."""

import itertools
from typing import Any

import pytest

from datastorage import limits
from datastorage.domain.caller import OPERATOR, Caller, Right, Scope
from datastorage.domain.selection import Selection
from datastorage.services import remediation_timeline
from datastorage.services.delete_remediations import delete_remediations
from datastorage.services.dependencies import Dependencies
from datastorage.services.remediation_timeline import find_timeline
from support.around import ANALYSIS, EXECUTION, WORKFLOW, around
from support.client import GraphQLClient
from support.records import remediation_input

AUDIT = "version phase status endTime durationMs severity targetResource targetKind targetName errorMessage metadata updatedAt"
TIMELINE = (
    "query($id: String!, $asOf: DateTime) { remediation(requestId: $id, asOf: $asOf) { requestId asOf audit { "
    + AUDIT
    + """ }
  analyses { totalCount nodes { analysisId confidenceScore createdAt } }
  workflows { totalCount nodes { workflowId version phase completedSteps updatedAt } }
  executions { totalCount nodes { executionId success } }
  events { totalCount nodes { subjectKind subjectKey kind version recordedAt } }
} }"""
)
CREATES = {
    "AiAnalysisAudit": around(ANALYSIS, rootCause="disk full"),
    "WorkflowAudit": WORKFLOW,
    "ExecutionAudit": EXECUTION,
    "RemediationAudit": remediation_input(),
}


async def store(client: GraphQLClient, type_name: str, **overrides: Any) -> None:
    answer = await client.ask(
        f"mutation($input: Create{type_name}Input!) {{ result: create{type_name}(input: $input) {{ __typename }} }}",
        input=around(CREATES[type_name], **overrides),
    )
    assert answer.data["result"]["__typename"] == f"Create{type_name}Payload"


async def timeline(client: GraphQLClient, as_of: str | None = None, key: str = "rr-1") -> dict[str, Any]:
    return (await client.ask(TIMELINE, id=key, asOf=as_of)).data["remediation"]


async def update_workflow(client: GraphQLClient, **fields: Any) -> None:
    answer = await client.ask(
        "mutation($input: UpdateWorkflowAuditInput!) { updateWorkflowAudit(input: $input) { __typename } }",
        input={"workflowId": "wf-1", **fields},
    )
    assert answer.data["updateWorkflowAudit"]["__typename"] == "UpdateWorkflowAuditPayload"


def told(found: dict[str, Any]) -> set[tuple[str, str]]:
    return {(event["subjectKind"], event["subjectKey"]) for event in found["events"]["nodes"]}


@pytest.mark.parametrize("order", list(itertools.permutations(CREATES)))
async def test_the_four_records_in_any_order_end_in_one_complete_timeline(
    client: GraphQLClient, order: tuple[str, ...]
) -> None:
    for type_name in order:
        await store(client, type_name)

    found = await timeline(client)

    assert found["requestId"] == "rr-1"
    assert found["asOf"] is None
    assert found["audit"]["phase"] == "PENDING"
    assert [node["analysisId"] for node in found["analyses"]["nodes"]] == ["an-1"]
    assert [node["workflowId"] for node in found["workflows"]["nodes"]] == ["wf-1"]
    assert [node["executionId"] for node in found["executions"]["nodes"]] == ["ex-1"]
    assert told(found) == {
        ("REMEDIATION", "rr-1"),
        ("ANALYSIS", "an-1"),
        ("WORKFLOW", "wf-1"),
        ("EXECUTION", "ex-1"),
    }
    latest = found["events"]["nodes"][0]["recordedAt"]
    assert {**await timeline(client, latest), "asOf": None} == found


async def test_nothing_known_is_null(client: GraphQLClient) -> None:
    await store(client, "RemediationAudit")
    created_at = (await timeline(client))["events"]["nodes"][0]["recordedAt"]

    assert await timeline(client, key="rr-9") is None
    assert await timeline(client, key="rr\x00-1") is None
    assert await timeline(client, "2020-01-01T00:00:00Z") is None
    assert (await timeline(client, created_at))["audit"]["version"] == 1


@pytest.mark.parametrize("first", ["AiAnalysisAudit", "WorkflowAudit"])
async def test_the_audit_is_null_until_it_arrives(client: GraphQLClient, first: str) -> None:
    await store(client, first)
    before = await timeline(client)
    await store(client, "RemediationAudit")

    assert before["audit"] is None
    assert len(before["events"]["nodes"]) == 1
    now = await timeline(client)
    assert now["audit"]["version"] == 1
    assert (await timeline(client, before["events"]["nodes"][0]["recordedAt"]))["audit"] is None


async def test_as_of_before_and_after_a_change_differ_as_they_should(client: GraphQLClient) -> None:
    for type_name in CREATES:
        await store(client, type_name)
    before = await timeline(client)
    await client.update(
        requestId="rr-1",
        phase="PROCESSING",
        targetResource="payments/StatefulSet/db",
        errorMessage="boom",
        metadata={"n": 1.5},
    )
    await client.update(requestId="rr-1", phase="FAILED", endTime="2026-01-01T12:01:00Z")
    failed = await timeline(client)
    await update_workflow(client, phase="EXECUTING", completedSteps=2)
    await client.update(requestId="rr-1", phase="PROCESSING")
    now = await timeline(client)

    moments = [event["recordedAt"] for event in now["events"]["nodes"]]  # newest first
    first, second, third = [await timeline(client, moments[n]) for n in (4, 3, 2)]

    assert {**first, "asOf": None} == before
    assert (second["audit"]["phase"], second["audit"]["status"]) == ("PROCESSING", "RUNNING")
    assert (second["audit"]["targetKind"], second["audit"]["targetName"]) == ("StatefulSet", "db")
    assert (second["audit"]["errorMessage"], second["audit"]["metadata"]) == ("boom", {"n": 1.5})
    assert (second["audit"]["version"], second["audit"]["durationMs"]) == (2, None)
    assert (third["audit"]["phase"], third["audit"]["durationMs"]) == ("FAILED", 60_000)
    assert {**third["audit"], "updatedAt": None} == {**failed["audit"], "updatedAt": None}
    assert third["audit"]["updatedAt"] == moments[2] == third["asOf"]
    assert third["workflows"]["nodes"][0]["phase"] == "PLANNING"
    assert third["events"]["nodes"] == failed["events"]["nodes"] == now["events"]["nodes"][2:]
    assert now["workflows"]["nodes"][0]["completedSteps"] == 2
    assert (now["audit"]["endTime"], now["audit"]["durationMs"]) == (None, None)
    again = await timeline(client, moments[0])
    assert again["audit"] == {**now["audit"], "updatedAt": moments[0]}


async def test_an_execution_belongs_to_the_past_only_since_its_workflow_was_known(
    client: GraphQLClient,
) -> None:
    for type_name in ("RemediationAudit", "ExecutionAudit", "AiAnalysisAudit", "WorkflowAudit"):
        await store(client, type_name)
    moments = [event["recordedAt"] for event in (await timeline(client))["events"]["nodes"]]

    before, after = await timeline(client, moments[1]), await timeline(client, moments[0])

    assert before["executions"] == {"totalCount": 0, "nodes": []}
    assert told(before) == {("REMEDIATION", "rr-1"), ("ANALYSIS", "an-1")}
    assert after["executions"]["totalCount"] == 1
    assert len(told(after)) == 4


PAGE = """query($asOf: DateTime, $first: Int, $after: String, $last: Int, $before: String) {
  remediation(requestId: "rr-1", asOf: $asOf) {
    analyses(first: $first, after: $after, last: $last, before: $before) {
      edges { cursor node { analysisId } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      totalCount capped: totalCount(cap: 2) } } }"""


async def test_pages_of_the_past_have_the_order_cursors_and_errors_of_pages_of_the_present(
    client: GraphQLClient,
) -> None:
    for n in range(5):
        await store(client, "AiAnalysisAudit", analysisId=f"an-{n}")
    latest = (await timeline(client))["events"]["nodes"][0]["recordedAt"]
    cursors = [edge["cursor"] for edge in (await client.ask(PAGE)).data["remediation"]["analyses"]["edges"]]
    places = (
        {"first": 2},
        {"first": 2, "after": cursors[1]},
        {"first": 2, "after": cursors[3]},
        {"last": 2},
        {"last": 3, "before": cursors[1]},
        {"first": 1, "after": cursors[4]},
    )

    for place in places:
        now, then = await client.ask(PAGE, **place), await client.ask(PAGE, asOf=latest, **place)
        assert then.data == now.data
    for wrong in ({"first": 0}, {"first": 1, "last": 1}, {"first": 1, "after": "!"}, {"first": 101}):
        now, then = await client.ask(PAGE, **wrong), await client.ask(PAGE, asOf=latest, **wrong)
        assert then.body == now.body
        assert then.error["extensions"]["code"] in ("BAD_USER_INPUT", "BAD_CURSOR")


async def test_a_deleted_record_is_no_longer_told_at_any_time(
    client: GraphQLClient, deps: Dependencies
) -> None:
    await store(client, "RemediationAudit")
    await store(client, "RemediationAudit", remediationRequestId="rr-2")
    before = (await timeline(client))["events"]["nodes"][0]["recordedAt"]
    async for _ in delete_remediations(deps, OPERATOR, Selection(request_ids=("rr-1",))):
        pass

    now = await timeline(client)

    assert await timeline(client, before) is None
    assert now["audit"] is None
    assert [event["kind"] for event in now["events"]["nodes"]] == ["DELETED"]
    await store(client, "RemediationAudit")
    again = await timeline(client)
    assert (await timeline(client, again["events"]["nodes"][0]["recordedAt"]))["audit"]["version"] == 1
    assert (await timeline(client, now["events"]["nodes"][0]["recordedAt"]))["audit"] is None


async def test_a_past_of_too_many_events_errs_rather_than_cuts(
    client: GraphQLClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert limits.TIMELINE_EVENTS_MAX == 10_000
    monkeypatch.setattr(remediation_timeline, "TIMELINE_EVENTS_MAX", 2)
    await store(client, "RemediationAudit")
    await client.update(requestId="rr-1", severity="LOW")
    enough = (await timeline(client))["events"]["nodes"][0]["recordedAt"]
    await client.update(requestId="rr-1", severity="HIGH")

    answer = await client.ask(TIMELINE, id="rr-1", asOf="2100-01-01T00:00:00Z")

    assert answer.error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "more than 2 events" in answer.error["message"]
    assert (await timeline(client, enough))["audit"]["severity"] == "LOW"
    assert (await timeline(client))["audit"]["severity"] == "HIGH"


async def test_statements_of_a_timeline_are_one_for_each_part(client: GraphQLClient, statements: Any) -> None:
    for type_name in CREATES:
        await store(client, type_name)
    latest = (await timeline(client))["events"]["nodes"][0]["recordedAt"]
    whole = TIMELINE.replace("totalCount", "__typename")

    with statements.counted() as now:
        await client.ask(whole, id="rr-1")
    assert len(now) == 5  # the audit and four relations
    with statements.counted() as then:
        await client.ask(TIMELINE, id="rr-1", asOf=latest)
    assert len(then) == 1


async def test_a_scoped_caller_sees_what_lies_within_its_scope(
    client: GraphQLClient, deps: Dependencies
) -> None:
    await store(client, "RemediationAudit", namespace="payments")
    await store(client, "AiAnalysisAudit", namespace="elsewhere")
    await store(
        client, "AiAnalysisAudit", remediationRequestId="rr-2", analysisId="an-2", namespace="elsewhere"
    )
    scoped = Caller("c", frozenset({Right.READ}), Scope(namespaces=frozenset({"payments"})))
    now = (await timeline(client))["events"]["nodes"][0]["recordedAt"]
    assert now

    seen = await find_timeline(deps, scoped, "rr-1")
    past = await find_timeline(deps, scoped, "rr-1", seen.audit.created_at.replace(year=2100))

    assert seen.audit.remediation_request_id == "rr-1"
    assert [event.subject_key for event in past.past.events] == ["rr-1"]
    assert await find_timeline(deps, scoped, "rr-2") is None
    assert await find_timeline(deps, OPERATOR, "rr-2") is not None
