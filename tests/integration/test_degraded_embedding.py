"""Without vectors nothing is lost: writes stand, searches answer and say what is missing."""

from collections.abc import Sequence
from dataclasses import replace

import asyncpg
import pytest

from datastorage.domain.caller import ANONYMOUS
from datastorage.domain.enums import Similarity
from datastorage.domain.remediation import REMEDIATION
from datastorage.embedding import MemoryCache, StaticProvider, Vector
from datastorage.errors import EmbeddingFailed
from datastorage.services.dependencies import Dependencies
from datastorage.services.embedder import Embedder
from datastorage.services.records import create_record
from datastorage.services.similar_incidents import SimilarityQuestion, find_similar_incidents
from support.records import remediation_row


class FailingProvider:
    """A provider that is down until it is mended."""

    model = StaticProvider.model
    dimensions = StaticProvider.dimensions
    costs_more_than_a_lookup = False
    calls_max = 4

    def __init__(self) -> None:
        self.is_down = True
        self._real = StaticProvider.load()

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        if self.is_down:
            raise EmbeddingFailed("the provider is down")
        return await self._real.embed(texts)

    async def close(self) -> None:
        await self._real.close()


@pytest.fixture
def provider() -> FailingProvider:
    return FailingProvider()


@pytest.fixture
def degraded(deps: Dependencies, provider: FailingProvider) -> Dependencies:
    return replace(deps, embedder=Embedder(provider, MemoryCache()))


async def test_a_write_stands_while_the_provider_is_down(
    degraded: Dependencies, sql: asyncpg.Connection
) -> None:
    written = await create_record(degraded, ANONYMOUS, REMEDIATION, remediation_row())

    assert written.receipt.similarity is Similarity.PENDING
    assert await sql.fetchval("SELECT count(*) FROM remediation_audit") == 1
    assert await sql.fetchval("SELECT count(*) FROM remediation_event") == 1
    assert await sql.fetchval("SELECT count(*) FROM incident_embedding") == 0


async def test_a_search_answers_the_newest_and_says_why(
    degraded: Dependencies, provider: FailingProvider
) -> None:
    for day in (1, 3, 2):
        row = remediation_row(remediation_request_id=f"d{day}", start_time=f"2026-01-0{day}T00:00:00Z")
        await create_record(degraded, ANONYMOUS, REMEDIATION, row)

    found = await find_similar_incidents(degraded, ANONYMOUS, SimilarityQuestion(text="memory", rows=2))

    assert [hit.incident.remediation_request_id for hit in found.hits] == ["d3", "d2"]
    assert [hit.similarity for hit in found.hits] == [None, None]
    assert found.degraded_reason == "the text could not be embedded"


async def test_the_same_text_is_indexed_once_the_provider_is_back(
    degraded: Dependencies, provider: FailingProvider
) -> None:
    await create_record(degraded, ANONYMOUS, REMEDIATION, remediation_row())
    provider.is_down = False

    again = await create_record(
        degraded, ANONYMOUS, REMEDIATION, remediation_row(remediation_request_id="rr-2")
    )
    found = await find_similar_incidents(degraded, ANONYMOUS, SimilarityQuestion(text="memory", rows=10))

    assert again.receipt.similarity is Similarity.INDEXED
    assert [hit.similarity is None for hit in found.hits] == [False, False]  # they share the text
    assert found.degraded_reason is None


async def test_with_embeddings_off_writes_say_so_and_searches_answer(deps: Dependencies) -> None:
    off = replace(deps, embedder=Embedder(None, MemoryCache()))

    written = await create_record(off, ANONYMOUS, REMEDIATION, remediation_row())
    found = await find_similar_incidents(off, ANONYMOUS, SimilarityQuestion(text="memory", rows=10))

    assert written.receipt.similarity is Similarity.DISABLED
    assert (len(found.hits), found.model, found.degraded_reason) == (1, None, "embeddings are switched off")


async def test_a_text_that_was_embedded_before_needs_no_provider(
    degraded: Dependencies, provider: FailingProvider
) -> None:
    provider.is_down = False
    await create_record(degraded, ANONYMOUS, REMEDIATION, remediation_row())
    provider.is_down = True

    again = await create_record(
        degraded, ANONYMOUS, REMEDIATION, remediation_row(remediation_request_id="rr-2")
    )

    assert again.receipt.similarity is Similarity.INDEXED
