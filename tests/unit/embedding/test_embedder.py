"""What the embedder remembers of texts that a provider refused."""

from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest

from datastorage.embedding import MemoryCache, Vector
from datastorage.errors import TextRefused
from datastorage.limits import EMBEDDING_REFUSALS_MAX
from datastorage.services.embedder import Embedder


class Refusing:
    """Refuses texts that are bad."""

    model, dimensions = "refusing", 2
    costs_more_than_a_lookup = False
    calls_max = 4

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        if any("bad" in text for text in texts):
            raise TextRefused("it is bad")
        return [np.array([1, 0], np.float32) for _ in texts]

    async def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture
async def embedder() -> AsyncIterator[Embedder]:
    embedder = Embedder(Refusing(), MemoryCache())
    yield embedder
    await embedder.close()


async def test_a_refusal_is_told_once_and_of_that_text_alone(embedder: Embedder) -> None:
    found = await embedder.vectors({b"a": "good", b"b": "bad"})

    assert found.keys() == {b"a"}
    assert embedder.refusals([b"a", b"b"]) == {b"b": "it is bad"}
    assert embedder.refusals([b"a", b"b"]) == {}


async def test_refusals_that_nobody_reads_are_forgotten_oldest_first(embedder: Embedder) -> None:
    for number in range(EMBEDDING_REFUSALS_MAX + 1):
        await embedder.vectors({str(number).encode(): "bad"})

    first, second = embedder.refusals([b"0"]), embedder.refusals([b"1"])

    assert (first, second) == ({}, {b"1": "it is bad"})


async def test_a_provider_that_refuses_texts_is_not_left_alone(embedder: Embedder) -> None:
    for number in range(10):
        await embedder.vectors({str(number).encode(): "bad"})

    assert embedder.rests is False
