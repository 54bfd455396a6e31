"""When a call is tried again, by a clock that only sleeping moves."""

import logging

import pytest
import tenacity
from tenacity import Retrying

from datastorage.client import Conflict, DataStorageError, Retries, Unavailable


class Clock:
    """Stands still but for sleeps, and for what an attempt is said to take."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.slept_s: list[float] = []

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, wait_s: float) -> None:
        self.slept_s.append(wait_s)
        self.now_s += wait_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(tenacity, "time", clock)
    return clock


def call(
    retries: Retries, clock: Clock, *errors: DataStorageError, then: DataStorageError | None = None
) -> tuple[int, DataStorageError | None]:
    """Attempts that were made, and what they ended with."""
    left, attempts = list(errors), 0

    def attempt() -> None:
        nonlocal attempts
        attempts += 1
        if error := left.pop(0) if left else then:
            raise error

    try:
        Retrying(**retries.policy(), sleep=clock.sleep)(attempt)
    except DataStorageError as error:
        return attempts, error
    return attempts, None


def always(clock: Clock, retries: Retries) -> int:
    attempts, error = call(retries, clock, then=Unavailable("away"))
    assert isinstance(error, Unavailable)
    return attempts


@pytest.fixture
def largest_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datastorage.client.retries.random.uniform", lambda _, high: high)


def test_waits_double_up_to_their_bound(clock: Clock, largest_jitter: None) -> None:
    retries = Retries(wait_s_first=1, wait_s_max=5, attempts_max=6, total_s_max=100)

    assert always(clock, retries) == 6
    assert clock.slept_s == [1, 2, 4, 5, 5]


def test_at_least_half_of_a_wait_is_certain(clock: Clock) -> None:
    always(clock, Retries(wait_s_first=1, wait_s_max=8, attempts_max=5, total_s_max=100))

    assert all(
        wait_s / 2 <= slept_s <= wait_s for wait_s, slept_s in zip((1, 2, 4, 8), clock.slept_s, strict=True)
    )


def test_no_attempt_begins_after_the_total(clock: Clock, largest_jitter: None) -> None:
    retries = Retries(wait_s_first=1, wait_s_max=100, attempts_max=100, total_s_max=10)

    assert always(clock, retries) == 4
    assert clock.slept_s == [1, 2, 4]  # another 8 s would end after 15 s


def test_the_time_of_the_attempts_counts(clock: Clock, largest_jitter: None) -> None:
    def slow() -> None:
        clock.now_s += 6
        raise Unavailable("away")

    with pytest.raises(Unavailable):
        Retrying(**Retries(wait_s_first=1, total_s_max=10).policy(), sleep=clock.sleep)(slow)

    assert clock.slept_s == [1]


@pytest.mark.parametrize(("asked_s", "slept_s"), [(7.0, 8.0), (0.25, 1.25), (None, 1.0)])
def test_the_service_may_ask_for_more_patience_and_then_chance_parts_those_it_told_the_same(
    clock: Clock, largest_jitter: None, asked_s: float | None, slept_s: float
) -> None:
    attempts, error = call(Retries(wait_s_first=1), clock, Unavailable("away", retry_after_s=asked_s))

    assert (attempts, error, clock.slept_s) == (2, None, [slept_s])


def test_what_will_not_succeed_later_is_not_tried_again(clock: Clock) -> None:
    attempts, error = call(Retries(), clock, Conflict("other content"))

    assert (attempts, type(error), clock.slept_s) == (1, Conflict, [])


def test_an_error_that_nobody_expects_is_not_tried_again(clock: Clock) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Retrying(**Retries().policy(), sleep=clock.sleep)(broken)

    assert clock.slept_s == []


def test_an_unknown_kind_of_error_is_believed_when_it_says_retryable(clock: Clock) -> None:
    attempts, error = call(Retries(), clock, DataStorageError("busy", code="BUSY", retryable=True))

    assert (attempts, error) == (2, None)


def test_one_attempt_means_none_again(clock: Clock) -> None:
    assert always(clock, Retries(attempts_max=1)) == 1
    assert clock.slept_s == []


def test_waiting_is_logged_and_giving_up_noted(
    clock: Clock, largest_jitter: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "datastorage.client")

    _, error = call(Retries(wait_s_first=1, attempts_max=2), clock, then=Unavailable("away"))

    assert caplog.messages == ["attempt 1 failed, next in 1.0 s: away"]
    assert error.__notes__ == ["given up after 2 attempts in 1.0 s"]
