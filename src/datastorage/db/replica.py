"""A streaming replica, for reads that may see the past of a moment ago: whether it serves, and how far it is behind.

Who executes an operation that only reads says so with `reads_may_lag`; everything else uses the primary, whatever it
reads. How stale the replica is follows from what the primary had written when, by one clock: replaying nothing while
nothing is written is no lag.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from math import inf
from typing import Final

from datastorage.db.engine_pool import EnginePool
from datastorage.db.row_pool import RowPool

POSITIONS_MAX: Final = 1_000  # who is further behind has to catch up before it is known how far


@dataclass(slots=True)
class LaggingReads:
    """The reads of one operation."""

    used: bool = False  # the replica, by any of them


_READS: Final[ContextVar[LaggingReads | None]] = ContextVar("lagging_reads", default=None)


@contextmanager
def reads_may_lag() -> Iterator[LaggingReads]:
    """Reads inside the block may be answered by the replica."""
    reads = LaggingReads()
    before = _READS.set(reads)
    try:
        yield reads
    finally:
        _READS.reset(before)


class Lag:
    """How stale a replica is. Positions are those of the write-ahead log, in bytes; times are of any steady clock."""

    def __init__(self) -> None:
        self._written: deque[tuple[float, int]] = deque(maxlen=POSITIONS_MAX)  # when the primary stood where

    def wrote(self, now_s: float, position: int) -> None:
        """Where the primary stands now."""
        self._written.append((now_s, position))

    def behind_s(self, now_s: float, replayed: int) -> float:
        """At most so long ago all was written that the replica has replayed; infinite while that is not known."""
        known = inf
        while self._written and self._written[0][1] <= replayed:
            known = self._written.popleft()[0]
        if known is not inf:
            self._written.appendleft((known, replayed))
            return now_s - known if len(self._written) > 1 else 0.0
        return inf


class Replica:
    """Its pools, and whether they are in use."""

    def __init__(self, rows: RowPool, reader: EnginePool, lag_max_s: float) -> None:
        self.rows, self.reader, self.lag_max_s = rows, reader, lag_max_s
        self._fault = "it has not answered yet"
        self._behind_s, self._seen_at_s = inf, 0.0

    @property
    def serves(self) -> bool:
        """Whether it is as fresh as reads must be, also now, some time after it was looked at."""
        return not self.reason

    @property
    def reason(self) -> str:
        """Why it is out of use; empty while it is in use."""
        return self._fault or ("" if self._stale_s() <= self.lag_max_s else "it is too far behind")

    def wanted(self) -> bool:
        """Whether the read that asks goes there."""
        reads = _READS.get()
        if reads is None or not self.serves:
            return False
        reads.used = True
        return True

    def seen(self, behind_s: float) -> None:
        """It answered, so far behind."""
        self._behind_s, self._seen_at_s = behind_s, asyncio.get_running_loop().time()
        self._fault = ""

    def lost(self, reason: str) -> None:
        """Nobody is sent there until it is seen again."""
        self._fault = reason

    def _stale_s(self) -> float:
        return self._behind_s + asyncio.get_running_loop().time() - self._seen_at_s
