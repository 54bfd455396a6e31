"""When and how often a call is tried again. All operations of this API are safe to repeat.

A create is idempotent by its natural key, and an update that stands already says so (`receipt.replayed`).
"""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass
from typing import Any, Final, Never

from tenacity import RetryCallState, retry_if_exception, stop_after_attempt, stop_before_delay

from datastorage.client.errors import DataStorageError

log: Final = logging.getLogger("datastorage.client")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """Exponential waits with jitter, after the time that the service asks for; what ends first ends it."""

    attempts_max: int = 8
    total_s_max: float = 60.0
    """No attempt begins later than this after the first; one that has begun may run into the timeout."""
    wait_s_first: float = 0.1
    wait_s_max: float = 10.0

    def policy(self) -> dict[str, Any]:
        """Arguments of tenacity's Retrying and AsyncRetrying."""
        return {
            "retry": retry_if_exception(is_retryable),
            "wait": self._wait_s,
            "stop": stop_after_attempt(self.attempts_max) | stop_before_delay(self.total_s_max),
            "before_sleep": _tell,
            "retry_error_callback": _give_up,
        }

    def _wait_s(self, state: RetryCallState) -> float:
        backoff_s = min(self.wait_s_max, self.wait_s_first * 2 ** (state.attempt_number - 1))
        # Half of it by chance, so that clients which failed together, or were told the same time, do not come back
        # together.
        chosen_s = random.uniform(backoff_s / 2, backoff_s)  # noqa: S311 -- no secret depends on it
        return chosen_s + (getattr(_failure(state), "retry_after_s", None) or 0.0)


def is_retryable(error: BaseException) -> bool:
    """Whether the same call may succeed later."""
    return isinstance(error, DataStorageError) and error.retryable


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _tell(state: RetryCallState) -> None:
    log.info(
        "attempt %d failed, next in %.1f s: %s", state.attempt_number, state.upcoming_sleep, _failure(state)
    )


def _give_up(state: RetryCallState) -> Never:
    error = _failure(state)
    if error is None:
        raise AssertionError  # tenacity gives up on failures only
    error.add_note(f"given up after {state.attempt_number} attempts in {state.seconds_since_start:.1f} s")
    raise error
