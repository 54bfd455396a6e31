"""Searches with a vector engine: it proposes texts, PostgreSQL decides; without it the answers are the same."""

import random
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from prometheus_client import REGISTRY
from sqlalchemy.engine import URL

from datastorage.domain.caller import ANONYMOUS
from datastorage.domain.remediation import REMEDIATION
from datastorage.services.dependencies import Dependencies
from datastorage.services.mirror_worker import mirroring
from datastorage.services.records import create_records
from datastorage.services.second_engine_count import compare_counts
from datastorage.services.similar_incidents import engine_leg, legs, search
from datastorage.services.vector_reconciliation import reconcile
from support.client import GraphQLClient
from support.milvus_server import MilvusServer
from support.records import remediation_input, remediation_row
from support.second_engine import with_engine

SIMILAR = """
query($text: String!, $filters: RemediationAuditFilter, $first: Int) {
  similarIncidents(text: $text, filters: $filters, first: $first, mode: VECTOR, collapse: true) {
    exhaustive
    hits { similarity incident { remediationRequestId } }
  }
}
"""
WORDS = (
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
)
QUESTIONS = ("memory of the node", "dns timeout", "tls lock")
INDEX_ASKED = "<=>"  # how the statements of PostgreSQL's own index are spelled, and no other


@pytest.fixture
async def opened(
    milvus: MilvusServer, database_url: URL, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Dependencies, GraphQLClient]]:
    """600 incidents of as many texts in both; a tenth of them in namespace `few`, 3 in `rare`."""
    _few_are_compared(monkeypatch, 20)
    async with with_engine(database_url, milvus.url) as (deps, client):
        chance = random.Random(7)
        rows = [
            remediation_row(
                remediation_request_id=f"r{number}",
                name=f"n{number}",
                namespace="rare" if number % 200 == 7 else "few" if number % 10 == 0 else "most",
                error_message=" ".join(chance.choices(WORDS, k=6)),
            )
            for number in range(600)
        ]
        for start in range(0, 600, 200):
            await create_records(deps, ANONYMOUS, REMEDIATION, rows[start : start + 200])
        assert (await reconcile(deps, repair=True, progress=lambda _: None)).agree
        yield deps, client


def _few_are_compared(monkeypatch: pytest.MonkeyPatch, rows_max: int) -> None:
    for module, bound in ((legs, "EXACT_SCAN_ROWS_MAX"), (search, "MATCHES_COUNTED_MAX")):
        monkeypatch.setattr(module, bound, rows_max)


async def ask(client: GraphQLClient, text: str, namespace: str | None = None, first: int = 10) -> dict:
    filters = {"namespace": {"eq": namespace}} if namespace else None
    return (await client.ask(SIMILAR, text=text, filters=filters, first=first)).data["similarIncidents"]


async def prepare(deps: Dependencies) -> None:
    """As the prober does, when the engine is there."""
    assert deps.embedder.provider is not None
    await deps.second.prepare(deps.embedder.model, deps.embedder.provider.dimensions)
    await compare_counts(deps)


def ids(found: dict) -> list[str]:
    return [hit["incident"]["remediationRequestId"] for hit in found["hits"]]


def fallbacks() -> float:
    return REGISTRY.get_sample_value("datastorage_fallback_mode_total") or 0.0


@pytest.mark.parametrize("namespace", [None, "most", "few"])
async def test_the_engine_is_asked_and_the_answer_is_that_of_comparing_everything(
    opened: tuple[Dependencies, GraphQLClient],
    statements: Any,
    monkeypatch: pytest.MonkeyPatch,
    namespace: str | None,
) -> None:
    _, client = opened
    asked_before = fallbacks()

    with statements.counted() as sent:
        by_engine = [await ask(client, text, namespace) for text in QUESTIONS]

    assert not [statement for statement in sent if INDEX_ASKED in statement]
    assert [found["exhaustive"] for found in by_engine] == [False] * len(QUESTIONS)
    _few_are_compared(monkeypatch, 10_000)
    exactly = [await ask(client, text, namespace) for text in QUESTIONS]
    assert [found["exhaustive"] for found in exactly] == [True] * len(QUESTIONS)
    similarities = [[hit["similarity"] for hit in found["hits"]] for found in by_engine]
    assert [len(found) for found in similarities] == [10] * len(QUESTIONS)
    np.testing.assert_allclose(
        similarities, [[hit["similarity"] for hit in found["hits"]] for found in exactly], atol=1e-6
    )
    assert fallbacks() == asked_before


async def test_what_is_not_delivered_yet_is_found_at_once(
    opened: tuple[Dependencies, GraphQLClient], statements: Any
) -> None:
    _, client = opened
    text = "zebra crossing far from everything"
    await client.create(**remediation_input(remediationRequestId="late", errorMessage=text))

    with statements.counted() as sent:
        found = await ask(client, text)

    assert ids(found)[0] == "late"
    assert not [statement for statement in sent if INDEX_ASKED in statement]


async def test_when_much_is_not_delivered_yet_postgresql_answers(
    opened: tuple[Dependencies, GraphQLClient], statements: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, client = opened
    monkeypatch.setattr(engine_leg, "ENGINE_LAG_TEXTS_MAX", 2)
    for number in range(3):
        message = f"late message {number * 'again '}"
        await client.create(**remediation_input(remediationRequestId=f"l{number}", errorMessage=message))
    before = fallbacks()

    with statements.counted() as sent:
        found = await ask(client, "late message")

    assert [statement for statement in sent if INDEX_ASKED in statement]
    assert len(ids(found)) == 10
    assert fallbacks() == before  # it is in use


async def test_what_only_the_engine_knows_is_not_shown(opened: tuple[Dependencies, GraphQLClient]) -> None:
    deps, client = opened
    text = "zebra crossing far from everything"
    expected = ids(await ask(client, text))
    vector = await deps.embedder.vector(b"\1" * 32, text)
    assert vector is not None
    await deps.second.upsert(deps.embedder.model, {b"\1" * 32: vector})

    assert ids(await ask(client, text)) == expected


async def test_an_engine_that_lost_its_vectors_is_not_asked_until_it_has_them_again(
    opened: tuple[Dependencies, GraphQLClient], milvus: MilvusServer, statements: Any
) -> None:
    deps, client = opened
    expected = [ids(await ask(client, text)) for text in QUESTIONS]
    milvus.forget()
    await prepare(deps)
    async with mirroring(deps):  # so that it has some, as after a while
        for number in range(20):
            message = f"zebra crossing {number * 'and on '}"
            await client.create(**remediation_input(remediationRequestId=f"z{number}", errorMessage=message))

    with statements.counted() as sent:
        found = [ids(await ask(client, text)) for text in QUESTIONS]
    assert found == expected
    assert [statement for statement in sent if INDEX_ASKED in statement]

    await reconcile(deps, repair=True, progress=lambda _: None)
    with statements.counted() as sent:
        found = [ids(await ask(client, text)) for text in QUESTIONS]
    assert found == expected
    assert not [statement for statement in sent if INDEX_ASKED in statement]


async def test_a_filter_that_leaves_too_few_still_gets_all_there_are(
    opened: tuple[Dependencies, GraphQLClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, client = opened
    _few_are_compared(monkeypatch, 1)

    found = await ask(client, QUESTIONS[0], "rare")

    assert sorted(ids(found)) == ["r207", "r407", "r7"]


async def test_while_the_engine_is_down_the_same_is_found_and_counted(
    opened: tuple[Dependencies, GraphQLClient], milvus: MilvusServer, statements: Any
) -> None:
    deps, client = opened
    expected = [ids(await ask(client, text)) for text in QUESTIONS]
    before = fallbacks()

    milvus.kill()
    with statements.counted() as sent:
        found = [ids(await ask(client, text)) for text in QUESTIONS * 2]

    assert found == expected * 2
    assert [statement for statement in sent if INDEX_ASKED in statement]
    assert fallbacks() == before + 6
    assert not deps.second.available
