"""The provider that asks over HTTP, against a real endpoint that answers rightly or in one of many wrong ways."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from datastorage.embedding.openai import Endpoint, OpenAiProvider, retry_after_s
from datastorage.errors import EmbeddingFailed, EmbeddingTimeout, InvalidInput, RateLimited, TextRefused
from support.embedding_server import DIMENSIONS, KEY, MODEL, EmbeddingServer, Manner, vector_of

TEXTS = ["disk full", "pod killed", "certificate expired"]


@pytest.fixture(scope="module")
def the_server() -> Iterator[EmbeddingServer]:
    server = EmbeddingServer().start()
    yield server
    server.kill()


@pytest.fixture
def server(the_server: EmbeddingServer) -> EmbeddingServer:
    """The endpoint, answering rightly."""
    the_server.answer(Manner.RIGHTLY)
    return the_server


@pytest.fixture
async def provider(server: EmbeddingServer) -> AsyncIterator[OpenAiProvider]:
    opened = provider_of(server)
    yield opened
    await opened.close()


def provider_of(server: EmbeddingServer, **changed: Any) -> OpenAiProvider:
    given = {"url": f"{server.url}/embeddings", "model": MODEL, "dimensions": DIMENSIONS, "api_key": KEY}
    return OpenAiProvider("openai:test", Endpoint(**{**given, "timeout_s": 30.0, **changed}))


def unit(text: str) -> np.ndarray:
    vector = np.array(vector_of(text))
    return vector / np.linalg.norm(vector)


async def test_vectors_come_back_normalised_and_in_order(
    server: EmbeddingServer, provider: OpenAiProvider
) -> None:
    for manner in (Manner.RIGHTLY, Manner.SHUFFLED):
        server.answer(manner)
        vectors = await provider.embed(TEXTS)

        assert [vector.dtype for vector in vectors] == [np.float32] * 3
        for text, vector in zip(TEXTS, vectors, strict=True):
            assert vector == pytest.approx(unit(text), abs=1e-6)


async def test_it_asks_as_the_protocol_has_it(server: EmbeddingServer, provider: OpenAiProvider) -> None:
    await provider.embed(["disk full"])

    assert server.asked()[-1] == {
        "path": "/v1/embeddings",
        "authorization": f"Bearer {KEY}",
        "model": MODEL,
        "input": ["disk full"],
        "encoding_format": "float",
    }


async def test_it_asks_for_cut_vectors_only_when_told_to_and_cuts_long_texts(server: EmbeddingServer) -> None:
    provider = provider_of(server, dimensions=5, sends_dimensions=True, chars_max=4, api_key=None)

    (vector,) = await provider.embed(["disk full"])
    await provider.close()

    assert len(vector) == 5
    assert (server.asked()[-1]["dimensions"], server.asked()[-1]["input"]) == (5, ["disk"])
    assert server.asked()[-1]["authorization"] is None


async def test_many_texts_are_asked_for_in_batches(server: EmbeddingServer, provider: OpenAiProvider) -> None:
    before = len(server.asked())
    texts = [f"text {number}" for number in range(70)]

    vectors = await provider.embed(texts)

    assert [len(call["input"]) for call in server.asked()[before:]] == [32, 32, 6]
    assert vectors[69] == pytest.approx(unit("text 69"), abs=1e-6)


@pytest.mark.parametrize("manner", [Manner.LIMITED, Manner.BROKEN])
async def test_what_may_go_well_next_time_is_tried_again(
    server: EmbeddingServer, provider: OpenAiProvider, manner: Manner
) -> None:
    server.answer(manner, times=2)

    (vector,) = await provider.embed(["disk full"])

    assert vector == pytest.approx(unit("disk full"), abs=1e-6)


async def test_it_waits_as_long_as_it_is_asked_to(server: EmbeddingServer, provider: OpenAiProvider) -> None:
    server.answer(Manner.LIMITED, times=1, retry_after="1")
    started = asyncio.get_running_loop().time()

    await provider.embed(["disk full"])

    assert asyncio.get_running_loop().time() - started >= 1


async def test_it_does_not_wait_for_longer_than_there_is_time(server: EmbeddingServer) -> None:
    provider = provider_of(server, timeout_s=20.0)
    server.answer(Manner.LIMITED, retry_after="3600")
    before = len(server.asked())

    with pytest.raises(RateLimited, match="answered 429 Too Many Requests: too many requests"):
        await provider.embed(["disk full"])
    await provider.close()

    assert len(server.asked()) - before == 1


async def test_what_keeps_failing_is_given_up(server: EmbeddingServer, provider: OpenAiProvider) -> None:
    server.answer(Manner.BROKEN)
    before = len(server.asked())

    with pytest.raises(EmbeddingFailed, match="the endpoint answered 500 Internal Server Error"):
        await provider.embed(["disk full"])

    assert len(server.asked()) - before == 4


async def test_an_endpoint_that_hangs_is_a_timeout(server: EmbeddingServer) -> None:
    provider = provider_of(server, timeout_s=0.3)
    server.answer(Manner.HANGING)

    with pytest.raises(EmbeddingTimeout, match="did not answer in time"):
        await provider.embed(["disk full"])
    await provider.close()


async def test_an_endpoint_that_is_gone_is_out_of_reach_until_it_is_back(
    server: EmbeddingServer, provider: OpenAiProvider
) -> None:
    await provider.embed(["disk full"])  # leaves a connection that will be broken
    server.kill()
    with pytest.raises(EmbeddingFailed, match="out of reach"):
        await provider.embed(["disk full"])
    server.start()

    assert len(await provider.embed(["disk full"])) == 1


@pytest.mark.parametrize(
    ("manner", "reason"),
    [
        (Manner.WRONG_DIMENSIONS, "gave 9 dimensions, DATASTORAGE_EMBEDDING_DIMENSIONS says 8"),
        (Manner.TOO_FEW, "gave 2 vectors for 3 texts"),
        (Manner.NOT_NUMBERS, "gave no {"),  # NaN is no JSON
        (Manner.NO_JSON, "gave no {"),
        (Manner.NULLS, "no finite numbers"),
        (Manner.HUGE, "no finite numbers"),
        (Manner.ZEROS, "no direction"),
    ],
)
async def test_a_wrong_answer_is_never_taken_for_a_vector(
    server: EmbeddingServer, provider: OpenAiProvider, manner: Manner, reason: str
) -> None:
    server.answer(manner)

    with pytest.raises(EmbeddingFailed, match=reason):
        await provider.embed(TEXTS)


async def test_a_wrong_key_says_so_and_is_told_nowhere(
    server: EmbeddingServer, provider: OpenAiProvider
) -> None:
    server.answer(Manner.DENYING)

    with pytest.raises(EmbeddingFailed) as failed:
        await provider.embed(TEXTS)

    assert str(failed.value) == "the endpoint answered 401 Unauthorized: check DATASTORAGE_EMBEDDING_API_KEY"
    assert KEY not in repr(provider._http.headers)


async def test_a_text_that_is_too_long_is_the_texts_own_fault(
    server: EmbeddingServer, provider: OpenAiProvider
) -> None:
    server.answer(Manner.PICKY)

    with pytest.raises(TextRefused) as refused:
        await provider.embed(["long " * 100])

    assert str(refused.value) == "the endpoint answered 413 Request Entity Too Large: too long, [key]"


@pytest.mark.parametrize("text", ["", "  "])
async def test_a_blank_text_is_refused_without_asking(
    server: EmbeddingServer, provider: OpenAiProvider, text: str
) -> None:
    before = len(server.asked())

    with pytest.raises(InvalidInput):
        await provider.embed([text])

    assert len(server.asked()) == before


async def test_a_text_that_is_no_unicode_is_refused(provider: OpenAiProvider) -> None:
    with pytest.raises(TextRefused, match="not valid Unicode"):
        await provider.embed(["\ud83d"])


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("Tue, 24 Nov 2026 10:00:30 GMT", 30.0),
        ("Tue, 24 Nov 2026 09:00:00 GMT", 0.0),
        ("", 0.0),
        ("soon", 0.0),
        ("-3", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 -1200", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float) -> None:
    assert retry_after_s(header, datetime(2026, 11, 24, 10, tzinfo=UTC)) == seconds


def test_an_endpoint_tells_no_key_of_itself() -> None:
    endpoint = Endpoint(url="http://x/v1/embeddings", model=MODEL, dimensions=8, api_key=KEY)

    assert KEY not in repr(endpoint)
