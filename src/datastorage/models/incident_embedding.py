"""incident_embedding: one immutable vector per distinct embedded text and model."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, PrimaryKeyConstraint, Table, cast

from datastorage.models.base import key, metadata, stamp
from datastorage.models.halfvec import Halfvec

DEFAULT_MODEL = "wordllama-l2-supercat-256"
DEFAULT_DIMENSIONS = 256

incident_embedding = Table(
    "incident_embedding",
    metadata,
    Column("content_hash", LargeBinary, nullable=False),
    Column("model", key(), nullable=False),
    Column("vector", Halfvec(), nullable=False),
    stamp("created_at"),
    PrimaryKeyConstraint("content_hash", "model"),
    CheckConstraint("octet_length(content_hash) = 32", name="content_hash"),
    CheckConstraint(
        f"model <> '{DEFAULT_MODEL}' OR vector_dims(vector) = {DEFAULT_DIMENSIONS}", name="default_dimensions"
    ),
)
_c = incident_embedding.c

HNSW_INDEX = Index(
    "ix_incident_embedding_hnsw_default",
    cast(_c.vector, Halfvec(DEFAULT_DIMENSIONS)).label("vector"),
    postgresql_using="hnsw",
    postgresql_ops={"vector": "halfvec_cosine_ops"},
    postgresql_with={"m": 16, "ef_construction": 64},
    postgresql_where=_c.model == DEFAULT_MODEL,
)
