"""Asking for many things at once what callers ask one by one: while one question is under way, the next one gathers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Gathering(Generic[K, V]):
    """One question at a time. Whoever asks is answered by a question that was put later, never by an earlier one."""

    def __init__(self, ask: Callable[[set[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._ask = ask
        self._wanted: set[K] = set()
        self._next: asyncio.Task[Mapping[K, V]] | None = None
        self._current: asyncio.Task[Mapping[K, V]] | None = None

    async def of(self, keys: Iterable[K]) -> dict[K, V]:
        """What there is for these keys. Errors: whatever the question raises, for all who took part."""
        wanted = set(keys)
        self._wanted |= wanted
        if self._next is None:
            self._next = asyncio.ensure_future(self._asked(self._current))
        found = await asyncio.shield(self._next)  # it is the others' too
        return {key: found[key] for key in wanted if key in found}

    async def _asked(self, before: asyncio.Task[Mapping[K, V]] | None) -> Mapping[K, V]:
        if before is not None:
            await asyncio.wait([before])
        self._current, self._next = self._next, None
        wanted, self._wanted = self._wanted, set()
        return await self._ask(wanted)
