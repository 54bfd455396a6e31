"""similarIncidents: the nearest come first, a filter never makes a match go missing, and faults are readable."""

import itertools
import random

import asyncpg
import numpy as np
import pytest

from datastorage.domain.caller import ANONYMOUS
from datastorage.domain.remediation import REMEDIATION
from datastorage.search import content_hash, query_text
from datastorage.services import vector_index_state
from datastorage.services.dependencies import Dependencies
from datastorage.services.records import create_records
from datastorage.services.similar_incidents import legs, search
from support.around import ANALYSIS, EXECUTION, WORKFLOW, around
from support.client import GraphQLClient
from support.records import remediation_input, remediation_row

SIMILAR = """
query Similar($text: String!, $filters: RemediationAuditFilter, $first: Int = 10, $min: Float, $at: DateTime,
              $mode: SearchMode, $collapse: Boolean) {
  similarIncidents(text: $text, filters: $filters, first: $first, minSimilarity: $min, at: $at, mode: $mode,
                   collapse: $collapse) {
    mode exhaustive degradedReason model
    hits {
      score similarity vectorRank lexicalRank matchedTerms matchedFields occurrences firstSeen lastSeen
      incident { remediationRequestId namespace startTime }
    }
  }
}
"""
TEXTS = {
    "oom": "container killed because it ran out of memory",
    "disk": "no space left on device while writing the journal",
    "tls": "certificate has expired, handshake refused",
}


async def store_texts(client: GraphQLClient) -> None:
    for key, message in TEXTS.items():
        stored = await client.create(
            **remediation_input(
                remediationRequestId=key, name=key, errorMessage=message, namespace=f"ns-{key}"
            )
        )
        assert stored["receipt"]["similarity"] == "INDEXED"


def compare_at_most(rows_max: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is more than this is left to the indexes."""
    for module, bound in (
        (legs, "EXACT_SCAN_ROWS_MAX"),
        (legs, "LEXICAL_EXACT_ROWS_MAX"),
        (search, "MATCHES_COUNTED_MAX"),
    ):
        monkeypatch.setattr(module, bound, rows_max)


async def ask(client: GraphQLClient, text: str, **variables: object) -> dict:
    return (await client.ask(SIMILAR, text=text, **variables)).data["similarIncidents"]


async def test_an_incident_is_found_again_by_its_meaning(client: GraphQLClient) -> None:
    await store_texts(client)

    found = await ask(client, "pod OOMKilled: memory limit exceeded")

    ids = [hit["incident"]["remediationRequestId"] for hit in found["hits"]]
    assert (ids[0], set(ids)) == ("oom", set(TEXTS))
    scores = [hit["score"] for hit in found["hits"]]
    assert scores == sorted(scores, reverse=True)
    assert (found["mode"], found["exhaustive"], found["degradedReason"]) == ("HYBRID", True, None)
    assert found["model"] == "wordllama-l2-supercat-256"


async def test_a_filter_leaves_only_what_matches(client: GraphQLClient) -> None:
    await store_texts(client)

    found = await ask(client, TEXTS["oom"], filters={"namespace": {"eq": "ns-disk"}})

    assert [hit["incident"]["remediationRequestId"] for hit in found["hits"]] == ["disk"]


async def test_equal_texts_come_newest_first(client: GraphQLClient) -> None:
    for day in (1, 3, 2):
        await client.create(
            **remediation_input(remediationRequestId=f"d{day}", startTime=f"2026-01-0{day}T00:00:00Z")
        )

    found = await ask(client, "payment-api-oom restart_pod Deployment")

    assert [hit["incident"]["remediationRequestId"] for hit in found["hits"]] == ["d3", "d2", "d1"]


async def test_only_min_similarity_shortens_an_answer(client: GraphQLClient) -> None:
    await store_texts(client)
    everything = await ask(client, TEXTS["tls"], mode="VECTOR")
    second = everything["hits"][1]["similarity"]

    found = await ask(client, TEXTS["tls"], min=second + 0.001)

    assert [hit["incident"]["remediationRequestId"] for hit in found["hits"]] == ["tls"]


async def test_incidents_without_a_vector_follow_the_ranked_ones_newest_first(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    await store_texts(client)
    await sql.execute(
        "DELETE FROM incident_embedding WHERE content_hash IN "
        "(SELECT content_hash FROM remediation_audit WHERE remediation_request_id <> 'disk')"
    )
    await sql.execute(
        "UPDATE remediation_audit SET start_time = start_time + interval '1 day' WHERE remediation_request_id = 'oom'"
    )

    found = await ask(client, TEXTS["tls"], mode="VECTOR")

    assert [
        (hit["incident"]["remediationRequestId"], hit["similarity"] is None) for hit in found["hits"]
    ] == [
        ("disk", False),
        ("oom", True),
        ("tls", True),
    ]


def ids(found: dict) -> list[str]:
    return [hit["incident"]["remediationRequestId"] for hit in found["hits"]]


async def test_a_hit_tells_why_it_stands_where_it_stands(client: GraphQLClient) -> None:
    await store_texts(client)

    found = await ask(client, "TLS handshake refused\ncertificate has expired, handshake refused", first=2)

    best, other = found["hits"]
    assert best["incident"]["remediationRequestId"] == "tls"
    assert (best["vectorRank"], best["lexicalRank"]) == (1, 1)
    assert set(best["matchedTerms"]) == {"tls", "handshake", "refused", "certificate", "has", "expired"}
    assert best["matchedFields"] == ["HEADLINE", "ERROR_MESSAGE", "SIGNATURE"]
    assert (best["occurrences"], best["firstSeen"]) == (1, best["incident"]["startTime"])
    assert other["score"] < best["score"]
    assert (other["matchedTerms"], other["matchedFields"], other["lexicalRank"]) == ([], [], None)


async def test_words_find_what_meaning_cannot(client: GraphQLClient) -> None:
    for number in range(5):
        message = f"request to upstream failed with code QX-{7000 + number}"
        await client.create(**remediation_input(remediationRequestId=f"q{number}", errorMessage=message))

    found = await ask(client, "QX-7003", mode="LEXICAL", first=1)

    assert (found["mode"], ids(found)) == ("LEXICAL", ["q3"])
    assert found["hits"][0]["matchedTerms"][0] in ("qx-7003", "7003")
    assert ids(await ask(client, "request failed with QX-7003", first=1)) == ["q3"]


async def test_root_causes_and_resolutions_are_searched_too(client: GraphQLClient) -> None:
    await store_texts(client)
    await client.update(requestId="disk", resolution="raised the quota of the journald volume")

    found = await ask(client, "journald quota", mode="LEXICAL", first=1)

    assert ids(found) == ["disk"]
    assert found["hits"][0]["matchedFields"] == ["RESOLUTION"]


async def test_incidents_close_in_time_count_for_more(client: GraphQLClient) -> None:
    for day in (1, 15, 28):
        start = f"2026-01-{day:02}T00:00:00Z"
        await client.create(**remediation_input(remediationRequestId=f"d{day}", startTime=start))

    for day in (1, 15, 28):
        found = await ask(client, "payment-api-oom", at=f"2026-01-{day:02}T01:00:00Z")
        assert ids(found)[0] == f"d{day}"


@pytest.mark.parametrize("mode", ["HYBRID", "VECTOR", "LEXICAL"])
@pytest.mark.parametrize("exact_rows_max", [22_000, 2])
async def test_collapsed_incidents_of_one_text_are_one_hit_the_newest_of_what_matches(
    client: GraphQLClient, monkeypatch: pytest.MonkeyPatch, mode: str, exact_rows_max: int
) -> None:
    compare_at_most(exact_rows_max, monkeypatch)
    await store_texts(client)
    for day in (2, 3, 4, 5):
        again = remediation_input(
            remediationRequestId=f"oom-{day}",
            name="oom",
            errorMessage=TEXTS["oom"],
            namespace="ns-oom" if day < 5 else "elsewhere",
            startTime=f"2026-02-0{day}T00:00:00Z",
        )
        await client.create(**again)

    found = await ask(
        client,
        TEXTS["oom"],
        collapse=True,
        mode=mode,
        filters={"namespace": {"ne": "elsewhere"}},
    )

    assert (ids(found)[0], sorted(ids(found))) == ("oom-4", ["disk", "oom-4", "tls"])
    best = found["hits"][0]
    assert (best["occurrences"], best["firstSeen"], best["lastSeen"]) == (
        4,
        "2026-01-01T12:00:00Z",
        "2026-02-04T00:00:00Z",
    )


async def test_a_secret_in_the_question_is_no_word_of_it(client: GraphQLClient) -> None:
    await client.create(**remediation_input(errorMessage="login failed, password=hunter2secret"))

    found = await ask(client, "login failed, password=hunter2secret", mode="LEXICAL")

    assert "hunter2secret" not in found["hits"][0]["matchedTerms"]


SHARES = {"half": 0.5, "tenth": 0.1, "hundredth": 0.01, "rare": 0.003}


@pytest.fixture
async def crowd(deps: Dependencies) -> None:
    """3,000 incidents of 1,500 texts; each namespace has its share of them."""
    chance = random.Random(7)
    words = [
        "timeout",
        "refused",
        "pod",
        "node",
        "memory",
        "disk",
        "tls",
        "dns",
        "queue",
        "replica",
        "shard",
        "lock",
        "probe",
        "quota",
        "image",
    ]
    texts = [" ".join(chance.choices(words, k=6)) for _ in range(1500)]
    names = itertools.cycle(
        [name for name, share in SHARES.items() for _ in range(int(share * 1000))] + ["rest"] * 387
    )
    rows = [
        remediation_row(remediation_request_id=f"r{n}", namespace=next(names), error_message=texts[n % 1500])
        for n in range(3000)
    ]
    for start in range(0, 3000, 500):
        await create_records(deps, ANONYMOUS, REMEDIATION, rows[start : start + 500])


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize("namespace", [*SHARES, None])
@pytest.mark.parametrize("exact_rows_max", [22_000, 20])
async def test_ten_are_returned_and_they_are_the_nearest_whatever_the_filter_keeps(
    client: GraphQLClient,
    deps: Dependencies,
    sql: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    namespace: str | None,
    exact_rows_max: int,
) -> None:
    compare_at_most(exact_rows_max, monkeypatch)  # few: the index answers
    filters = {"namespace": {"eq": namespace}} if namespace else None
    nearest = []
    for text in ("memory of the node", "dns timeout", "zebra crossing far from everything", "tls lock"):
        found = await ask(client, text, filters=filters, mode="VECTOR")

        hits = found["hits"]
        assert len(hits) == 10 if namespace != "rare" else len(hits) >= 9
        assert {hit["incident"]["namespace"] for hit in hits} <= (
            {namespace} if namespace else {*SHARES, "rest"}
        )
        best = await brute_force(deps, sql, text, namespace, len(hits))
        nearest += [
            hit["similarity"] >= best - 0.002
            for hit in hits  # ties at the end may be any of them
        ]
    assert np.mean(nearest) >= (1.0 if exact_rows_max == 22_000 else 0.98)


async def brute_force(
    deps: Dependencies, sql: asyncpg.Connection, text: str, namespace: str | None, rows: int
) -> float:
    """Similarity of the last of the nearest rows, by comparing with every vector here."""
    masked = query_text(text)
    query = await deps.embedder.vector(content_hash(masked), masked)
    stored = await sql.fetch(
        "SELECT vector::text AS v FROM remediation_audit JOIN incident_embedding USING (content_hash) "
        "WHERE $1::text IS NULL OR namespace = $1",
        namespace,
    )
    vectors = np.array([np.fromstring(row["v"].strip("[]"), sep=",") for row in stored])
    return float(np.sort(vectors @ query)[::-1][rows - 1])


@pytest.mark.parametrize(
    ("variables", "field"),
    [
        ({"text": "  "}, "text"),
        ({"text": "x" * 70_000}, "text"),
        ({"text": "x", "first": 0}, "first"),
        ({"text": "x", "first": 101}, "first"),
        ({"text": "x", "min": 1.5}, "minSimilarity"),
    ],
)
async def test_a_bad_question_is_refused_naming_the_argument(
    client: GraphQLClient, variables: dict[str, object], field: str
) -> None:
    answer = await client.ask(SIMILAR, **variables)

    assert answer.error["extensions"]["code"] == "BAD_USER_INPUT"
    assert [fault["field"] for fault in answer.error["extensions"]["faults"]] == [field]


@pytest.mark.usefixtures("crowd")
async def test_an_older_pgvector_whose_index_scans_stop_early_is_not_asked_to_filter(
    client: GraphQLClient, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare_at_most(20, monkeypatch)
    assert (await ask(client, "memory of the node", mode="VECTOR"))["exhaustive"] is False
    monkeypatch.setattr(vector_index_state, "INDEX_STATE_S", 0)
    await sql.execute("UPDATE pg_extension SET extversion = '0.7.4' WHERE extname = 'vector'")

    found = await ask(client, "memory of the node")

    assert (found["exhaustive"], len(found["hits"])) == (False, 10)  # words still come from an index
    assert (await ask(client, "memory of the node", mode="VECTOR"))["exhaustive"] is True


@pytest.mark.usefixtures("crowd")
async def test_without_a_valid_index_of_the_model_everything_is_compared(
    client: GraphQLClient, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare_at_most(20, monkeypatch)
    await sql.execute("DROP INDEX ix_incident_embedding_hnsw_default")

    found = await ask(client, "memory of the node", mode="VECTOR")

    assert (found["exhaustive"], len(found["hits"])) == (True, 10)


async def test_every_audit_leads_to_incidents_like_its_own(client: GraphQLClient) -> None:
    await store_texts(client)
    for day in (2, 3):
        again = remediation_input(
            remediationRequestId=f"oom-{day}",
            errorMessage=TEXTS["oom"],
            namespace=f"ns-{day}",
            startTime=f"2026-01-0{day}T00:00:00Z",
        )
        await client.create(**again)
    await client.ask(
        """mutation($analysis: CreateAiAnalysisAuditInput!, $early: CreateAiAnalysisAuditInput!,
                    $workflow: CreateWorkflowAuditInput!, $execution: CreateExecutionAuditInput!) {
          createAiAnalysisAudit(input: $analysis) { __typename }
          early: createAiAnalysisAudit(input: $early) { __typename }
          createWorkflowAudit(input: $workflow) { __typename }
          createExecutionAudit(input: $execution) { __typename }
        }""",
        analysis=around(ANALYSIS, remediationRequestId="oom-2"),
        early=around(ANALYSIS, analysisId="early", remediationRequestId="rr-later"),
        workflow=around(WORKFLOW, remediationRequestId="oom-2"),
        execution=EXECUTION,
    )

    fragment = "similar(first: 1, filters: $f) { degradedReason hits { incident { remediationRequestId } } }"
    answer = await client.ask(
        f"""query($f: RemediationAuditFilter) {{
          remediationAudit(requestId: "oom-2") {{ {fragment} }}
          aiAnalysisAudit(analysisId: "an-1") {{ {fragment} }}
          early: aiAnalysisAudit(analysisId: "early") {{ {fragment} }}
          workflowAudit(workflowId: "wf-1") {{ {fragment} }}
          executionAudit(executionId: "ex-1") {{ {fragment} }}
        }}""",
        f={"namespace": {"ne": "ns-oom"}},
    )

    early = answer.data.pop("early")["similar"]
    assert early == {"degradedReason": "the remediation has not arrived yet", "hits": []}
    for audit in answer.data.values():
        assert audit["similar"] == {
            "degradedReason": None,
            "hits": [{"incident": {"remediationRequestId": "oom-3"}}],
        }


async def test_one_request_may_ask_for_so_many_searches_only(client: GraphQLClient) -> None:
    await store_texts(client)
    for number in range(23):
        await client.create(**remediation_input(remediationRequestId=f"more-{number}"))
    page = "remediationAudits(first: $n) { nodes { similar(first: 1) { hits { similarity } } } }"
    query = f"query($n: Int) {{ {page} }}"

    allowed = await client.ask(query, n=25)
    refused = await client.ask(query, n=26)

    nodes = allowed.data["remediationAudits"]["nodes"]
    assert [len(node["similar"]["hits"]) for node in nodes] == [1] * 25
    (error,) = refused.body["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"] == "query: asks for more than 25 searches in one request"
