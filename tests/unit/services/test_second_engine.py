"""PostgreSQL-only mode begins and ends by itself, is told once per change, and spares everybody the waiting."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from datastorage.errors import EngineUnavailable
from datastorage.resilience import CircuitBreaker, CircuitName
from datastorage.services.second_engine import FILL, EngineMode, SecondEngine
from datastorage.vector_engine import Near, Vector

START = datetime(2026, 1, 1, tzinfo=UTC)
MODEL, DIMENSIONS = "model", 4
VECTOR = np.ones(DIMENSIONS, np.float32)
HASH = b"\1" * 32
FAILURES, OPEN_S = 3, 5.0


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


class Engine:
    """Answers, or fails with its fault; counts what it is asked."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.asked: list[str] = []

    async def prepare(self, model: str, dimensions: int) -> None:
        self._answer(f"prepare {model} {dimensions}")

    async def upsert(self, _model: str, _vectors: Mapping[bytes, Vector]) -> None:
        self._answer("upsert")

    async def delete(self, _model: str, _hashes: Iterable[bytes]) -> None:
        self._answer("delete")

    async def nearest(self, _model: str, _vector: Vector, _texts_max: int) -> list[Near]:
        self._answer("nearest")
        return [Near(HASH, 1.0)]

    async def count(self, _model: str) -> int:
        self._answer("count")
        return 1

    async def page(self, _model: str, _after: bytes, _texts_max: int) -> dict[bytes, Vector]:
        self._answer("page")
        return {HASH: VECTOR}

    async def close(self) -> None:
        self._answer("close")

    def _answer(self, asked: str) -> None:
        self.asked.append(asked)
        if self.fault is not None:
            raise self.fault


class Setup:
    def __init__(self) -> None:
        self.clock, self.engine = Clock(), Engine()
        breaker = CircuitBreaker(
            CircuitName.VECTOR_ENGINE, failures_max=FAILURES, open_s=OPEN_S, clock=self.clock.monotonic
        )
        self.second = SecondEngine(self.engine, breaker, self.clock.now)

    async def prepared(self) -> "Setup":
        await self.second.prepare(MODEL, DIMENSIONS)
        return self

    async def fails(self, times: int = FAILURES) -> None:
        self.engine.fault = EngineUnavailable("it does not answer")
        for _ in range(times):
            with pytest.raises(EngineUnavailable):
                await self.second.nearest(MODEL, VECTOR, 10)


@pytest.fixture
def setup() -> Setup:
    return Setup()


def fallback_active() -> float | None:
    return REGISTRY.get_sample_value("datastorage_fallback_mode_active")


async def test_without_an_engine_postgresql_is_alone_and_that_is_no_fallback() -> None:
    second = SecondEngine()

    assert (second.configured, second.available, second.mode) == (False, False, EngineMode.SINGLE)
    assert (second.reason, fallback_active()) == (None, 0)
    with pytest.raises(EngineUnavailable):
        await second.upsert(MODEL, {HASH: VECTOR})
    await second.close()


async def test_an_engine_is_out_of_use_until_it_is_prepared(setup: Setup) -> None:
    assert (setup.second.available, setup.second.mode) == (False, EngineMode.POSTGRESQL_ONLY)
    assert (setup.second.reason, fallback_active()) == ("not tried yet", 1)

    await setup.second.prepare(MODEL, DIMENSIONS)

    assert (setup.second.available, setup.second.mode) == (True, EngineMode.DUAL)
    assert (setup.second.reason, fallback_active()) == (None, 0)
    assert setup.engine.asked == [f"prepare {MODEL} {DIMENSIONS}"]
    assert [near.content_hash for near in await setup.second.nearest(MODEL, VECTOR, 1)] == [HASH]


async def test_an_engine_that_is_down_at_the_start_is_told_once_and_comes_into_use_later(
    setup: Setup,
) -> None:
    setup.engine.fault = EngineUnavailable("nobody listens")

    with capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(EngineUnavailable):
                await setup.second.prepare(MODEL, DIMENSIONS)
        setup.engine.fault = None
        await setup.second.prepare(MODEL, DIMENSIONS)

    assert logs == [
        {"event": "vector_engine_lost", "log_level": "warning", "reason": "nobody listens"},
        {"event": "vector_engine_back", "log_level": "info"},
    ]


async def test_it_stays_in_use_while_failures_are_few(setup: Setup) -> None:
    await setup.prepared()

    await setup.fails(FAILURES - 1)

    assert setup.second.available
    assert setup.second.reason is None


async def test_failing_repeatedly_it_goes_out_of_use_which_is_told_once(setup: Setup) -> None:
    await setup.prepared()
    setup.clock.seconds = 60

    with capture_logs() as logs:
        await setup.fails(FAILURES + 5)

    told = [log for log in logs if log["event"].startswith("vector_engine")]
    assert told == [{"event": "vector_engine_lost", "log_level": "warning", "reason": "it does not answer"}]
    assert (setup.second.available, setup.second.mode) == (False, EngineMode.POSTGRESQL_ONLY)
    assert setup.second.since == START + timedelta(seconds=60)
    assert (setup.second.reason, fallback_active()) == ("it does not answer", 1)


@pytest.mark.parametrize(
    "call",
    [
        lambda second: second.upsert(MODEL, {HASH: VECTOR}),
        lambda second: second.delete(MODEL, [HASH]),
        lambda second: second.nearest(MODEL, VECTOR, 1),
        lambda second: second.count(MODEL),
        lambda second: second.page(MODEL, b"", 1),
    ],
)
async def test_out_of_use_it_is_asked_by_nobody_even_when_it_may_be_tried_again(
    setup: Setup, call: Callable[[SecondEngine], Awaitable[object]]
) -> None:
    await setup.prepared()
    await setup.fails()
    asked = len(setup.engine.asked)
    setup.clock.seconds += 2 * OPEN_S

    with pytest.raises(EngineUnavailable, match="out of use: it does not answer"):
        await call(setup.second)

    assert len(setup.engine.asked) == asked


async def test_prepared_again_it_is_back_in_use_which_is_told_once(setup: Setup) -> None:
    await setup.prepared()
    await setup.fails()
    setup.engine.fault = None
    setup.clock.seconds += OPEN_S

    with capture_logs() as logs:
        await setup.second.prepare(MODEL, DIMENSIONS)
        await setup.second.nearest(MODEL, VECTOR, 1)

    told = [log for log in logs if log["event"].startswith("vector_engine")]
    assert told == [{"event": "vector_engine_back", "log_level": "info"}]
    assert setup.second.available
    assert (setup.second.since, setup.second.reason) == (START + timedelta(seconds=OPEN_S), None)
    assert fallback_active() == 0


async def test_left_alone_it_is_not_even_prepared(setup: Setup) -> None:
    await setup.prepared()
    await setup.fails()
    asked = len(setup.engine.asked)

    assert setup.second.rests
    with pytest.raises(EngineUnavailable):
        await setup.second.prepare(MODEL, DIMENSIONS)

    assert len(setup.engine.asked) == asked


async def test_while_it_has_too_few_vectors_it_is_in_use_and_not_complete_which_is_told_once(
    setup: Setup,
) -> None:
    await setup.prepared()
    assert not setup.second.complete

    with capture_logs() as logs:
        setup.second.counted(3, 600)
        setup.second.counted(500, 600)
        few = (setup.second.available, setup.second.complete, setup.second.reason)
        setup.second.counted(600, 600)
        setup.second.counted(601, 600)

    assert [(log["event"], log["vectors"]) for log in logs] == [
        ("vector_engine_incomplete", 3),
        ("vector_engine_complete", 600),
    ]
    assert few == (True, False, f"it has 500 of 600 vectors; {FILL}")
    assert (setup.second.complete, setup.second.reason) == (True, None)


async def test_an_engine_that_was_lost_is_counted_anew(setup: Setup) -> None:
    await setup.prepared()
    setup.second.counted(600, 600)
    await setup.fails()
    setup.engine.fault = None
    setup.clock.seconds += OPEN_S

    setup.second.counted(600, 600)  # of before
    await setup.second.prepare(MODEL, DIMENSIONS)

    assert not setup.second.complete


async def test_closing_an_engine_that_is_down_is_no_error(setup: Setup) -> None:
    setup.engine.fault = EngineUnavailable("gone")

    await setup.second.close()

    assert setup.engine.asked == ["close"]
