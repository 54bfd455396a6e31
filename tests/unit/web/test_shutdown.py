"""Signals in a process that serves: drained first, then handed to the server, then as they were."""

import asyncio
import signal
from collections.abc import Iterator

import pytest

from datastorage.services.health import Health
from datastorage.web.shutdown import draining_on_sigterm, ending_with_supervisor


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    """The handler of this process, put back."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def health() -> Health:
    return Health(None)  # type: ignore[arg-type]  # its database is not asked


async def test_the_server_stops_after_the_drain(health: Health) -> None:
    stopped = asyncio.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())

    with draining_on_sigterm(health, drain_s=0.01):
        assert not health.draining
        signal.raise_signal(signal.SIGTERM)
        assert health.draining
        assert not stopped.is_set()
        await asyncio.wait_for(stopped.wait(), 30)


async def test_a_second_signal_stops_at_once(health: Health) -> None:
    stopped: list[int] = []

    def stop(number: int, _: object) -> None:
        stopped.append(number)

    signal.signal(signal.SIGTERM, stop)
    with draining_on_sigterm(health, drain_s=3_600):
        signal.raise_signal(signal.SIGTERM)
        assert stopped == []
        signal.raise_signal(signal.SIGTERM)
        assert stopped == [signal.SIGTERM]

    assert signal.getsignal(signal.SIGTERM) is stop


async def test_where_no_server_listens_for_signals_nothing_is_changed(health: Health) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

    with draining_on_sigterm(health, drain_s=0), ending_with_supervisor():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
