"""How many requests a process works on at a time. Beyond, it says so at once instead of making all of them late."""

from __future__ import annotations

from datastorage.errors import Unavailable
from datastorage.observability.labels import ThrottledBy
from datastorage.observability.metrics import count_throttled


class InFlight:
    """A `with` block around the work; a client that is slow to send is not worked for yet, and holds no place."""

    def __init__(self, requests_max: int) -> None:
        self._now, self._max = 0, requests_max

    def __enter__(self) -> None:
        """Errors: Unavailable."""
        if self._now >= self._max:
            count_throttled(ThrottledBy.IN_FLIGHT)
            raise Unavailable("the service has too much to do; try again")
        self._now += 1

    def __exit__(self, *_: object) -> None:
        self._now -= 1
