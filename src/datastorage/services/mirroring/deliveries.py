"""What writers of this process hand to its mirror worker once they have committed."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, eq=False)
class Handed:
    """The entries of one writer, leased to it until then by the monotonic clock."""

    hashes: frozenset[bytes]
    leased_until: float
    done: asyncio.Event = field(default_factory=asyncio.Event)  # delivered, or given up for now


class Deliveries:
    """A pile of what was handed over; while nobody takes from it, nothing should be."""

    def __init__(self) -> None:
        self._pile: deque[Handed] = deque()
        self.open = False
        self.handed = asyncio.Event()
        self.left_over = asyncio.Event()  # set by a writer that left entries for whoever leases them

    def hand_over(self, handed: Handed) -> None:
        """Has entries delivered by the worker of this process."""
        self._pile.append(handed)
        self.handed.set()

    def take(self, hashes_max: int, delivery_s: float) -> list[Handed]:
        """Whole writers' entries, first come first, whose leases last long enough to deliver them."""
        taken: list[Handed] = []
        count = 0
        while self._pile and count < hashes_max:
            handed = self._pile.popleft()
            if handed.leased_until - time.monotonic() < delivery_s:
                handed.done.set()  # piled up: somebody leases them when this lease has ended
                continue
            taken.append(handed)
            count += len(handed.hashes)
        if not self._pile:
            self.handed.clear()
        return taken
