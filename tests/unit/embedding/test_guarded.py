"""The provider behind its breaker and under its deadline."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
from structlog.testing import capture_logs

from datastorage.embedding import GuardedProvider, Vector
from datastorage.errors import EmbeddingFailed, FaultReason, InvalidInput, TextRefused
from datastorage.resilience import CircuitBreaker, CircuitName, CircuitState


class Provider:
    """Refuses texts that contain `bad`, fails on `broken`, and hangs on `slow`."""

    model = "test"
    dimensions = 2
    costs_more_than_a_lookup = True
    calls_max = 2

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.at_once = self.at_once_max = 0

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        self.calls.append(list(texts))
        self.at_once += 1
        self.at_once_max = max(self.at_once_max, self.at_once)
        try:
            await asyncio.sleep(60 if "slow" in texts else 0)
        finally:
            self.at_once -= 1
        if "broken" in texts:
            raise EmbeddingFailed("it is broken")
        if any("bad" in text for text in texts):
            raise TextRefused("it is bad")
        if "" in texts:
            raise InvalidInput.single("text", "is empty", FaultReason.REQUIRED)
        return [np.full(2, len(text), np.float32) for text in texts]

    async def close(self) -> None:
        pass


@pytest.fixture
async def provider() -> Provider:
    return Provider()


@pytest.fixture
async def breaker() -> CircuitBreaker:
    return CircuitBreaker(CircuitName.EMBEDDING, failures_max=2)


@pytest.fixture
async def guarded(provider: Provider, breaker: CircuitBreaker) -> GuardedProvider:
    return GuardedProvider(provider, breaker, timeout_s=0.05)


def lengths(vectors: list[Vector | None]) -> list[float | None]:
    return [float(vector[0]) if isinstance(vector, np.ndarray) else None for vector in vectors]


async def test_what_is_well_comes_through(guarded: GuardedProvider) -> None:
    assert lengths(await guarded.embed(["a", "bb", "ccc"])) == [1, 2, 3]


async def test_a_text_that_is_refused_stands_alone(
    guarded: GuardedProvider, provider: Provider, breaker: CircuitBreaker
) -> None:
    texts = ["a", "bb", "bad", "cccc", "eeeee", "bad too", "a", "bb"]

    with capture_logs() as logs:
        vectors = await guarded.embed(texts)

    assert lengths(vectors) == [1, 2, None, 4, 5, None, 1, 2]
    assert [(line["event"], line["texts"], line["reason"]) for line in logs] == [
        ("embedding_failed", 1, "it is bad")
    ] * 2
    assert breaker.state is CircuitState.CLOSED


async def test_refused_texts_never_open_the_breaker(
    guarded: GuardedProvider, breaker: CircuitBreaker
) -> None:
    for _ in range(5):
        assert lengths(await guarded.embed(["bad"])) == [None]

    assert breaker.state is CircuitState.CLOSED


async def test_failures_open_the_breaker_and_are_told_until_then(
    guarded: GuardedProvider, provider: Provider, breaker: CircuitBreaker
) -> None:
    with capture_logs() as logs:
        outcomes = [lengths(await guarded.embed(["broken"])) for _ in range(5)]

    assert outcomes == [[None]] * 5
    assert len(provider.calls) == 2
    assert [line["event"] for line in logs] == ["embedding_failed", "circuit_opened", "embedding_failed"]


async def test_what_is_too_slow_is_a_failure(guarded: GuardedProvider, breaker: CircuitBreaker) -> None:
    with capture_logs() as logs:
        assert [lengths(await guarded.embed(["slow"])) for _ in range(2)] == [[None]] * 2

    assert breaker.state is CircuitState.OPEN
    assert logs[0]["reason"] == "it took longer than 0.05 s"


async def test_no_more_calls_at_a_time_than_make_sense(provider: Provider, breaker: CircuitBreaker) -> None:
    guarded = GuardedProvider(provider, breaker, timeout_s=30)

    await asyncio.gather(*(guarded.embed(["a"]) for _ in range(20)))

    assert (provider.at_once_max, len(provider.calls)) == (2, 20)


async def test_who_waits_for_a_turn_in_vain_does_not_judge_the_provider(
    provider: Provider, breaker: CircuitBreaker
) -> None:
    patient = GuardedProvider(provider, breaker, timeout_s=30)
    hanging = [asyncio.ensure_future(patient.embed(["slow"])) for _ in range(2)]
    await asyncio.sleep(0)
    patient._timeout_s = 0.01

    outcomes = await asyncio.gather(*(patient.embed(["a"]) for _ in range(5)))

    assert [lengths(outcome) for outcome in outcomes] == [[None]] * 5
    assert breaker.state is CircuitState.CLOSED
    for call in hanging:
        call.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)


async def test_a_blank_text_is_the_callers_fault(guarded: GuardedProvider, breaker: CircuitBreaker) -> None:
    with pytest.raises(InvalidInput):
        await guarded.embed([""])

    assert breaker.state is CircuitState.CLOSED
