"""Many creates in one mutation: each has its own result, unless all of them are wanted or none."""

from typing import Any

import asyncpg
import pytest

from datastorage.errors import Unavailable
from datastorage.services.dependencies import Dependencies
from support.around import ANALYSIS, around
from support.client import GraphQLClient
from support.records import remediation_input

BATCH = """
mutation($inputs: [CreateRemediationAuditInput!]!, $atomic: Boolean = false) {
  createRemediationAudits(inputs: $inputs, atomic: $atomic) {
    __typename
    ... on CreateRemediationAuditPayload { remediationAudit { remediationRequestId } receipt { replayed similarity } }
    ... on UserError { message code }
    ... on ValidationError { faults { field } }
    ... on ConflictError { fields }
  }
}
"""


async def send(client: GraphQLClient, *inputs: dict[str, Any], atomic: bool = False) -> list[dict[str, Any]]:
    return (await client.ask(BATCH, inputs=list(inputs), atomic=atomic)).data["createRemediationAudits"]


def item(number: int, **overrides: Any) -> dict[str, Any]:
    return remediation_input(remediationRequestId=f"rr-{number}", **overrides)


async def test_one_bad_item_does_not_spoil_the_others(client: GraphQLClient, sql: asyncpg.Connection) -> None:
    await client.create(**item(3))

    results = await send(
        client, item(1), item(2, name="NOT A NAME"), item(3), item(3, severity="LOW"), item(4)
    )

    assert [result["__typename"] for result in results] == [
        "CreateRemediationAuditPayload",
        "ValidationError",
        "CreateRemediationAuditPayload",
        "ConflictError",
        "CreateRemediationAuditPayload",
    ]
    assert [results[n]["receipt"]["replayed"] for n in (0, 2, 4)] == [False, True, False]
    assert results[1]["faults"] == [{"field": "name"}]
    assert results[3]["fields"] == ["severity"]
    assert await sql.fetchval("SELECT count(*) FROM remediation_audit") == 3
    assert await sql.fetchval("SELECT count(*) FROM remediation_event") == 3


async def test_the_same_key_twice_in_a_batch_is_a_replay_or_a_conflict(client: GraphQLClient) -> None:
    results = await send(client, item(1), item(1), item(1, severity="LOW"))

    assert [result["__typename"] for result in results] == [
        "CreateRemediationAuditPayload",
        "CreateRemediationAuditPayload",
        "ConflictError",
    ]
    assert [results[n]["receipt"]["replayed"] for n in (0, 1)] == [False, True]


async def test_an_atomic_batch_with_a_bad_item_stores_nothing(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    await client.create(**item(9))

    for bad in (item(2, name="NOT A NAME"), item(9, severity="LOW")):
        results = await send(client, item(1), bad, item(3), atomic=True)

        assert [result["code"] for result in results] == [
            "CONFLICT",
            "VALIDATION" if bad["name"] == "NOT A NAME" else "CONFLICT",
            "CONFLICT",
        ]
        assert results[0]["message"] == "not stored, since another item of this atomic batch was refused"
    assert await sql.fetchval("SELECT count(*) FROM remediation_audit") == 1
    assert await sql.fetchval("SELECT count(*) FROM remediation_event") == 1


async def test_an_atomic_batch_of_good_items_stores_all(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    results = await send(client, *(item(n) for n in range(500)), atomic=True)

    assert {result["__typename"] for result in results} == {"CreateRemediationAuditPayload"}
    assert await sql.fetchval("SELECT count(*) FROM remediation_audit") == 500


async def test_more_than_500_items_are_refused(client: GraphQLClient, sql: asyncpg.Connection) -> None:
    answer = await client.ask(BATCH, inputs=[item(n) for n in range(501)])

    assert answer.error["extensions"]["code"] == "BAD_USER_INPUT"
    assert await sql.fetchval("SELECT count(*) FROM remediation_audit") == 0


async def test_of_two_items_with_one_key_the_first_is_found_by_its_own_text(client: GraphQLClient) -> None:
    await send(client, item(1, errorMessage="disk is full"), item(1, errorMessage="certificate has expired"))
    await send(client, item(2, errorMessage="disk is full"))

    found = await client.ask(
        '{ similarIncidents(text: "disk is full") { hits { similarity incident { remediationRequestId } } } }'
    )

    first, second = found.data["similarIncidents"]["hits"]
    assert first["similarity"] == second["similarity"]


async def test_a_write_is_seen_by_the_fields_after_it(client: GraphQLClient) -> None:
    answer = await client.ask(
        """mutation($a: CreateAiAnalysisAuditInput!, $r: CreateRemediationAuditInput!, $b: CreateAiAnalysisAuditInput!) {
          before: createAiAnalysisAudit(input: $a) { ... on CreateAiAnalysisAuditPayload {
            aiAnalysisAudit { remediation { name } analyses { totalCount nodes { analysisId } } } } }
          createRemediationAudit(input: $r) { __typename }
          after: createAiAnalysisAudit(input: $b) { ... on CreateAiAnalysisAuditPayload {
            aiAnalysisAudit { remediation { name } analyses { totalCount nodes { analysisId } } } } }
        }""",
        a=around(ANALYSIS),
        r=remediation_input(),
        b=around(ANALYSIS, analysisId="an-2"),
    )

    assert answer.data["before"]["aiAnalysisAudit"]["remediation"] is None
    after = answer.data["after"]["aiAnalysisAudit"]
    assert after["remediation"] == {"name": "payment-api-oom"}
    assert (after["analyses"]["totalCount"], len(after["analyses"]["nodes"])) == (2, 2)


async def test_an_outage_is_the_outcome_of_every_item(
    client: GraphQLClient, deps: Dependencies, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: object) -> None:
        raise Unavailable("the database is not available; try again")

    monkeypatch.setattr(type(deps.ids["RemediationAudit"]), "take", down)

    results = await send(client, item(1), item(2, name="NOT A NAME"), item(3))

    assert [result["code"] for result in results] == ["UNAVAILABLE", "VALIDATION", "UNAVAILABLE"]
