"""How a process that serves comes to its end: by a signal, or with the supervisor that started it."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import structlog

from datastorage.services.health import Health

log = structlog.get_logger(__name__)


@contextmanager
def draining_on_sigterm(health: Health, drain_s: float) -> Iterator[None]:
    """On SIGTERM: report “not ready”, wait for endpoints to notice, then let the server stop."""
    loop = asyncio.get_running_loop()
    stop = signal.getsignal(signal.SIGTERM)
    if not callable(stop):  # no server that could stop: the application is run by a test
        yield
        return

    def drain(number: int, frame: FrameType | None) -> None:
        if health.draining:  # asked twice: do not wait
            stop(number, frame)
            return
        health.draining = True
        log.info("draining", seconds=drain_s)
        loop.call_soon_threadsafe(loop.call_later, drain_s, stop, number, frame)

    signal.signal(signal.SIGTERM, drain)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, stop)


@contextmanager
def ending_with_supervisor() -> Iterator[None]:
    """Ends a worker whose supervisor was killed: it would keep the port from whoever comes next."""
    supervisor = multiprocessing.parent_process()
    if supervisor is None:
        yield
        return
    # Held back since this process was born: only now can it end in good order.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    loop, its_end = asyncio.get_running_loop(), supervisor.sentinel

    def end() -> None:
        loop.remove_reader(its_end)
        log.warning("supervisor_gone")
        signal.raise_signal(signal.SIGTERM)

    loop.add_reader(its_end, end)
    try:
        yield
    finally:
        loop.remove_reader(its_end)
