"""schema_compatibility: the oldest release that may run on a schema; raised only by a contract step."""

from __future__ import annotations

from sqlalchemy import Column, String, Table

from datastorage.models.base import metadata, stamp

schema_compatibility = Table(
    "schema_compatibility",
    metadata,
    Column("revision", String(32), primary_key=True),
    Column("oldest_release", String(32), nullable=False),
    stamp("recorded_at"),
)
