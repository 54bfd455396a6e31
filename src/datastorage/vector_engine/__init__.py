"""A second store of vectors beside PostgreSQL: nearest texts at a scale that one database should not hold."""

from datastorage.vector_engine.port import Near, Vector, VectorEngine

__all__ = ["Near", "Vector", "VectorEngine"]
