"""What an `/v1/embeddings` endpoint answered, held against what was asked. Called by the openai provider."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import orjson

from datastorage.embedding.provider import Vector, unit
from datastorage.errors import EmbeddingFailed

DETAIL_CHARS_MAX: Final = 200


def vectors_of(body: bytes, *, texts: int, dimensions: int) -> list[Vector]:
    """The vectors in the order of the texts, normalised. Errors: EmbeddingFailed, TextRefused."""
    rows = _rows(body)
    if rows.keys() != set(range(texts)):
        raise EmbeddingFailed(f"the endpoint gave {len(rows)} vectors for {texts} texts")
    return [_vector(rows[index], dimensions) for index in range(texts)]


def detail_of(body: bytes) -> str:
    """What the endpoint says of an error, in one short line; empty if it says nothing that can be read."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    said = answer.get("error", answer.get("detail", "")) if isinstance(answer, dict) else ""
    if isinstance(said, dict):
        said = said.get("message", "")
    return " ".join(str(said).split())[:DETAIL_CHARS_MAX]


def _rows(body: bytes) -> dict[int, Any]:
    try:
        return {item["index"]: item["embedding"] for item in orjson.loads(body)["data"]}
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise EmbeddingFailed('the endpoint gave no {"data": [{"index": …, "embedding": […]}]}') from None


def _vector(values: Any, dimensions: int) -> Vector:
    try:
        vector = np.array(values, np.float64)
    except (TypeError, ValueError, OverflowError):
        raise EmbeddingFailed("the endpoint gave an embedding that is no list of numbers") from None
    if vector.shape != (dimensions,):
        given = len(vector) if vector.ndim == 1 else "×".join(map(str, vector.shape)) or "no"
        raise EmbeddingFailed(
            f"the endpoint gave {given} dimensions, DATASTORAGE_EMBEDDING_DIMENSIONS says {dimensions}"
        )
    with np.errstate(over="ignore"):  # then the length is infinite, and told so
        return unit(vector)
