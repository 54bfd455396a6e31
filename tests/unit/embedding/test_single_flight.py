"""Single flight: computed once, for all who ask at once."""

import asyncio
from collections.abc import Mapping

import numpy as np
import pytest

from datastorage.embedding import SingleFlight, Vector

TEXTS = {b"a": "one", b"b": "two", b"c": "three"}


class Computation:
    """Runs until the test lets it end."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.may_end = asyncio.Event()
        self.failure: Exception | None = None

    async def __call__(self, texts: Mapping[bytes, str]) -> dict[bytes, Vector]:
        self.asked.append(list(texts.values()))
        await self.may_end.wait()
        if self.failure is not None:
            raise self.failure
        return {key: np.full(2, len(text), np.float32) for key, text in texts.items() if text != "two"}


@pytest.fixture
async def computation() -> Computation:
    return Computation()


@pytest.fixture
async def flight(computation: Computation) -> SingleFlight:
    return SingleFlight(computation, texts_max=2)


async def until_waiting() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_many_who_ask_for_one_text_at_once_have_it_computed_once(
    flight: SingleFlight, computation: Computation
) -> None:
    waiting = [asyncio.ensure_future(flight.vectors({b"a": "one"})) for _ in range(100)]
    await until_waiting()
    computation.may_end.set()

    answers = await asyncio.gather(*waiting)

    assert computation.asked == [["one"]]
    assert [float(answer[b"a"][0]) for answer in answers] == [3.0] * 100


async def test_only_what_is_not_under_way_is_asked_for(
    flight: SingleFlight, computation: Computation
) -> None:
    first = asyncio.ensure_future(flight.vectors({b"a": "one"}))
    await until_waiting()
    second = asyncio.ensure_future(flight.vectors({b"a": "one", b"c": "three"}))
    await until_waiting()
    computation.may_end.set()

    assert (list(await first), list(await second)) == ([b"a"], [b"a", b"c"])
    assert computation.asked == [["one"], ["three"]]


async def test_a_long_batch_is_cut_and_what_could_not_be_had_is_missing(
    flight: SingleFlight, computation: Computation
) -> None:
    computation.may_end.set()

    assert list(await flight.vectors(TEXTS)) == [b"a", b"c"]
    assert computation.asked == [["one", "two"], ["three"]]


async def test_one_callers_cancellation_ends_it_for_nobody_else(
    flight: SingleFlight, computation: Computation
) -> None:
    first, second = (asyncio.ensure_future(flight.vectors({b"a": "one"})) for _ in range(2))
    await until_waiting()
    first.cancel()
    await until_waiting()
    computation.may_end.set()

    assert list(await second) == [b"a"]
    assert first.cancelled()
    assert computation.asked == [["one"]]


async def test_a_failure_is_shared_but_not_remembered(flight: SingleFlight, computation: Computation) -> None:
    computation.failure = OSError("broken")
    waiting = [asyncio.ensure_future(flight.vectors({b"a": "one"})) for _ in range(3)]
    await until_waiting()
    computation.may_end.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    computation.failure = None

    assert [str(outcome) for outcome in outcomes] == ["broken"] * 3
    assert list(await flight.vectors({b"a": "one"})) == [b"a"]
    assert computation.asked == [["one"], ["one"]]


async def test_what_was_computed_is_computed_anew_for_who_asks_later(
    flight: SingleFlight, computation: Computation
) -> None:
    computation.may_end.set()
    await flight.vectors({b"a": "one"})
    await flight.vectors({b"a": "one"})

    assert computation.asked == [["one"], ["one"]]
    assert flight.absent([b"a"]) == [b"a"]


async def test_closing_ends_what_is_under_way(flight: SingleFlight, computation: Computation) -> None:
    waiting = asyncio.ensure_future(flight.vectors({b"a": "one"}))
    await until_waiting()
    await flight.close()
    await until_waiting()

    assert waiting.done()
    assert flight.absent([b"a"]) == [b"a"]
