"""The circuit breaker: a dependency that keeps failing is left alone for a while, then tried by a few probes.

Called by whatever asks the embedding provider and the shared cache. For one event loop; no locks are needed,
because nothing here awaits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from datastorage.errors import CircuitOpen
from datastorage.observability.labels import CircuitName, CircuitState
from datastorage.observability.metrics import show_circuit

log = structlog.get_logger(__name__)
_states: dict[CircuitName, CircuitState] = {}


def circuit_states() -> dict[CircuitName, CircuitState]:
    """The state of each breaker of this process, for those who show it; CLOSED where none was needed."""
    return {name: _states.get(name, CircuitState.CLOSED) for name in CircuitName}


class CircuitBreaker:
    """Closed until `failures_max` calls fail in a row; open for `open_s`; then `probes_max` calls at a time may try.

    One probe that succeeds closes it, one that fails opens it again. A call counts for the period it began in:
    what was started before the last change of state says nothing about now.
    """

    def __init__(
        self,
        name: CircuitName,
        *,
        failures_max: int = 5,
        open_s: float = 30.0,
        probes_max: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._clock = name, clock
        self._failures_max, self._open_s, self._probes_max = failures_max, open_s, probes_max
        self._failures = 0
        self._probes = 0
        self._period = 0  # counts changes of state
        self._opened_at = 0.0
        self._state = CircuitState.CLOSED
        self._show()

    @property
    def state(self) -> CircuitState:
        """As of the last call: time alone makes an open breaker half open only when somebody asks."""
        return self._state

    @property
    def refuses(self) -> bool:
        """Whether a call would be refused now."""
        if self._state is CircuitState.OPEN:
            return self._clock() - self._opened_at < self._open_s
        return self._state is CircuitState.HALF_OPEN and self._probes >= self._probes_max

    @contextmanager
    def guarding(self, *faults: type[Exception]) -> Iterator[None]:
        """Lets one call through, and learns from it: `faults` are failures, other exceptions tell nothing.

        A cancelled call tells nothing either. Errors: CircuitOpen, instead of the call.
        """
        period = self._enter()
        try:
            yield
        except BaseException as error:
            self._leave(period)
            if period == self._period and isinstance(error, faults):
                self._failed(str(error) or type(error).__name__)
            raise
        self._leave(period)
        if period == self._period:
            self._succeeded()

    def _enter(self) -> int:
        """The period that the call belongs to."""
        if self._state is CircuitState.OPEN and self._clock() - self._opened_at >= self._open_s:
            self._change(CircuitState.HALF_OPEN)
        if self._state is CircuitState.OPEN:
            raise CircuitOpen(f"the {self._name} failed repeatedly and is left alone for a while")
        if self._state is CircuitState.HALF_OPEN:
            if self._probes >= self._probes_max:
                raise CircuitOpen(f"the {self._name} is being tried by another call")
            self._probes += 1
        return self._period

    def _leave(self, period: int) -> None:
        if self._state is CircuitState.HALF_OPEN and period == self._period:
            self._probes -= 1

    def _succeeded(self) -> None:
        self._failures = 0
        if self._state is CircuitState.HALF_OPEN:
            self._change(CircuitState.CLOSED)
            log.warning("circuit_closed", circuit=self._name)

    def _failed(self, reason: str) -> None:
        self._failures += 1
        if self._state is CircuitState.CLOSED and self._failures < self._failures_max:
            return
        if self._state is CircuitState.CLOSED:  # a probe that fails is no news
            log.warning("circuit_opened", circuit=self._name, failures=self._failures, reason=reason)
        self._opened_at = self._clock()
        self._change(CircuitState.OPEN)

    def _change(self, state: CircuitState) -> None:
        self._state = state
        self._period += 1
        self._failures = self._probes = 0
        self._show()

    def _show(self) -> None:
        _states[self._name] = self._state
        show_circuit(self._name, self._state)
