"""pgvector's `halfvec`, sent and received in binary: text would halve the throughput of searches.

The values of this type are bytes in pgvector's own wire format on the connection (`db.connections`
registers that) and numpy arrays of float32 in Python.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector
from sqlalchemy import ColumnElement, Float, cast
from sqlalchemy.engine import Dialect
from sqlalchemy.types import UserDefinedType

Vector = NDArray[np.float32]

NEGATIVE_INNER_PRODUCT: Final = "<#>"
COSINE_DISTANCE: Final = "<=>"


class Halfvec(UserDefinedType[Vector]):
    """`halfvec`, or `halfvec(n)` where an index needs to know the dimension."""

    cache_ok = True
    render_bind_cast = True

    def __init__(self, dimensions: int | None = None) -> None:
        self.dimensions = dimensions

    def get_col_spec(self, **_: Any) -> str:
        """The type's name in SQL, spelled as PostgreSQL reports it."""
        return "halfvec" if self.dimensions is None else f"halfvec({self.dimensions})"

    def bind_processor(self, dialect: Dialect) -> Callable[[Vector | None], bytes | None]:  # noqa: ARG002
        """Array → wire format."""
        return lambda value: None if value is None else to_binary(value)

    def result_processor(
        self,
        dialect: Dialect,  # noqa: ARG002
        coltype: object,  # noqa: ARG002
    ) -> Callable[[bytes | None], Vector | None]:
        """Wire format → array."""
        return lambda value: None if value is None else from_binary(value)


def to_binary(vector: Vector) -> bytes:
    """A vector in pgvector's wire format."""
    return bytes(HalfVector(vector).to_binary())


def from_binary(data: bytes) -> Vector:
    """A vector from pgvector's wire format."""
    return np.asarray(HalfVector.from_binary(data).to_numpy(), dtype=np.float32)


def inner_product(column: ColumnElement[Any], query: ColumnElement[Any]) -> ColumnElement[float]:
    """Negative inner product; for unit vectors it orders like the cosine distance, at less cost."""
    return column.op(NEGATIVE_INNER_PRODUCT, return_type=Float())(query)


def similarity(product: float) -> float:
    """The cosine from the inner product of unit vectors; rounding in halfvec must not exceed 1."""
    return max(-1.0, min(1.0, product))


def cosine_distance(
    column: ColumnElement[Any], query: ColumnElement[Any], dimensions: int
) -> ColumnElement[float]:
    """Cosine distance, spelled as the HNSW indexes spell it."""
    return cast(column, Halfvec(dimensions)).op(COSINE_DISTANCE, return_type=Float())(query)
