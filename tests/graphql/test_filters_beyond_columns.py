"""Filters on ids, metadata, words and related records: what each keeps, and what is refused."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.engine import URL

from support.api import Api, opened_api
from support.around import ANALYSIS, EXECUTION, WORKFLOW, around
from support.client import GraphQLClient
from support.lists import keys, listed, refused
from support.records import remediation_input

ROWS: dict[str, dict[str, Any]] = {
    "alpha": {
        "errorMessage": "Back-off pulling image: ImagePullBackOff",
        "metadata": {
            "summary": "Checkout does not start",
            "team": "shop",
            "tries": 3,
            "alerts": [{"name": "A"}],
        },
        "actionParameters": {"grace": 30},
    },
    "beta": {
        "errorMessage": "ORA-00600: internal error code",
        "metadata": {"team": "Search", "tries": 10, "alerts": [{"name": "B"}, {"name": "C"}], "note": None},
    },
    "gamma": {"metadata": {"team": {"name": "shop"}, "tries": "3"}},
}
AROUND = """
mutation($analyses: [CreateAiAnalysisAuditInput!]!, $workflows: [CreateWorkflowAuditInput!]!,
         $executions: [CreateExecutionAuditInput!]!) {
  createAiAnalysisAudits(inputs: $analyses) { __typename }
  createWorkflowAudits(inputs: $workflows) { __typename }
  createExecutionAudits(inputs: $executions) { __typename }
}
"""


@pytest.fixture(scope="module")
async def api(server_url: URL, template: str) -> AsyncIterator[Api]:
    async with opened_api(server_url, template) as opened:
        for place, (key, fields) in enumerate(ROWS.items()):
            start = f"2026-01-01T12:0{9 - place}:00Z"
            created = await opened.client.create(
                **remediation_input(remediationRequestId=key, startTime=start, **fields)
            )
            assert created["__typename"] == "CreateRemediationAuditPayload", created
        await opened.client.ask(
            AROUND,
            analyses=[
                around(ANALYSIS, analysisId="an-1", remediationRequestId="alpha", confidenceScore=0.4),
                around(ANALYSIS, analysisId="an-2", remediationRequestId="alpha", confidenceScore=0.9),
                around(
                    ANALYSIS, analysisId="an-3", remediationRequestId="beta", rootCause="The undo tablespace"
                ),
            ],
            workflows=[
                around(WORKFLOW, workflowId="wf-1", remediationRequestId="alpha"),
                around(WORKFLOW, workflowId="wf-2", remediationRequestId="beta", phase="FAILED"),
            ],
            executions=[
                around(EXECUTION, executionId="ex-1", workflowId="wf-1", success=False),
                around(EXECUTION, executionId="ex-2", workflowId="wf-9", remediationRequestId="gamma"),
            ],
        )
        yield opened


@pytest.fixture
def client(api: Api) -> GraphQLClient:
    return api.client


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ({"contains": {"team": "shop"}}, ["alpha"]),
        ({"contains": {"alerts": [{"name": "B"}]}}, ["beta"]),
        ({"contains": {}}, ["alpha", "beta", "gamma"]),
        ({"path": [{"path": ["team"], "eq": "shop"}]}, ["alpha"]),
        ({"path": [{"path": ["team", "name"], "eq": "shop"}]}, ["gamma"]),
        ({"path": [{"path": ["team"], "ne": "shop"}]}, ["beta", "gamma"]),
        ({"path": [{"path": ["tries"], "eq": 3}]}, ["alpha"]),
        ({"path": [{"path": ["tries"], "eq": 3.0}]}, ["alpha"]),
        ({"path": [{"path": ["tries"], "in": [10, "3"]}]}, ["beta", "gamma"]),
        ({"path": [{"path": ["tries"], "notIn": [10, "3"]}]}, ["alpha"]),
        ({"path": [{"path": ["tries"], "gt": 3}]}, ["beta"]),
        ({"path": [{"path": ["tries"], "gte": 3, "lt": 10}]}, ["alpha"]),
        ({"path": [{"path": ["tries"], "gt": "2"}]}, ["gamma"]),
        ({"path": [{"path": ["team"], "startsWith": "SEA"}]}, ["beta"]),
        ({"path": [{"path": ["team"], "contains": "HO"}]}, ["alpha"]),
        ({"path": [{"path": ["alerts", "1", "name"], "exists": True}]}, ["beta"]),
        ({"path": [{"path": ["alerts", "-1", "name"], "eq": "A"}]}, ["alpha"]),
        ({"path": [{"path": ["note"], "exists": True}]}, ["beta"]),
        ({"path": [{"path": ["alerts"], "exists": False}]}, ["gamma"]),
        ({"path": [{"path": ["team"], "exists": True}, {"path": ["tries"], "lte": 10}]}, ["alpha", "beta"]),
    ],
)
async def test_metadata_are_compared_by_content_and_by_path(
    client: GraphQLClient, where: dict, kept: list[str]
) -> None:
    assert keys(await listed(client, filter={"metadata": where})) == kept


async def test_action_parameters_are_compared_alike(client: GraphQLClient) -> None:
    where = {"actionParameters": {"path": [{"path": ["grace"], "lte": 30}]}}
    assert keys(await listed(client, filter=where)) == ["alpha"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("checkout START", ["alpha"]),
        ("ImagePullBackOff", ["alpha"]),
        ("imagepullbackoff", ["alpha"]),
        ("pulling image checkout", ["alpha"]),
        ("ORA-00600", ["beta"]),
        ("00600 tablespace", ["beta"]),
        ("payment-api", ["alpha", "beta", "gamma"]),
        ("payment-api tablespace", ["beta"]),
        ("tables", []),
    ],
)
async def test_text_finds_what_has_all_its_words_root_causes_included(
    client: GraphQLClient, text: str, kept: list[str]
) -> None:
    assert keys(await listed(client, filter={"text": text})) == kept


async def test_changed_text_is_found_by_its_new_words_only(client: GraphQLClient) -> None:
    await client.create(**remediation_input(remediationRequestId="delta", errorMessage="quorum lost"))
    await client.update(requestId="delta", errorMessage="leader elected")

    assert keys(await listed(client, filter={"text": "quorum"})) == []
    assert keys(await listed(client, filter={"text": "leader"})) == ["delta"]

    await client.update(requestId="delta", errorMessage=None)
    assert keys(await listed(client, filter={"text": "leader"})) == []


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ({"analyses": {"some": {"confidenceScore": {"lt": 0.5}}}}, ["alpha"]),
        ({"analyses": {"every": {"confidenceScore": {"gte": 0.5}}}}, ["beta", "gamma"]),
        ({"analyses": {"none": {"confidenceScore": {"lt": 0.5}}}}, ["beta", "gamma"]),
        ({"analyses": {"none": {}}}, ["gamma"]),
        ({"analyses": {"some": {}, "every": {"confidenceScore": {"gte": 0.5}}}}, ["beta"]),
        ({"workflows": {"some": {"phase": {"eq": "FAILED"}}}}, ["beta"]),
        ({"workflows": {"some": {"steps": {"some": {"success": {"eq": False}}}}}}, ["alpha"]),
        ({"executions": {"some": {"success": {"eq": True}}}}, ["gamma"]),
        ({"executions": {"some": {"success": {"eq": False}}}}, ["alpha"]),
        ({"executions": {"none": {}}}, ["beta"]),
        ({"not": {"executions": {"none": {}}}}, ["alpha", "gamma"]),
    ],
)
async def test_remediations_are_kept_by_what_belongs_to_them(
    client: GraphQLClient, where: dict, kept: list[str]
) -> None:
    among = {"remediationRequestId": {"in": list(ROWS)}}
    assert keys(await listed(client, filter={"and": [where, among]})) == kept


async def test_records_around_are_kept_by_what_they_belong_to(client: GraphQLClient) -> None:
    answer = await client.ask(
        """{
          aiAnalysisAudits(filter: {remediation: {metadata: {contains: {team: "shop"}}}}) { nodes { analysisId } }
          workflowAudits(filter: {remediation: {text: "ORA"}}) { nodes { workflowId } }
          executionAudits(filter: {remediation: {remediationRequestId: {in: ["alpha", "gamma"]}}}) {
            nodes { executionId }
          }
          steps: executionAudits(filter: {workflow: {phase: {eq: PLANNING}}}) { nodes { executionId } }
        }"""
    )

    found = {
        name: {next(iter(node.values())) for node in page["nodes"]} for name, page in answer.data.items()
    }
    assert found == {
        "aiAnalysisAudits": {"an-1", "an-2"},
        "workflowAudits": {"wf-2"},
        "executionAudits": {"ex-1", "ex-2"},
        "steps": {"ex-1"},
    }


async def test_ids_are_compared_as_the_api_gives_them(client: GraphQLClient) -> None:
    answer = await client.ask(
        '{ remediationAudit(requestId: "beta") { id databaseId analyses { nodes { id } } } }'
    )
    beta = answer.data["remediationAudit"]

    assert keys(await listed(client, filter={"id": {"eq": beta["id"]}})) == ["beta"]
    assert keys(await listed(client, filter={"databaseId": {"in": [beta["databaseId"]]}})) == ["beta"]
    assert "beta" not in keys(await listed(client, filter={"id": {"notIn": [beta["id"]]}}))
    code, message = await refused(client, filter={"id": {"in": [beta["analyses"]["nodes"][0]["id"]]}})
    assert (code, "AiAnalysisAudit" in message) == ("BAD_USER_INPUT", True)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"text": "?!"}, "filter: searches for a text without any word in it"),
        ({"text": "x" * 20_000}, "filter: searches for a text of more than 16384 bytes"),
        ({"metadata": {"path": [{"path": []}]}}, None),
        (
            {"metadata": {"path": [{"path": [], "exists": True}]}},
            "filter: has a path of 0 keys; 1 to 10 are allowed",
        ),
        (
            {"metadata": {"path": [{"path": ["a"] * 11, "eq": 1}]}},
            "filter: has a path of 11 keys; 1 to 10 are allowed",
        ),
        (
            {"metadata": {"path": [{"path": ["a"], "gt": True}]}},
            "filter: gt compares metadata with neither number nor string",
        ),
        (
            {"metadata": {"path": [{"path": ["a"], "eq": None}]}},
            "filter: compares metadata with null; use exists",
        ),
        (
            {"metadata": {"contains": {"a": "\x00"}}},
            "filter: compares with text that contains NUL, which no stored text does",
        ),
        (
            {"metadata": {"contains": {"a": "x" * 20_000}}},
            "filter: compares with JSON of more than 16384 bytes",
        ),
        (
            {"metadata": {"path": [{"path": ["a\x00"], "exists": True}]}},
            "filter: compares with text that contains NUL, which no stored text does",
        ),
    ],
)
async def test_what_no_filter_can_mean_is_refused(
    client: GraphQLClient, where: dict, message: str | None
) -> None:
    if message is None:  # a path without any comparison asks for nothing
        assert len(keys(await listed(client, filter=where))) >= len(ROWS)
    else:
        assert await refused(client, filter=where) == ("BAD_USER_INPUT", message)


async def test_filters_that_reach_too_deep_are_refused(client: GraphQLClient) -> None:
    where: dict[str, Any] = {"phase": {"eq": "PLANNING"}}
    for _ in range(10):
        where = {"steps": {"some": {"workflow": where}}}

    code, message = await refused(client, filter={"workflows": {"some": where}})

    assert (code, message) == ("BAD_USER_INPUT", "filter: is nested deeper than 10 levels")


@pytest.mark.parametrize("literal", ["1e400", "-1e400"])
@pytest.mark.parametrize("comparison", ["eq", "gt", "in"])
async def test_numbers_beyond_json_are_refused_also_in_the_document(
    client: GraphQLClient, literal: str, comparison: str
) -> None:
    value = f"[{literal}]" if comparison == "in" else literal
    document = (
        f'{{ remediationAudits(filter: {{metadata: {{path: [{{path: ["n"], {comparison}: {value}}}]}}}}) '
        "{ nodes { id } } }"
    )

    answer = await client.ask(document)

    assert answer.error["extensions"]["code"] == "BAD_USER_INPUT"
    assert answer.error["message"].startswith("filter: compares with what is no JSON")


async def test_numbers_beyond_64_bits_compare_exactly(client: GraphQLClient) -> None:
    document = (
        '{ remediationAudits(filter: {metadata: {path: [{path: ["tries"], lt: %d}]}}) { nodes { id } } }'
    )

    answer = await client.ask(document % 10**30)

    assert len(answer.data["remediationAudits"]["nodes"]) == 2  # alpha and beta: gamma's is a string


async def test_a_backslash_before_zeros_is_no_nul(client: GraphQLClient) -> None:
    assert keys(await listed(client, filter={"metadata": {"contains": {"a": "\\u0000"}}})) == []
