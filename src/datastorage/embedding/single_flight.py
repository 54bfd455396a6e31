"""Single flight: a text that many ask for at once is computed once. Called by the embedder."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeAlias

from datastorage.embedding.provider import Vector

Vectors: TypeAlias = Mapping[bytes, Vector]
Compute: TypeAlias = Callable[[Mapping[bytes, str]], Awaitable[Vectors]]


class SingleFlight:
    """Computations under way, by the keys of their texts.

    Each belongs to nobody who waits for it: one caller's cancellation does not end it for the others. A failure
    is everybody's who waited, and is forgotten with the computation.
    """

    def __init__(self, compute: Compute, texts_max: int) -> None:
        self._compute, self._texts_max = compute, texts_max
        self._flying: dict[bytes, asyncio.Task[Vectors]] = {}

    def absent(self, keys: Iterable[bytes]) -> list[bytes]:
        """Those of the keys that are not being computed."""
        return [key for key in keys if key not in self._flying]

    async def vectors(self, texts: Mapping[bytes, str]) -> dict[bytes, Vector]:
        """The vectors that could be had. Errors: whatever the computation raises."""
        absent = self.absent(texts)
        for start in range(0, len(absent), self._texts_max):
            self._start({key: texts[key] for key in absent[start : start + self._texts_max]})
        tasks = {self._flying[key] for key in texts}
        if tasks:
            await asyncio.wait(tasks)  # leaves them alone when it is cancelled
        found = {key: vector for task in tasks for key, vector in task.result().items()}
        return {key: found[key] for key in texts if key in found}

    async def close(self) -> None:
        """Ends what is under way."""
        tasks = set(self._flying.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, texts: Mapping[bytes, str]) -> None:
        task = asyncio.ensure_future(self._compute(texts))
        self._flying |= dict.fromkeys(texts, task)

        def landed(task: asyncio.Task[Vectors]) -> None:
            for key in texts:
                del self._flying[key]
            if not task.cancelled():
                task.exception()  # everybody who waited may be gone: then it is nobody's, and no fault of asyncio's

        task.add_done_callback(landed)
