"""recordFeedback: an event that tells whether a past incident helped with another."""

import asyncio
from typing import Any

import asyncpg
import pytest

from datastorage.domain.caller import Caller, Right, Scope
from datastorage.errors import Forbidden, RecordNotFound
from datastorage.services.dependencies import Dependencies
from datastorage.services.feedback import Feedback, record_feedback
from support.client import GraphQLClient
from support.records import remediation_input

RECORD = """
mutation($requestId: String!, $similarTo: String!, $helpful: Boolean!, $note: String) {
  recordFeedback(requestId: $requestId, similarTo: $similarTo, helpful: $helpful, note: $note) {
    __typename
    ... on RecordFeedbackPayload {
      event { id remediationRequestId subjectKind subjectKey version kind actor namespace clusterName changes }
      receipt { replayed similarity redactions { field pattern count } }
    }
    ... on UserError { message code }
    ... on ValidationError { faults { field reason } }
  }
}
"""
PAIR = {"requestId": "rr-1", "similarTo": "rr-2", "helpful": True}


@pytest.fixture
async def pair(client: GraphQLClient) -> GraphQLClient:
    for n in (1, 2):
        await client.create(**remediation_input(remediationRequestId=f"rr-{n}"))
    await client.update(requestId="rr-1", severity="LOW")
    return client


async def record(client: GraphQLClient, **fields: Any) -> dict[str, Any]:
    return (await client.ask(RECORD, **{**PAIR, **fields})).data["recordFeedback"]


async def recorded(sql: asyncpg.Connection) -> int:
    return await sql.fetchval("SELECT count(*) FROM remediation_event WHERE kind = 'feedback_recorded'")


async def test_feedback_is_an_event_and_leaves_the_row_alone(
    pair: GraphQLClient, sql: asyncpg.Connection
) -> None:
    before = await sql.fetchrow("SELECT * FROM remediation_audit WHERE remediation_request_id = 'rr-1'")

    result = await record(pair, note="  same leak, password=hunter2secret\x00 ")

    assert {**result["event"], "id": None} == {
        "id": None,
        "remediationRequestId": "rr-1",
        "subjectKind": "REMEDIATION",
        "subjectKey": "rr-1",
        "version": 2,
        "kind": "FEEDBACK_RECORDED",
        "actor": "anonymous",
        "namespace": "payments",
        "clusterName": "prod-eu-1",
        "changes": {
            "similar_to": "rr-2",
            "helpful": True,
            "note": "same leak, password=[REDACTED:password]",
        },
    }
    assert result["receipt"] == {
        "replayed": False,
        "similarity": "INDEXED",
        "redactions": [{"field": "note", "pattern": "password", "count": 1}],
    }
    after = await sql.fetchrow("SELECT * FROM remediation_audit WHERE remediation_request_id = 'rr-1'")
    assert after == before
    events = await pair.ask('{ remediation(requestId: "rr-1") { events(first: 1) { nodes { id kind } } } }')
    assert events.data["remediation"]["events"]["nodes"] == [
        {"id": result["event"]["id"], "kind": "FEEDBACK_RECORDED"}
    ]


async def test_the_last_word_again_is_replayed_and_another_word_is_not(
    pair: GraphQLClient, sql: asyncpg.Connection
) -> None:
    first = await record(pair, note="pwd=hunter2secret")
    again = await record(pair, note=" pwd=hunter2secret ")
    other = await record(pair, helpful=False, note="pwd=hunter2secret")
    back = await record(pair, note="pwd=hunter2secret")
    silent = await record(pair)
    turned = await record(pair, requestId="rr-2", similarTo="rr-1", note="pwd=hunter2secret")

    assert again["event"] == first["event"]
    replayed = [result["receipt"]["replayed"] for result in (first, again, other, back, silent, turned)]
    assert replayed == [False, True, False, False, False, False]
    assert await recorded(sql) == 5


async def test_each_actor_has_a_word_of_its_own(
    pair: GraphQLClient, deps: Dependencies, sql: asyncpg.Connection
) -> None:
    said = Feedback("rr-1", "rr-2", helpful=True)
    actors = [
        Caller("gateway", frozenset({Right.WRITE}), declared_actor=name) for name in (None, "ann", "bob")
    ]

    first = [(await record_feedback(deps, actor, said)).receipt.replayed for actor in actors]
    again = [(await record_feedback(deps, actor, said)).receipt.replayed for actor in actors]

    assert (first, again) == ([False] * 3, [True] * 3)
    assert await recorded(sql) == 3


async def test_of_16_equal_words_at_once_one_is_recorded(
    pair: GraphQLClient, sql: asyncpg.Connection
) -> None:
    results = await asyncio.gather(*(record(pair) for _ in range(16)))

    assert sum(result["receipt"]["replayed"] for result in results) == 15
    assert await recorded(sql) == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"requestId": "rr-9"}, "no remediation audit with requestId rr-9"),
        ({"similarTo": "rr-9"}, "no remediation audit with similarTo rr-9"),
        (
            {"requestId": "rr-8", "similarTo": "rr-9"},
            "no remediation audit with requestId rr-8, and none with similarTo rr-9",
        ),
        ({"similarTo": "rr\x00"}, "no remediation audit with similarTo rr\x00"),
    ],
)
async def test_both_remediations_must_be_there(
    pair: GraphQLClient, sql: asyncpg.Connection, wrong: dict[str, str], message: str
) -> None:
    result = await record(pair, **wrong)

    assert (result["__typename"], result["message"]) == ("NotFoundError", message)
    assert await recorded(sql) == 0


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"similarTo": "rr-1"}, {"field": "similarTo", "reason": "INVALID"}),
        ({"note": "x" * 10_241}, {"field": "note", "reason": "LENGTH_EXCEEDED"}),
    ],
)
async def test_wrong_feedback_is_refused(
    pair: GraphQLClient, sql: asyncpg.Connection, wrong: dict[str, str], fault: dict[str, str]
) -> None:
    result = await record(pair, **wrong)

    assert result["faults"] == [fault]
    assert await recorded(sql) == 0


async def test_what_lies_beyond_the_scope_is_not_found(
    pair: GraphQLClient, deps: Dependencies, sql: asyncpg.Connection
) -> None:
    await pair.create(**remediation_input(remediationRequestId="rr-3", namespace="search"))
    insider = Caller("insider", frozenset({Right.WRITE}), Scope(namespaces=frozenset({"payments"})))
    reader = Caller("reader", frozenset({Right.READ}))

    with pytest.raises(RecordNotFound, match="no remediation audit with similarTo rr-3"):
        await record_feedback(deps, insider, Feedback("rr-1", "rr-3", helpful=True))
    with pytest.raises(Forbidden):
        await record_feedback(deps, reader, Feedback("rr-1", "rr-2", helpful=True))

    assert await recorded(sql) == 0
