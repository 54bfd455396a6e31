"""Writes any number of inputs, some hundred at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any, TypeVar

from pydantic import BaseModel
from tenacity import AsyncRetrying

from datastorage.client import request
from datastorage.client.aio.connection import AsyncConnection
from datastorage.client.batching import Progress, chunked
from datastorage.client.errors import DataStorageError, RequestTooLarge, ValidationFailed
from datastorage.client.operation import BatchMutation

T = TypeVar("T")


async def outcomes(
    connection: AsyncConnection,
    operation: BatchMutation[T],
    inputs: Iterable[BaseModel],
    *,
    atomic: bool,
) -> AsyncIterator[T | DataStorageError]:
    """What became of each input, in order. Errors: Unavailable when the service stays away."""
    for chunk in chunked(inputs):
        for outcome in await _outcomes(connection, operation, chunk, atomic=atomic):
            yield outcome


async def _outcomes(
    connection: AsyncConnection, operation: BatchMutation[T], inputs: list[Any], *, atomic: bool
) -> list[T | DataStorageError]:
    try:
        return await _sent(connection, operation, inputs, atomic=atomic)
    except (ValidationFailed, RequestTooLarge) as refusal:
        # An input that does not even fit the schema has the whole request refused: look for it by halves.
        if atomic or len(inputs) == 1:
            return [refusal] * len(inputs)
        half = len(inputs) // 2
        first = await _outcomes(connection, operation, inputs[:half], atomic=atomic)
        return first + await _outcomes(connection, operation, inputs[half:], atomic=atomic)


async def _sent(
    connection: AsyncConnection, operation: BatchMutation[T], inputs: list[Any], *, atomic: bool
) -> list[T | DataStorageError]:
    progress: Progress[T] = Progress(inputs, atomic=atomic)

    async def send_pending() -> None:
        pending = progress.pending
        variables = {"inputs": list(pending.values()), "atomic": atomic}
        data = await connection.send(request.body(operation.document, variables), writes=True)
        progress.take(pending, operation.read_all(data))

    try:
        await AsyncRetrying(**connection.retries.policy())(send_pending)
    except DataStorageError:
        if not progress.is_complete:
            raise
    return progress.outcomes
