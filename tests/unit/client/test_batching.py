"""How many inputs go together, and what is sent again."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from datastorage.client import Conflict, CreateAiAnalysisAuditInput, Unavailable
from datastorage.client.batching import Progress, chunked


def inputs(lengths: list[int]) -> list[CreateAiAnalysisAuditInput]:
    return [
        CreateAiAnalysisAuditInput(
            analysis_id=str(place),
            remediation_request_id="é" * length,
            provider="p",
            model="m",
            confidence_score=1,
            tokens_used=1,
            analysis_duration_ms=1,
        )
        for place, length in enumerate(lengths)
    ]


@given(some.lists(some.integers(0, 400), max_size=30), some.integers(1, 8), some.integers(200, 2000))
def test_chunks_hold_every_input_once_in_order_and_keep_their_bounds(
    lengths: list[int], inputs_max: int, bytes_max: int
) -> None:
    chunks = list(chunked(inputs(lengths), inputs_max=inputs_max, bytes_max=bytes_max))

    assert [each["analysisId"] for chunk in chunks for each in chunk] == [str(n) for n in range(len(lengths))]
    for chunk in chunks:
        size = len(json.dumps(chunk, ensure_ascii=False, separators=(",", ":")).encode())
        assert 1 <= len(chunk) <= inputs_max
        assert size <= bytes_max + 1 or len(chunk) == 1


def test_nothing_is_sent_for_no_inputs() -> None:
    assert list(chunked([])) == []


def test_inputs_are_taken_as_they_are_needed() -> None:
    taken = []

    def endless():  # noqa: ANN202 -- a generator of this test
        for each in inputs([1] * 10):
            taken.append(each)
            yield each

    next(chunked(endless(), inputs_max=3))

    assert len(taken) == 4


def test_only_what_may_succeed_later_is_pending() -> None:
    progress: Progress[str] = Progress(["a", "b", "c"], atomic=False)
    away, taken = Unavailable("away"), Conflict("taken")

    with pytest.raises(Unavailable):
        progress.take(progress.pending, ["stored", away, taken])
    assert progress.pending == {1: "b"}

    progress.take(progress.pending, ["stored too"])
    assert (progress.pending, progress.outcomes) == ({}, ["stored", "stored too", taken])


def test_of_an_atomic_request_everything_is_pending_until_it_succeeds() -> None:
    progress: Progress[str] = Progress(["a", "b"], atomic=True)

    with pytest.raises(Unavailable):
        progress.take(progress.pending, [Conflict("held back"), Unavailable("away")])
    assert progress.pending == {0: "a", 1: "b"}

    progress.take(progress.pending, ["stored", "stored too"])
    assert (progress.is_complete, progress.outcomes) == (True, ["stored", "stored too"])
