"""The circuit breaker, by a clock that the test moves."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, suppress

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from datastorage.errors import CircuitOpen
from datastorage.observability.metrics import CIRCUIT_STATE
from datastorage.resilience import CircuitBreaker, CircuitName, CircuitState

OPEN_S = 30.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(CircuitName.EMBEDDING, failures_max=3, open_s=OPEN_S, probes_max=2, clock=clock)


def fail(breaker: CircuitBreaker, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(OSError, match="down"), breaker.guarding(OSError):
            raise OSError("down")


def succeed(breaker: CircuitBreaker) -> None:
    with breaker.guarding(OSError):
        pass


def shown() -> dict[str, float]:
    (metric,) = CIRCUIT_STATE.collect()
    return {s.labels["state"]: s.value for s in metric.samples if s.labels["name"] == CircuitName.EMBEDDING}


def test_it_opens_after_so_many_failures_in_a_row(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    succeed(breaker)
    fail(breaker, 2)
    assert breaker.state is CircuitState.CLOSED

    fail(breaker)

    assert breaker.state is CircuitState.OPEN
    with pytest.raises(CircuitOpen), breaker.guarding(OSError):
        pytest.fail("the dependency was asked")


def test_it_lets_probes_through_when_its_time_is_over(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += OPEN_S - 0.1
    with pytest.raises(CircuitOpen):
        succeed(breaker)

    clock.now += 0.1
    succeed(breaker)

    assert breaker.state is CircuitState.CLOSED


def test_a_failing_probe_opens_it_for_the_whole_time_again(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += OPEN_S
    fail(breaker)
    clock.now += OPEN_S - 0.1

    with pytest.raises(CircuitOpen):
        succeed(breaker)


def test_no_more_probes_at_a_time_than_allowed(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += OPEN_S

    with breaker.guarding(OSError), breaker.guarding(OSError):
        assert breaker.state is CircuitState.HALF_OPEN
        with pytest.raises(CircuitOpen):
            succeed(breaker)

    assert breaker.state is CircuitState.CLOSED


async def test_of_many_callers_at_once_only_the_probes_reach_a_dependency_that_hangs(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    fail(breaker, 3)
    clock.now += OPEN_S
    asked = 0

    async def call() -> None:
        nonlocal asked
        with breaker.guarding(TimeoutError):
            asked += 1
            await asyncio.sleep(0.01)
            raise TimeoutError

    outcomes = await asyncio.gather(*(call() for _ in range(50)), return_exceptions=True)

    assert asked == 2
    assert [type(outcome) for outcome in outcomes].count(CircuitOpen) == 48
    assert breaker.state is CircuitState.OPEN


async def test_a_cancelled_probe_says_nothing_and_gives_its_place_back(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    fail(breaker, 3)
    clock.now += OPEN_S
    for _ in range(5):
        with suppress(asyncio.CancelledError), breaker.guarding(OSError):
            raise asyncio.CancelledError

    assert breaker.state is CircuitState.HALF_OPEN
    succeed(breaker)
    assert breaker.state is CircuitState.CLOSED


def test_other_exceptions_are_no_failures(breaker: CircuitBreaker) -> None:
    for _ in range(10):
        with pytest.raises(KeyError), breaker.guarding(OSError):
            raise KeyError("the caller's own")

    assert breaker.state is CircuitState.CLOSED


def test_what_began_before_it_opened_does_not_close_it(breaker: CircuitBreaker, clock: Clock) -> None:
    with breaker.guarding(OSError):
        fail(breaker, 3)

    assert breaker.state is CircuitState.OPEN


def test_the_gauge_shows_the_one_state_it_is_in(breaker: CircuitBreaker, clock: Clock) -> None:
    seen = [shown()]
    fail(breaker, 3)
    seen.append(shown())
    clock.now += OPEN_S
    with breaker.guarding(OSError):
        seen.append(shown())

    assert seen == [
        {"closed": 1, "open": 0, "half_open": 0},
        {"closed": 0, "open": 1, "half_open": 0},
        {"closed": 0, "open": 0, "half_open": 1},
    ]


class Model(RuleBasedStateMachine):
    """Against a plainer description: calls overlap, end in any order, and time goes on between them."""

    calls = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = CircuitBreaker(
            CircuitName.CACHE, failures_max=2, open_s=10, probes_max=2, clock=self.clock
        )
        self.state, self.opened_at, self.failures = CircuitState.CLOSED, 0.0, 0
        self.changes = 0
        self.probing: list[int] = []
        self.begun = 0

    def move(self, state: CircuitState) -> None:
        self.state, self.failures, self.probing = state, 0, []
        self.changes += 1
        if state is CircuitState.OPEN:
            self.opened_at = self.clock.now

    @rule(seconds=st.sampled_from([0.5, 5.0, 10.0]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(target=calls)
    def begin(self) -> tuple[AbstractContextManager[None], int, int] | None:
        if self.state is CircuitState.OPEN and self.clock.now - self.opened_at >= 10:
            self.move(CircuitState.HALF_OPEN)
        allowed = self.state is CircuitState.CLOSED or (
            self.state is CircuitState.HALF_OPEN and len(self.probing) < 2
        )
        assert self.breaker.refuses is not allowed
        guard = self.breaker.guarding(OSError)
        if not allowed:
            with pytest.raises(CircuitOpen):
                guard.__enter__()
            return None
        guard.__enter__()
        self.begun += 1
        if self.state is CircuitState.HALF_OPEN:
            self.probing.append(self.begun)
        return guard, self.changes, self.begun

    @rule(call=consumes(calls), ending=st.sampled_from([None, OSError("down"), KeyError("other")]))
    def end(
        self, call: tuple[AbstractContextManager[None], int, int] | None, ending: Exception | None
    ) -> None:
        if call is None:
            return
        guard, changes, number = call
        if ending is None:
            guard.__exit__(None, None, None)
        else:
            assert not guard.__exit__(type(ending), ending, None)
        if changes != self.changes:
            return
        if number in self.probing:
            self.probing.remove(number)
        if ending is None:
            self.failures = 0
            if self.state is CircuitState.HALF_OPEN:
                self.move(CircuitState.CLOSED)
        elif isinstance(ending, OSError):
            self.failures += 1
            if self.state is CircuitState.HALF_OPEN or self.failures == 2:
                self.move(CircuitState.OPEN)

    @invariant()
    def agrees(self) -> None:
        assert self.breaker.state is self.state


Model.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestModel = Model.TestCase
