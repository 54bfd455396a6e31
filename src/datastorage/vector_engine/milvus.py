"""Milvus, and Milvus Lite in a file: one collection per model, keyed by hash. Made by `configured_engine`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

import grpc
import numpy as np
from pymilvus import AsyncMilvusClient
from pymilvus.exceptions import ConnectionConfigException, MilvusException

from datastorage.errors import EngineUnavailable
from datastorage.vector_engine.hash_range import HashRange
from datastorage.vector_engine.milvus_address import MilvusAddress
from datastorage.vector_engine.milvus_collection import HASH, METRIC, VECTOR, collection_name, made_ready
from datastorage.vector_engine.port import LAST_HASH, Near, Vector

T = TypeVar("T")

# 500 vectors of 4,000 dimensions are 8 MB; the server takes 64 MB.
ROWS_PER_CALL: Final = 500
ROWS_ANSWERED_MAX: Final = 16_384  # Milvus refuses to answer more
CANDIDATES_MIN: Final = 128  # of HNSW: for few neighbours, as many as a good recall asks for
CREATING_TIMEOUT_S: Final = 60.0  # a collection is made once; a cluster takes its time to load it
FAULTS: Final[Mapping[object, str]] = {  # in words, where it is for an operator to mend
    2: "cannot be reached",  # pymilvus's own, when it cannot connect
    grpc.StatusCode.UNAVAILABLE: "cannot be reached",
    grpc.StatusCode.DEADLINE_EXCEEDED: "does not answer in time",
    grpc.StatusCode.UNAUTHENTICATED: "does not accept the token",
    grpc.StatusCode.PERMISSION_DENIED: "does not allow that to the owner of the token",
    800: "has no such database",
}
FAILURES: Final = (MilvusException, grpc.RpcError, grpc.aio.UsageError)


class MilvusEngine:
    """A VectorEngine; connects at the first call."""

    def __init__(self, address: MilvusAddress, timeout_s: float) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._collections: dict[str, str] = {}
        self._client: AsyncMilvusClient | None = None
        self._connecting = asyncio.Lock()
        # It prints every failure with its traceback; ours are raised, and told once.
        for name in ("pymilvus", "pymilvus.milvus_client", "milvus_lite"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)

    async def prepare(self, model: str, dimensions: int) -> None:
        """Makes the collection and its index, where they are missing. Errors: also a collection of another shape."""
        name = collection_name(model, dimensions)
        making = asyncio.to_thread(
            made_ready, self._address, name, dimensions, self._timeout_s, CREATING_TIMEOUT_S
        )
        await self._answer(making, CREATING_TIMEOUT_S + self._timeout_s)
        self._collections[model] = name
        # That was another connection; the one in use may still be waiting before it tries the server again.
        await self.page(model, LAST_HASH, 1)

    async def upsert(self, model: str, vectors: Mapping[bytes, Vector]) -> None:
        """Keeps these vectors."""
        rows = [{HASH: key.hex(), VECTOR: np.asarray(vector, np.float32)} for key, vector in vectors.items()]
        for chunk in _chunks(rows):
            await self._call("upsert", model, data=chunk)

    async def delete(self, model: str, hashes: Iterable[bytes]) -> None:
        """Forgets these vectors."""
        for chunk in _chunks([content_hash.hex() for content_hash in hashes]):
            await self._call("delete", model, ids=chunk)

    async def nearest(self, model: str, vector: Vector, texts_max: int) -> list[Near]:
        """The nearest texts."""
        limit = min(texts_max, ROWS_ANSWERED_MAX)
        found = await self._call(
            "search",
            model,
            data=[np.asarray(vector, np.float32)],
            anns_field=VECTOR,
            limit=limit,
            output_fields=[HASH],
            search_params={"metric_type": METRIC, "params": {"ef": max(2 * limit, CANDIDATES_MIN)}},
            consistency_level="Strong",
        )
        return [Near(bytes.fromhex(hit[HASH]), hit["distance"]) for hit in found[0]]

    async def count(self, model: str) -> int:
        """How many vectors are stored."""
        return await self._count(model, "")

    async def page(self, model: str, after: bytes, texts_max: int) -> dict[bytes, Vector]:
        """Milvus answers in no order, so a range of hashes is sought that it can answer as a whole."""
        limit = min(texts_max, ROWS_ANSWERED_MAX - 1)
        beyond = await self._count(model, f'{HASH} > "{after.hex()}"')
        reach = HashRange.holding(limit, beyond, after)
        while True:
            rows = await self._query(
                model, reach.expression(HASH), output_fields=[HASH, VECTOR], limit=limit + 1
            )
            if len(rows) > limit:
                reach = reach.up_to_median(bytes.fromhex(row[HASH]) for row in rows)
            elif not rows and not reach.is_open:
                reach = reach.widened()
            else:
                return {
                    bytes.fromhex(row[HASH]): np.asarray(row[VECTOR], np.float32)
                    for row in sorted(rows, key=lambda row: row[HASH])
                }

    async def close(self) -> None:
        """Lets go of the connection, and of the file."""
        client, self._client = self._client, None
        if client is not None:
            await self._answer(client.close(), self._timeout_s)
        await asyncio.to_thread(self._address.release)

    async def _count(self, model: str, expression: str) -> int:
        (row,) = await self._query(model, expression, output_fields=["count(*)"])
        return int(row["count(*)"])

    async def _query(self, model: str, expression: str, **options: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = await self._call(
            "query", model, filter=expression, consistency_level="Strong", **options
        )
        return rows

    async def _call(self, method: str, model: str, **arguments: Any) -> Any:
        if model not in self._collections:
            raise EngineUnavailable("The vector engine is not prepared for this model.")
        return await self._answer(self._called(method, self._collections[model], arguments), self._timeout_s)

    async def _called(self, method: str, collection: str, arguments: dict[str, Any]) -> Any:
        client = await self._connected()
        return await getattr(client, method)(collection, timeout=self._timeout_s, **arguments)

    async def _connected(self) -> AsyncMilvusClient:
        async with self._connecting:
            if self._client is None:
                # In a thread: with a file this starts the server.
                self._client = await asyncio.to_thread(
                    AsyncMilvusClient, timeout=self._timeout_s, dedicated=True, **self._address.arguments
                )
            return self._client

    async def _answer(self, call: Awaitable[T], timeout_s: float) -> T:
        """Errors: EngineUnavailable, without the words of pymilvus: they tell hosts, and what was sent."""
        try:
            async with asyncio.timeout(timeout_s):
                return await call
        except TimeoutError:
            raise EngineUnavailable(f"The vector engine did not answer within {timeout_s:g} s.") from None
        except FAILURES as failure:
            raise EngineUnavailable(f"The vector engine {_reason(failure)}.") from None


def _reason(failure: Exception) -> str:
    if isinstance(failure, ConnectionConfigException):  # it does not say which
        return "cannot open its Milvus Lite: another process has it open, or it is damaged"
    cause = failure.__cause__ if isinstance(failure.__cause__, grpc.RpcError) else failure
    code = cause.code() if isinstance(cause, grpc.RpcError) else getattr(cause, "code", None)
    name = code.name if isinstance(code, grpc.StatusCode) else f"{type(failure).__name__}, code {code}"
    return f"{FAULTS.get(code, 'fails')} ({name})"


def _chunks(items: list[T]) -> Iterator[list[T]]:
    return (items[start : start + ROWS_PER_CALL] for start in range(0, len(items), ROWS_PER_CALL))
