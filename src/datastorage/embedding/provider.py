"""The seam between the product and whatever turns texts into vectors. Called by services through the embedder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from datastorage.errors import EmbeddingFailed, FaultReason, InvalidInput, TextRefused

Vector: TypeAlias = NDArray[np.float32]


class EmbeddingProvider(Protocol):
    """Turns texts into vectors. Where embeddings are off there is no provider: the type is Optional."""

    @property
    def model(self) -> str:
        """The name stored beside each vector. Whatever changes the vectors changes the name."""

    @property
    def dimensions(self) -> int:
        """The length of every vector."""

    @property
    def costs_more_than_a_lookup(self) -> bool:
        """Whether asking PostgreSQL if a text has its vector already is cheaper than embedding it again."""

    @property
    def calls_max(self) -> int:
        """How many calls at a time make sense; further ones wait before they begin."""

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One vector per text, in the same order; the same text always gives the same vector.

        Shapes: float32[dimensions], of length 1, so that the inner product is the cosine.
        Errors: InvalidInput for a blank text, EmbeddingFailed.
        """

    async def close(self) -> None:
        """Lets go of what the provider holds."""


def refuse_blank(texts: Sequence[str]) -> None:
    """A blank text means nothing, and so has no direction. Errors: InvalidInput."""
    for text in texts:
        if not text:
            raise InvalidInput.single("text", "is empty: there is nothing to embed", FaultReason.REQUIRED)
        if text.isspace():
            raise InvalidInput.single("text", "is white space only", FaultReason.WHITESPACE_ONLY)


def unit(vector: NDArray[np.floating]) -> Vector:
    """The same direction with length 1, in memory of its own.

    Errors: TextRefused if it has no direction, EmbeddingFailed if it is not made of numbers.
    """
    exact = vector.astype(np.float64)
    length = math.sqrt(exact @ exact)
    if not math.isfinite(length):
        raise EmbeddingFailed("the model gave a vector with values that are no finite numbers")
    if length == 0:
        raise TextRefused("the text has no direction")
    direction: Vector = (exact / length).astype(np.float32)
    return direction
