"""recommendedActions: what was tried on similar incidents, the reliable before the lucky, with figures to check."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.util import await_only

from datastorage.app import dependencies
from datastorage.domain.caller import ANONYMOUS, Caller, Right, Scope
from datastorage.domain.filters import Condition, Operator
from datastorage.domain.remediation import REMEDIATION
from datastorage.embedding import MemoryCache
from datastorage.errors import Forbidden
from datastorage.services.dependencies import Dependencies
from datastorage.services.embedder import Embedder
from datastorage.services.recommended_actions import (
    ActionsQuestion,
    RecommendedActions,
    recommended_actions,
)
from datastorage.services.records import create_record, create_records
from datastorage.settings import Settings
from support.api import Api, opened_api
from support.client import GraphQLClient
from support.records import remediation_input, remediation_row

OOM = "container killed because it ran out of memory"
DISK = "no space left on device while writing the journal"
QUESTION = f"Pod OOMKilled\n{OOM}"


def oom(action: str, phase: str, minute: int, **more: Any) -> dict[str, Any]:
    """An attempt on an incident of one kind; what has ended took as many seconds as its minute says."""
    ended = {} if phase == "PENDING" else {"endTime": f"2026-01-01T12:{minute:02}:{minute:02}Z"}
    return {
        "actionType": action,
        "phase": phase,
        "startTime": f"2026-01-01T12:{minute:02}:00Z",
        "errorMessage": OOM,
        "metadata": {"summary": "Pod OOMKilled"},
        **ended,
        **more,
    }


ROWS: dict[str, dict[str, Any]] = {
    "restart-1": oom("restart_pod", "COMPLETED", 1, alertFingerprint="again", resolution="restarted it"),
    "restart-2": oom("restart_pod", "COMPLETED", 2, resolution="restarted it"),
    "restart-3": oom("restart_pod", "COMPLETED", 4, resolution="a <b>fresh</b> pod"),
    "restart-4": oom(
        "restart_pod", "FAILED", 9, resolution="this text did not help", namespace="search", severity="LOW"
    ),
    "limit-1": oom("raise_memory_limit", "COMPLETED", 20, resolution="gave it 2 GiB"),
    "limit-2": oom("raise_memory_limit", "COMPLETED", 30),
    "rollback": oom("rollback", "COMPLETED", 40, status="FAILURE", alertFingerprint="again"),
    "fresh": oom("add_node", "PENDING", 50, alertFingerprint="fresh"),
    "disk-1": {
        "name": "journal-full",
        "actionType": "expand_volume",
        "phase": "COMPLETED",
        "errorMessage": DISK,
        "metadata": {"summary": "Volume is full"},
        "targetResource": "PersistentVolumeClaim/journal",
    },
}
RECOMMENDED = """
query Recommended($text: String, $requestId: String, $filters: RemediationAuditFilter, $first: Int,
                  $min: Float, $at: DateTime, $format: TextFormat! = PLAIN) {
  recommendedActions(text: $text, requestId: $requestId, filters: $filters, first: $first, minSimilarity: $min,
                     at: $at) {
    similarIncidentCount mode degradedReason
    actions {
      actionType attempts successCount failureCount successRate lowerBound medianDurationMs recurredCount
      recurrenceRate resolutions(format: $format) examples { remediationRequestId } similarity
    }
  }
}
"""

SIMILAR = """
query Similar($text: String!, $filters: RemediationAuditFilter, $at: DateTime) {
  similarIncidents(text: $text, filters: $filters, at: $at) {
    hits { similarity incident { remediationRequestId status resolution } }
  }
}
"""


@pytest.fixture(scope="module")
async def api(server_url: URL, template: str) -> AsyncIterator[Api]:
    async with opened_api(server_url, template) as opened:
        for key, fields in ROWS.items():
            given = {"remediationRequestId": key, "alertFingerprint": f"fp-{key}", **fields}
            created = await opened.client.create(**remediation_input(**given))
            assert created["receipt"]["similarity"] == "INDEXED"
        yield opened


@pytest.fixture
def client(api: Api) -> GraphQLClient:
    return api.client


async def ask(client: GraphQLClient, **variables: Any) -> dict[str, Any]:
    return (await client.ask(RECOMMENDED, **variables)).data["recommendedActions"]


def names(found: dict[str, Any]) -> list[str]:
    return [action["actionType"] for action in found["actions"]]


async def test_what_helped_most_reliably_comes_first_with_all_its_figures(client: GraphQLClient) -> None:
    found = await ask(client, text=QUESTION, at="2026-01-01T12:01:00Z")

    assert (found["similarIncidentCount"], found["mode"], found["degradedReason"]) == (8, "HYBRID", None)
    similarities = [action.pop("similarity") for action in found["actions"]]
    assert all(0.55 <= similarity <= 1 for similarity in similarities)
    assert found["actions"] == [
        {
            "actionType": "raise_memory_limit",
            "attempts": 2,
            "successCount": 2,
            "failureCount": 0,
            "successRate": 1.0,
            "lowerBound": pytest.approx(0.342380227506653),
            "medianDurationMs": 25_000.0,  # of 20 s and 30 s
            "recurredCount": 0,
            "recurrenceRate": 0.0,
            "resolutions": ["gave it 2 GiB"],
            "examples": found["actions"][0]["examples"],
        },
        {
            "actionType": "restart_pod",
            "attempts": 4,
            "successCount": 3,
            "failureCount": 1,
            "successRate": 0.75,
            "lowerBound": pytest.approx(0.300641842582401),
            "medianDurationMs": 3_000.0,  # of 1, 2, 4 and 9 s
            "recurredCount": 1,
            "recurrenceRate": 0.25,
            "resolutions": found["actions"][1]["resolutions"],
            "examples": found["actions"][1]["examples"],
        },
        {
            "actionType": "rollback",
            "attempts": 1,
            "successCount": 0,
            "failureCount": 1,
            "successRate": 0.0,
            "lowerBound": 0.0,
            "medianDurationMs": 40_000.0,
            "recurredCount": 0,
            "recurrenceRate": 0.0,
            "resolutions": [],
            "examples": [{"remediationRequestId": "rollback"}],
        },
        {
            "actionType": "add_node",
            "attempts": 1,
            "successCount": 0,
            "failureCount": 0,
            "successRate": None,
            "lowerBound": None,
            "medianDurationMs": None,
            "recurredCount": 0,
            "recurrenceRate": None,
            "resolutions": [],
            "examples": [{"remediationRequestId": "fresh"}],
        },
    ]
    assert sorted(found["actions"][1]["resolutions"]) == ["a <b>fresh</b> pod", "restarted it"]


async def test_examples_and_resolutions_are_those_of_the_most_similar_attempts(client: GraphQLClient) -> None:
    at = "2026-01-01T12:01:00Z"
    restarts = {"actionType": {"eq": "restart_pod"}}
    similar = (await client.ask(SIMILAR, text=QUESTION, at=at, filters=restarts)).data["similarIncidents"]
    incidents = [hit["incident"] for hit in similar["hits"]]

    (found,) = (await ask(client, text=QUESTION, at=at, filters=restarts))["actions"]

    assert [one["remediationRequestId"] for one in found["examples"]] == [
        one["remediationRequestId"] for one in incidents[:3]
    ]
    helped = [one["resolution"] for one in incidents if one["status"] == "SUCCESS"]
    assert found["resolutions"] == list(dict.fromkeys(helped))
    assert found["similarity"] == max(hit["similarity"] for hit in similar["hits"])


async def test_a_stored_remediation_asks_with_its_own_text_and_time_and_is_left_out(
    client: GraphQLClient,
) -> None:
    by_id = await ask(client, requestId="fresh")
    by_text = await ask(
        client, text=QUESTION, at="2026-01-01T12:50:00Z", filters={"remediationRequestId": {"ne": "fresh"}}
    )

    assert names(by_id) == ["raise_memory_limit", "restart_pod", "rollback"]
    assert by_id == by_text


async def test_incidents_that_only_share_the_list_do_not_count(client: GraphQLClient) -> None:
    assert names(await ask(client, text=f"Volume is full\n{DISK}")) == ["expand_volume"]
    assert (await ask(client, text="zebra crossing far from everything"))["actions"] == []


async def test_the_floor_can_be_moved(client: GraphQLClient) -> None:
    everything = await ask(client, text=QUESTION, min=-1)
    nothing = await ask(client, text=QUESTION, min=1)

    assert (everything["similarIncidentCount"], "expand_volume" in names(everything)) == (9, True)
    assert (nothing["similarIncidentCount"], nothing["actions"]) == (0, [])


async def test_a_filter_and_a_number_narrow_the_answer(client: GraphQLClient) -> None:
    payments = await ask(client, text=QUESTION, filters={"namespace": {"eq": "payments"}}, first=1)

    assert payments["similarIncidentCount"] == 7
    (best,) = payments["actions"]  # three of three restarts are better than two of two
    assert (best["actionType"], best["attempts"]) == ("restart_pod", 3)


async def test_resolutions_can_be_encoded_for_a_page(client: GraphQLClient) -> None:
    found = await ask(client, text=QUESTION, format="HTML")

    texts = next(
        action["resolutions"] for action in found["actions"] if action["actionType"] == "restart_pod"
    )
    assert sorted(texts) == ["a &lt;b&gt;fresh&lt;/b&gt; pod", "restarted it"]


async def test_null_arguments_are_the_defaults(client: GraphQLClient) -> None:
    given = dict.fromkeys(("requestId", "filters", "first", "min", "at"))

    assert names(await ask(client, text=QUESTION, **given)) == names(await ask(client, text=QUESTION))


@pytest.mark.parametrize(
    ("variables", "field", "message"),
    [
        ({}, "requestId", "give exactly one of text and requestId"),
        ({"text": "x", "requestId": "fresh"}, "requestId", "give exactly one of text and requestId"),
        ({"requestId": "nobody"}, "requestId", "there is no remediation audit nobody"),
        ({"requestId": "a\x00b"}, "requestId", "there is no remediation audit a\x00b"),
        ({"text": " "}, "text", "is empty or white space only"),
        ({"text": "x" * 70_000}, "text", "is longer than 65536 bytes"),
        ({"text": "x", "first": 0}, "first", "must be between 1 and 100, got 0"),
        ({"text": "x", "first": 101}, "first", "must be between 1 and 100, got 101"),
        ({"text": "x", "min": 1.01}, "minSimilarity", "must be between -1 and 1"),
    ],
)
async def test_a_bad_question_is_refused_naming_the_argument(
    client: GraphQLClient, variables: dict[str, Any], field: str, message: str
) -> None:
    error = (await client.ask(RECOMMENDED, **variables)).error

    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert [(fault["field"], fault["message"]) for fault in error["extensions"]["faults"]] == [
        (field, message)
    ]


async def test_nothing_outside_the_scope_counts_or_can_be_asked_for(api: Api) -> None:
    in_search = Caller("alice", frozenset({Right.READ}), Scope(namespaces=frozenset({"search"})))

    found = await recommended_actions(api.deps, in_search, ActionsQuestion(text=QUESTION))

    assert [(action.action_type, action.attempts) for action in found.actions] == [("restart_pod", 1)]
    with pytest.raises(Exception, match="requestId: there is no remediation audit fresh"):
        await recommended_actions(api.deps, in_search, ActionsQuestion(request_id="fresh"))


async def test_who_may_not_read_is_told_nothing(api: Api) -> None:
    with pytest.raises(Forbidden):
        await recommended_actions(
            api.deps, Caller("writer", frozenset({Right.WRITE})), ActionsQuestion(text=QUESTION)
        )


async def by_words(api: Api, question: ActionsQuestion) -> RecommendedActions:
    """The answer of a service without embeddings."""
    return await recommended_actions(
        replace(api.deps, embedder=Embedder(None, MemoryCache())), ANONYMOUS, question
    )


async def test_without_vectors_the_best_by_words_answer_and_it_says_so(api: Api) -> None:
    found = await by_words(api, ActionsQuestion(text=QUESTION))

    assert (found.mode, found.degraded_reason) == ("lexical", "embeddings are switched off")
    assert found.similar_incident_count == 8
    assert [action.action_type for action in found.actions] == [
        "raise_memory_limit",
        "restart_pod",
        "rollback",
        "add_node",
    ]
    assert {action.similarity for action in found.actions} == {None}


async def test_without_vectors_what_shares_no_word_does_not_count(api: Api) -> None:
    disks = Condition("action_type", Operator.EQ, "expand_volume")

    found = await by_words(api, ActionsQuestion(text="OOMKilled", where=disks))

    assert (found.similar_incident_count, found.actions) == (0, [])


UPKEEP = ("term_statistics", "pg_extension", "pg_index")  # looked at every now and then


async def test_the_number_of_statements_does_not_grow_with_what_is_found(
    client: GraphQLClient, statements: Any
) -> None:
    counted = []
    for variables in (
        {"text": QUESTION, "first": 1},
        {"text": QUESTION, "min": -1},
        {"requestId": "fresh"},
    ):
        with statements.counted() as seen:
            await ask(client, **variables)
        counted.append(sum(not any(table in statement for table in UPKEEP) for statement in seen))

    assert counted == [11, 11, 12]  # a remediation is looked up


async def test_figures_and_examples_are_of_one_moment(deps: Dependencies, sql: asyncpg.Connection) -> None:
    for minute in (1, 2):
        row = remediation_row(remediation_request_id=f"rr-{minute}", error_message=OOM)
        await create_record(deps, ANONYMOUS, REMEDIATION, row)

    def change_before_the_figures(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        if "percentile" in statement:
            await_only(sql.execute("UPDATE remediation_audit SET action_type = 'something_else'"))

    event.listen(Engine, "before_cursor_execute", change_before_the_figures)
    try:
        found = await recommended_actions(deps, ANONYMOUS, ActionsQuestion(text=OOM))
    finally:
        event.remove(Engine, "before_cursor_execute", change_before_the_figures)

    assert await sql.fetchval("SELECT DISTINCT action_type FROM remediation_audit") == "something_else"
    (action,) = found.actions
    assert (action.attempts, len(action.examples)) == (2, 2)
    assert {audit.action_type for audit in action.examples} == {action.action_type}


async def test_recommended_actions_count_as_one_semantic_search(client: GraphQLClient) -> None:
    def searches() -> float:
        labels = {"operation": "semantic_search", "status": "success"}
        return REGISTRY.get_sample_value("datastorage_query_total", labels) or 0

    before = searches()
    await ask(client, text=QUESTION)

    assert searches() == before + 1


async def test_a_question_of_few_words_is_answered_by_those_that_say_most_of_it(
    database_url: URL, settings: Settings
) -> None:
    message = (
        "Failed to pull image registry.local/shop/cart:2.4.1: rpc error: code = NotFound, manifest unknown; "
        "the deployment is stuck and the old replicas still serve"
    )
    async with dependencies(database_url, settings) as deps:
        rows = [
            remediation_row(
                remediation_request_id=f"pull-{number}",
                action_type="fix_tag",
                phase="completed",
                error_message=message,
            )
            for number in range(2)
        ]
        rows.append(remediation_row(remediation_request_id="other", error_message="pods are evicted"))
        await create_records(deps, ANONYMOUS, REMEDIATION, rows)
        question = ActionsQuestion(text="cannot pull image")

        found = await recommended_actions(deps, ANONYMOUS, question)
        strict = await recommended_actions(deps, ANONYMOUS, replace(question, min_similarity=0.55))

    assert [(action.action_type, action.attempts) for action in found.actions] == [("fix_tag", 2)]
    assert found.actions[0].similarity < 0.55
    assert strict.actions == []
