"""The seam between the product and a vector engine beside PostgreSQL. Called by services through `SecondEngine`.

Vectors are keyed by model and hash of their text and never change, so every change here may be repeated, and needs
no order. Truth stays in PostgreSQL: what an engine answers is a proposal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = NDArray[np.float32]

LAST_HASH: Final = b"\xff" * 32


@dataclass(frozen=True, slots=True)
class Near:
    """A text near a question."""

    content_hash: bytes
    similarity: float


class VectorEngine(Protocol):
    """Keeps the vectors of texts. Where there is no second engine there is none: the type is Optional.

    Shapes: float32[dimensions of the model], of length 1. Errors of every call: EngineUnavailable.
    """

    async def prepare(self, model: str, dimensions: int) -> None:
        """Sees to it that vectors of this model have a place and an index."""

    async def upsert(self, model: str, vectors: Mapping[bytes, Vector]) -> None:
        """Keeps these vectors; searches that begin afterwards find them."""

    async def delete(self, model: str, hashes: Iterable[bytes]) -> None:
        """Forgets these vectors, if they are there."""

    async def nearest(self, model: str, vector: Vector, texts_max: int) -> list[Near]:
        """The nearest texts, nearest first."""

    async def count(self, model: str) -> int:
        """How many vectors are stored."""

    async def page(self, model: str, after: bytes, texts_max: int) -> dict[bytes, Vector]:
        """Stored vectors with hashes beyond `after`, in order of their hashes; empty at the end."""

    async def close(self) -> None:
        """Lets go of connections."""
