"""remediationAudit and node: one audit by its key or its global id, and what a malformed one answers."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.engine import URL

from datastorage.domain.caller import Caller, Right, Scope
from datastorage.domain.remediation import REMEDIATION
from datastorage.services import records
from datastorage.services.records import RecordKey
from support.api import Api, opened_api
from support.client import Answer, GraphQLClient
from support.records import remediation_input

ONE = """
query One($id: ID, $requestId: String) {
  remediationAudit(id: $id, requestId: $requestId) {
    id databaseId version remediationRequestId name namespace phase status actionType actionParameters
    startTime endTime durationMs alertFingerprint severity environment clusterName targetResource
    targetKind targetNamespace targetName errorMessage resolution metadata
  }
}
"""
NODE = "query Node($id: ID!) { node(id: $id) { __typename id ... on RemediationAudit { remediationRequestId } } }"
FORMATTED = """
query Formatted($requestId: String!) {
  remediationAudit(requestId: $requestId) {
    errorMessage
    errorPlain: errorMessage(format: PLAIN) errorHtml: errorMessage(format: HTML)
    resolutionPlain: resolution(format: PLAIN) resolutionHtml: resolution(format: HTML)
  }
}
"""

STORED = remediation_input(
    remediationRequestId="stored",
    phase="FAILED",
    actionParameters={"replicas": 3},
    endTime="2026-01-01T12:00:01.25Z",
    targetResource="shop/Deployment/payment-api",
    errorMessage="out of memory",
    resolution="raised the limit",
    metadata={"team": "core"},
)


def global_id(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture(scope="module")
async def api(server_url: URL, template: str) -> AsyncIterator[Api]:
    async with opened_api(server_url, template) as opened:
        await opened.client.create(**STORED)
        yield opened


@pytest.fixture
def client(api: Api) -> GraphQLClient:
    return api.client


@pytest.fixture
async def stored_id(api: Api) -> str:
    """The global id of the stored audit."""
    number = await api.sql.fetchval(
        "SELECT id FROM remediation_audit WHERE remediation_request_id = 'stored'"
    )
    return global_id(f"RemediationAudit:{number}")


def code(answer: Answer) -> str:
    return answer.error["extensions"]["code"]


async def test_by_request_id_answers_with_all_fields_as_stored(client: GraphQLClient, stored_id: str) -> None:
    answer = await client.ask(ONE, requestId="stored")

    number = int(base64.b64decode(stored_id).decode().partition(":")[2])
    assert answer.data["remediationAudit"] == {
        **STORED,
        "id": stored_id,
        "databaseId": number,
        "version": 1,
        "status": "FAILURE",
        "endTime": "2026-01-01T12:00:01.250000Z",
        "durationMs": 1250,
        "targetKind": "Deployment",
        "targetNamespace": "shop",
        "targetName": "payment-api",
    }


async def test_by_global_id_answers_with_the_same_audit(client: GraphQLClient, stored_id: str) -> None:
    by_id, by_key = await client.ask(ONE, id=stored_id), await client.ask(ONE, requestId="stored")

    assert by_id.data == by_key.data


async def test_node_answers_with_the_audit_and_its_type(client: GraphQLClient, stored_id: str) -> None:
    answer = await client.ask(NODE, id=stored_id)

    assert answer.data == {
        "node": {"__typename": "RemediationAudit", "id": stored_id, "remediationRequestId": "stored"}
    }


async def test_one_audit_takes_one_statement(client: GraphQLClient, stored_id: str, statements: Any) -> None:
    for query, variables in (
        (ONE, {"requestId": "stored"}),
        (ONE, {"id": stored_id}),
        (NODE, {"id": stored_id}),
    ):
        with statements.counted() as seen:
            await client.ask(query, **variables)
        assert len(seen) == 1, seen


@pytest.mark.parametrize("variables", [{}, {"id": None, "requestId": None}])
async def test_naming_no_audit_is_refused(client: GraphQLClient, variables: dict) -> None:
    answer = await client.ask(ONE, **variables)

    assert (code(answer), answer.body["data"]) == ("BAD_USER_INPUT", {"remediationAudit": None})
    assert answer.error["message"] == "requestId: give exactly one of requestId and id"


async def test_naming_an_audit_twice_is_refused(client: GraphQLClient, stored_id: str) -> None:
    answer = await client.ask(ONE, id=stored_id, requestId="stored")

    assert code(answer) == "BAD_USER_INPUT"
    assert answer.error["extensions"]["faults"] == [
        {"field": "requestId", "reason": "INVALID", "message": "give exactly one of requestId and id"}
    ]


@pytest.mark.parametrize("request_id", ["unknown", "STORED", "stored ", "", "a" * 10_000, "stored\x00", "ü"])
async def test_an_unknown_request_id_answers_null(client: GraphQLClient, request_id: str) -> None:
    assert (await client.ask(ONE, requestId=request_id)).data == {"remediationAudit": None}


@pytest.mark.parametrize("number", ["0", "987654321", str(2**63 - 1)])
async def test_an_unknown_global_id_answers_null(client: GraphQLClient, number: str) -> None:
    unknown = global_id(f"RemediationAudit:{number}")

    assert (await client.ask(ONE, id=unknown)).data == {"remediationAudit": None}
    assert (await client.ask(NODE, id=unknown)).data == {"node": None}


MALFORMED = {
    "empty": "",
    "a number": 1,
    "a request id": "stored",
    "no base64": "§$%",
    "no text": base64.b64encode(b"\xff\xfe").decode(),
    "no number": global_id("RemediationAudit"),
    "an empty number": global_id("RemediationAudit:"),
    "no type": global_id(":1"),
    "negative": global_id("RemediationAudit:-1"),
    "signed": global_id("RemediationAudit:+1"),
    "fraction": global_id("RemediationAudit:1.0"),
    "word": global_id("RemediationAudit:one"),
    "other digits": global_id("RemediationAudit:\N{ARABIC-INDIC DIGIT ONE}"),
    "leading zero": global_id("RemediationAudit:01"),
    "two numbers": global_id("RemediationAudit:1:1"),
    "white space": global_id("RemediationAudit:1 "),
    "beyond bigint": global_id(f"RemediationAudit:{2**63}"),
    "thousands of digits": global_id("RemediationAudit:" + "9" * 5000),
    "no padding": global_id("RemediationAudit:12").rstrip("="),
    "other last bits": global_id("RemediationAudit:12").replace("g==", "h=="),
    "markup": global_id("<script>:1"),
}


@pytest.mark.parametrize("malformed", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_malformed_global_id_is_refused(client: GraphQLClient, malformed: object) -> None:
    for answer in (await client.ask(ONE, id=malformed), await client.ask(NODE, id=malformed)):
        assert (answer.status, code(answer)) == (200, "BAD_USER_INPUT")
        assert answer.error["message"] == "id: is no id of this service"


async def test_an_id_of_another_type_is_refused_with_both_types_named(client: GraphQLClient) -> None:
    answer = await client.ask(ONE, id=global_id("WorkflowAudit:1"))
    node = await client.ask(NODE, id=global_id("Pod:1"))

    assert (code(answer), code(node)) == ("BAD_USER_INPUT", "BAD_USER_INPUT")
    assert answer.error["message"] == "id: belongs to a WorkflowAudit, not to a RemediationAudit"
    assert node.error["message"] == "id: belongs to a Pod, which is no type of this service"


async def test_html_is_safe_in_a_page_and_plain_is_as_stored(client: GraphQLClient) -> None:
    text = """<img src=x onerror="alert('1')"> & </script> ü"""
    await client.create(**remediation_input(remediationRequestId="html", errorMessage=text, resolution=text))

    audit = (await client.ask(FORMATTED, requestId="html")).data["remediationAudit"]

    escaped = "&lt;img src=x onerror=&quot;alert(&#x27;1&#x27;)&quot;&gt; &amp; &lt;/script&gt; ü"
    assert audit == {
        "errorMessage": text,
        "errorPlain": text,
        "errorHtml": escaped,
        "resolutionPlain": text,
        "resolutionHtml": escaped,
    }


async def test_absent_text_stays_absent_in_html(client: GraphQLClient) -> None:
    await client.create(**remediation_input(remediationRequestId="textless"))

    audit = (await client.ask(FORMATTED, requestId="textless")).data["remediationAudit"]

    assert set(audit.values()) == {None}


@pytest.mark.parametrize(
    "scope",
    [
        Scope(namespaces=frozenset({"elsewhere"})),
        Scope(clusters=frozenset({"elsewhere"})),
        Scope(frozenset()),
    ],
)
async def test_a_row_outside_the_callers_scope_is_not_there(api: Api, stored_id: str, scope: Scope) -> None:
    number = int(base64.b64decode(stored_id).decode().partition(":")[2])
    outsider = Caller("outsider", frozenset({Right.READ}), scope)
    insider = Caller(
        "insider", frozenset({Right.READ}), Scope(frozenset({"payments"}), frozenset({"prod-eu-1"}))
    )

    for key in (RecordKey(id=number), RecordKey(key="stored")):
        assert await records.get_record(api.deps, outsider, REMEDIATION, key) is None
        seen = await records.get_record(api.deps, insider, REMEDIATION, key)
        assert seen is not None
        assert seen.id == number
