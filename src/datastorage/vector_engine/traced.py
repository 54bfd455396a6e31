"""A span around each call of the vector engine. Put on only where traces are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager

from datastorage.observability.spans import Span, Spans
from datastorage.vector_engine.port import Near, Vector, VectorEngine


class TracedEngine:
    """An engine, within spans. Errors of every call: EngineUnavailable."""

    def __init__(self, engine: VectorEngine, spans: Spans) -> None:
        self._engine, self._spans = engine, spans

    async def prepare(self, model: str, dimensions: int) -> None:
        """Sees to it that vectors of this model have a place and an index."""
        with self._call("prepare", model):
            await self._engine.prepare(model, dimensions)

    async def upsert(self, model: str, vectors: Mapping[bytes, Vector]) -> None:
        """Keeps these vectors."""
        with self._call("upsert", model):
            await self._engine.upsert(model, vectors)

    async def delete(self, model: str, hashes: Iterable[bytes]) -> None:
        """Forgets these vectors, if they are there."""
        with self._call("delete", model):
            await self._engine.delete(model, hashes)

    async def nearest(self, model: str, vector: Vector, texts_max: int) -> list[Near]:
        """The nearest texts, nearest first."""
        with self._call("search", model):
            return await self._engine.nearest(model, vector, texts_max)

    async def count(self, model: str) -> int:
        """How many vectors are stored."""
        with self._call("count", model):
            return await self._engine.count(model)

    async def page(self, model: str, after: bytes, texts_max: int) -> dict[bytes, Vector]:
        """Stored vectors with hashes beyond `after`, in order of their hashes."""
        with self._call("query", model):
            return await self._engine.page(model, after, texts_max)

    async def close(self) -> None:
        """Lets go of connections."""
        await self._engine.close()

    def _call(self, operation: str, model: str) -> AbstractContextManager[Span]:
        attributes = {
            "db.system.name": "milvus",
            "db.operation.name": operation,
            "gen_ai.request.model": model,
        }
        return self._spans.within(f"milvus {operation}", attributes, is_call=True)
