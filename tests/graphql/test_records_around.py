"""Analyses, workflows and executions: stored alike, and one timeline in whatever order they arrive."""

import itertools
from typing import Any

import asyncpg
import pytest

from support.around import ANALYSIS, EXECUTION, WORKFLOW, around
from support.client import GraphQLClient
from support.records import remediation_input

ERRORS = """
  __typename
  ... on UserError { message code }
  ... on ValidationError { faults { field reason } }
  ... on ConflictError { fields }
"""
RECEIPT = "receipt { replayed similarity redactions { field pattern } }"


def create(type_name: str, fields: str) -> str:
    name = type_name[0].lower() + type_name[1:]
    return f"""mutation($input: Create{type_name}Input!) {{ result: create{type_name}(input: $input) {{
      ... on Create{type_name}Payload {{ record: {name} {{ {fields} }} {RECEIPT} }} {ERRORS} }} }}"""


CREATES = {
    "AiAnalysisAudit": (ANALYSIS, "analysisId confidenceScore rootCause remediation { name }"),
    "WorkflowAudit": (WORKFLOW, "workflowId version phase totalSteps endTime"),
    "ExecutionAudit": (
        EXECUTION,
        "executionId success targetKind targetNamespace targetName executionTimeMs",
    ),
}


async def store(client: GraphQLClient, type_name: str, **overrides: Any) -> dict[str, Any]:
    valid, fields = CREATES[type_name]
    answer = await client.ask(create(type_name, fields), input=around(valid, **overrides))
    return answer.data["result"]


@pytest.mark.parametrize("type_name", CREATES)
async def test_a_record_is_stored_with_its_event_and_replayed_when_sent_again(
    client: GraphQLClient, sql: asyncpg.Connection, type_name: str
) -> None:
    first = await store(client, type_name)
    again = await store(client, type_name)
    other = await store(client, type_name, metadata={"changed": True})

    assert first["receipt"] == {"replayed": False, "similarity": "INDEXED", "redactions": []}
    assert again["receipt"]["replayed"] is True
    assert again["record"] == first["record"]
    assert (other["__typename"], other["fields"]) == ("ConflictError", ["metadata"])
    assert [tuple(row) for row in await sql.fetch("SELECT kind, version FROM remediation_event")] == [
        ("created", 1)
    ]


@pytest.mark.parametrize(
    ("type_name", "wrong", "faults"),
    [
        ("AiAnalysisAudit", {"confidenceScore": 1.5}, [("confidenceScore", "INVALID")]),
        (
            "AiAnalysisAudit",
            {"tokensUsed": -1, "provider": " "},
            [("provider", "WHITESPACE_ONLY"), ("tokensUsed", "INVALID")],
        ),
        ("WorkflowAudit", {"completedSteps": 4}, [("completedSteps", "INVALID")]),
        ("WorkflowAudit", {"endTime": "2025-01-01T00:00:00Z"}, [("endTime", "INVALID")]),
        (
            "ExecutionAudit",
            {"executionTimeMs": -1, "targetResource": "x"},
            [("targetResource", "INVALID"), ("executionTimeMs", "INVALID")],
        ),
    ],
)
async def test_a_bad_record_is_refused_with_every_fault_and_leaves_no_trace(
    client: GraphQLClient,
    sql: asyncpg.Connection,
    type_name: str,
    wrong: dict[str, Any],
    faults: list[tuple[str, str]],
) -> None:
    result = await store(client, type_name, **wrong)

    assert [(fault["field"], fault["reason"]) for fault in result["faults"]] == faults
    assert await sql.fetchval("SELECT count(*) FROM remediation_event") == 0


TIMELINE = """
query($id: String!) { remediationAudit(requestId: $id) {
  analyses { totalCount nodes { analysisId } }
  workflows { nodes { workflowId steps { nodes { executionId } } } }
  executions { totalCount nodes { executionId workflow { workflowId } } }
  events { totalCount nodes { subjectKind subjectKey kind } }
} }
"""


@pytest.mark.parametrize("order", list(itertools.permutations(["remediation", *CREATES]))[::5])
async def test_any_order_of_arrival_ends_in_one_timeline(
    client: GraphQLClient, order: tuple[str, ...]
) -> None:
    for kind in order:
        if kind == "remediation":
            await client.create(**remediation_input())
        else:
            await store(client, kind)

    timeline = (await client.ask(TIMELINE, id="rr-1")).data["remediationAudit"]

    assert timeline["analyses"] == {"totalCount": 1, "nodes": [{"analysisId": "an-1"}]}
    assert timeline["workflows"]["nodes"] == [
        {"workflowId": "wf-1", "steps": {"nodes": [{"executionId": "ex-1"}]}}
    ]
    # the execution names no remediation: it belongs to it through its workflow
    assert timeline["executions"] == {
        "totalCount": 1,
        "nodes": [{"executionId": "ex-1", "workflow": {"workflowId": "wf-1"}}],
    }
    told = {(event["subjectKind"], event["subjectKey"]) for event in timeline["events"]["nodes"]}
    assert told == {
        ("REMEDIATION", "rr-1"),
        ("ANALYSIS", "an-1"),
        ("WORKFLOW", "wf-1"),
        ("EXECUTION", "ex-1"),
    }
    assert timeline["events"]["totalCount"] == 4


@pytest.mark.parametrize("analysis_first", [True, False])
async def test_a_root_cause_becomes_part_of_what_an_incident_is_found_by(
    client: GraphQLClient, sql: asyncpg.Connection, analysis_first: bool
) -> None:
    cause = {"rootCause": "the certificate of the payment gateway has expired"}
    if analysis_first:
        await store(client, "AiAnalysisAudit", **cause)
    await client.create(**remediation_input(name="checkout-fails"))
    await client.create(**remediation_input(name="checkout-fails", remediationRequestId="rr-2"))
    if not analysis_first:
        assert (await store(client, "AiAnalysisAudit", **cause))["receipt"]["similarity"] == "INDEXED"

    found = await client.ask(
        '{ similarIncidents(text: "expired certificate of the gateway") { hits { similarity incident { remediationRequestId version } } } }'
    )

    hits = found.data["similarIncidents"]["hits"]
    assert [hit["incident"] for hit in hits] == [
        {"remediationRequestId": "rr-1", "version": 1},
        {"remediationRequestId": "rr-2", "version": 1},
    ]
    assert hits[0]["similarity"] > hits[1]["similarity"] + 0.1
    hashes = await sql.fetch(
        "SELECT content_hash FROM remediation_audit WHERE remediation_request_id = 'rr-1'"
    )
    assert (
        await sql.fetchval("SELECT count(*) FROM incident_embedding WHERE content_hash = $1", hashes[0][0])
        == 1
    )


async def test_both_orders_of_arrival_give_the_same_text(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    for request, analysis_first in (("rr-1", True), ("rr-2", False)):
        analysis = {"analysisId": f"an-{request}", "remediationRequestId": request, "rootCause": "disk full"}
        if analysis_first:
            await store(client, "AiAnalysisAudit", **analysis)
        await client.create(**remediation_input(remediationRequestId=request))
        if not analysis_first:
            await store(client, "AiAnalysisAudit", **analysis)

    assert await sql.fetchval("SELECT count(DISTINCT content_hash) FROM remediation_audit") == 1


UPDATE_WORKFLOW = """
mutation($input: UpdateWorkflowAuditInput!) { updateWorkflowAudit(input: $input) {
  ... on UpdateWorkflowAuditPayload { workflowAudit { version phase completedSteps endTime } receipt { replayed } }
  __typename ... on UserError { message } ... on InvalidTransitionError { allowedPhases } ... on ConflictError { fields }
} }
"""


async def test_a_workflow_moves_through_its_phases(client: GraphQLClient, sql: asyncpg.Connection) -> None:
    await store(client, "WorkflowAudit")

    async def move(**fields: Any) -> dict[str, Any]:
        return (await client.ask(UPDATE_WORKFLOW, input={"workflowId": "wf-1", **fields})).data[
            "updateWorkflowAudit"
        ]

    assert (await move(phase="COMPLETED"))["allowedPhases"] == ["EXECUTING", "FAILED"]
    executing = await move(phase="EXECUTING", completedSteps=1)
    assert executing["workflowAudit"] == {
        "version": 2,
        "phase": "EXECUTING",
        "completedSteps": 1,
        "endTime": None,
    }
    assert (await move(completedSteps=9))["__typename"] == "ValidationError"
    done = await move(phase="COMPLETED", completedSteps=3, endTime="2026-01-01T12:10:00Z", expectedVersion=2)
    assert done["workflowAudit"]["version"] == 3
    assert (await move(phase="COMPLETED", completedSteps=3, expectedVersion=2))["receipt"]["replayed"] is True
    assert (await move(completedSteps=2, expectedVersion=1))["fields"] == ["version"]
    kinds = await sql.fetch("SELECT kind, version FROM remediation_event ORDER BY version")
    assert [tuple(row) for row in kinds] == [("created", 1), ("phase_changed", 2), ("phase_changed", 3)]


async def test_relations_of_many_records_take_one_statement_each(
    client: GraphQLClient, statements: Any
) -> None:
    for n in range(5):
        await client.create(**remediation_input(remediationRequestId=f"rr-{n}"))
        await store(client, "AiAnalysisAudit", analysisId=f"an-{n}", remediationRequestId=f"rr-{n}")
        await store(client, "WorkflowAudit", workflowId=f"wf-{n}", remediationRequestId=f"rr-{n}")
        await store(client, "ExecutionAudit", executionId=f"ex-{n}", workflowId=f"wf-{n}")

    with statements.counted() as seen:
        answer = await client.ask(
            """{ remediationAudits { nodes {
              analyses { nodes { analysisId remediation { name } } }
              workflows { nodes { workflowId } } executions { nodes { executionId } } events { nodes { kind } } } } }"""
        )

    nodes = answer.data["remediationAudits"]["nodes"]
    assert [node["analyses"]["nodes"][0]["analysisId"] for node in nodes] == [
        f"an-{n}" for n in (4, 3, 2, 1, 0)
    ]
    assert all(len(node["executions"]["nodes"]) == 1 and len(node["events"]["nodes"]) == 4 for node in nodes)
    assert len(seen) == 6  # the list, four relations, the remediations of the analyses


async def test_executions_find_their_remediation_through_their_workflow(
    client: GraphQLClient, statements: Any
) -> None:
    for n in range(5):
        await client.create(**remediation_input(remediationRequestId=f"rr-{n}", name=f"name-{n}"))
        await store(client, "AiAnalysisAudit", analysisId=f"an-{n}", remediationRequestId=f"rr-{n}")
        await store(client, "WorkflowAudit", workflowId=f"wf-{n}", remediationRequestId=f"rr-{n}")
        await store(client, "ExecutionAudit", executionId=f"ex-{n}", workflowId=f"wf-{n}")
    await store(client, "ExecutionAudit", executionId="ex-5", workflowId="wf-unknown")

    with statements.counted() as seen:
        answer = await client.ask(
            """{ executionAudits { nodes { executionId remediationRequestId
              remediation { name } analyses { nodes { analysisId } } workflows { nodes { workflowId } }
              executions { totalCount nodes { executionId } } events { nodes { subjectKind subjectKey } } } } }"""
        )

    lost, *found = answer.data["executionAudits"]["nodes"]
    assert found == [
        {
            "executionId": f"ex-{n}",
            "remediationRequestId": None,
            "remediation": {"name": f"name-{n}"},
            "analyses": {"nodes": [{"analysisId": f"an-{n}"}]},
            "workflows": {"nodes": [{"workflowId": f"wf-{n}"}]},
            "executions": {"totalCount": 1, "nodes": [{"executionId": f"ex-{n}"}]},
            "events": {
                "nodes": [
                    {"subjectKind": "EXECUTION", "subjectKey": f"ex-{n}"},
                    {"subjectKind": "WORKFLOW", "subjectKey": f"wf-{n}"},
                    {"subjectKind": "ANALYSIS", "subjectKey": f"an-{n}"},
                    {"subjectKind": "REMEDIATION", "subjectKey": f"rr-{n}"},
                ]
            },
        }
        for n in (4, 3, 2, 1, 0)
    ]
    assert (lost["executionId"], lost["remediation"], lost["events"]["nodes"]) == ("ex-5", None, [])
    # the list, the workflows, the remediations, four relations, and a count for each total
    assert len(seen) == 7 + 5


async def test_relations_page_like_any_list(client: GraphQLClient) -> None:
    await client.create(**remediation_input())
    for n in range(5):
        await store(client, "AiAnalysisAudit", analysisId=f"an-{n}")
    page = '{ remediationAudit(requestId: "rr-1") { analyses(first: 2 %s) { nodes { analysisId } pageInfo { hasNextPage endCursor } totalCount } } }'

    seen, cursor, more = [], "", True
    while more:
        analyses = (await client.ask(page % cursor)).data["remediationAudit"]["analyses"]
        seen += [node["analysisId"] for node in analyses["nodes"]]
        more, cursor = analyses["pageInfo"]["hasNextPage"], f'after: "{analyses["pageInfo"]["endCursor"]}"'
        assert analyses["totalCount"] == 5

    assert seen == ["an-4", "an-3", "an-2", "an-1", "an-0"]


async def test_every_record_is_a_node(client: GraphQLClient) -> None:
    await client.create(**remediation_input())
    for type_name in CREATES:
        await store(client, type_name)
    answer = await client.ask(
        """{ remediationAudit(requestId: "rr-1") { id analyses { nodes { id } } workflows { nodes { id } }
             executions { nodes { id } } events { nodes { id } } } }"""
    )
    audit = answer.data["remediationAudit"]
    ids = [
        audit["id"],
        *(audit[name]["nodes"][0]["id"] for name in ("analyses", "workflows", "executions", "events")),
    ]

    types = [
        (await client.ask("query($id: ID!) { node(id: $id) { __typename id } }", id=name)).data["node"]
        for name in ids
    ]

    assert [node["__typename"] for node in types] == [
        "RemediationAudit",
        "AiAnalysisAudit",
        "WorkflowAudit",
        "ExecutionAudit",
        "RemediationEvent",
    ]
    assert [node["id"] for node in types] == ids


async def test_a_bad_page_beside_a_good_one_fails_alone(client: GraphQLClient) -> None:
    await client.create(**remediation_input())
    await store(client, "WorkflowAudit")

    answer = await client.ask(
        "{ workflowAudits { a: nodes { analyses { totalCount } } "
        "nodes { analyses { totalCount } executions(first: 0) { totalCount } } } }"
    )

    assert answer.status == 200
    assert [error["extensions"]["code"] for error in answer.body["errors"]] == ["BAD_USER_INPUT"]


async def test_true_is_not_1_to_an_update_or_a_repeated_create(client: GraphQLClient) -> None:
    await client.create(**remediation_input(metadata={"retry": 1}))

    again = await client.create(**remediation_input(metadata={"retry": True}))
    changed = await client.update(requestId="rr-1", metadata={"retry": True})

    assert again["fields"] == ["metadata"]
    assert changed["receipt"]["replayed"] is False
    assert changed["remediationAudit"]["metadata"] == {"retry": True}
