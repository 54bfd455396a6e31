"""How many inputs go together, and what became of them; the sending is in `aio.batches`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel
from pydantic_core import to_json

from datastorage.client.errors import DataStorageError
from datastorage.client.request import plain

T = TypeVar("T")

INPUTS_MAX: Final = 500
# The service takes 8 MiB; half of it leaves room for the document, and for proxies that count otherwise.
BYTES_MAX: Final = 4 * 1024 * 1024


def chunked(
    inputs: Iterable[BaseModel], *, inputs_max: int = INPUTS_MAX, bytes_max: int = BYTES_MAX
) -> Iterator[list[Any]]:
    """Inputs as JSON has them, as many together as may be. One that is too large goes alone."""
    chunk: list[Any] = []
    size = 0
    for given in inputs:
        item = plain(given)
        item_bytes = len(to_json(item)) + 1
        if chunk and (len(chunk) == inputs_max or size + item_bytes > bytes_max):
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += item_bytes
    if chunk:
        yield chunk


class Progress(Generic[T]):
    """What became of each input of one request so far; those that may succeed later are to be sent again."""

    def __init__(self, inputs: list[Any], *, atomic: bool) -> None:
        self._inputs, self._atomic = inputs, atomic
        self._outcomes: dict[int, T | DataStorageError] = {}

    @property
    def pending(self) -> dict[int, Any]:
        """Inputs to send, by their place. Of an atomic request all, since together they did not succeed."""
        later = [place for place in range(len(self._inputs)) if self._is_open(place)]
        places = range(len(self._inputs)) if self._atomic and later else later
        return {place: self._inputs[place] for place in places}

    def take(self, places: Iterable[int], outcomes: Iterable[T | DataStorageError]) -> None:
        """Remembers. Errors: one of the outcomes, where sending again may help."""
        self._outcomes.update(zip(places, outcomes, strict=True))
        for outcome in self._outcomes.values():
            if isinstance(outcome, DataStorageError) and outcome.retryable:
                raise outcome

    @property
    def is_complete(self) -> bool:
        """Whether every input has an outcome, good or bad."""
        return len(self._outcomes) == len(self._inputs)

    @property
    def outcomes(self) -> list[T | DataStorageError]:
        """In the order of the inputs."""
        return [self._outcomes[place] for place in range(len(self._inputs))]

    def _is_open(self, place: int) -> bool:
        outcome = self._outcomes.get(place)
        return outcome is None or (isinstance(outcome, DataStorageError) and outcome.retryable)
