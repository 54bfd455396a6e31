"""A second store of vectors beside PostgreSQL: nearest texts at a scale that one database should not hold."""

from datastorage.vector_engine.port import LAST_HASH, Near, Vector, VectorEngine

__all__ = ["LAST_HASH", "Near", "Vector", "VectorEngine"]
