"""pgvector's `sparsevec`: written as text, compared inside the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.types import UserDefinedType


class Sparsevec(UserDefinedType[str]):
    """`sparsevec(n)`."""

    cache_ok = True

    def __init__(self, dimensions: int | None = None) -> None:
        self.dimensions = dimensions

    def get_col_spec(self, **_: Any) -> str:
        """The type's name in SQL, spelled as PostgreSQL reports it."""
        return "sparsevec" if self.dimensions is None else f"sparsevec({self.dimensions})"


def sparsevec_text(weights: Mapping[int, float], dimensions: int) -> str:
    """A vector as pgvector reads it; dimensions count from 0 here, and from 1 there."""
    written = {weight: f"{weight:.4g}" for weight in set(weights.values())}  # few, since counts are small
    elements = ",".join([f"{index + 1}:{written[weight]}" for index, weight in weights.items()])
    return f"{{{elements}}}/{dimensions}"
