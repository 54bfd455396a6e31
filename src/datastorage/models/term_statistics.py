"""term_statistics: one row with the frequencies of all terms, as of its refresh; shared by all processes."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, LargeBinary, SmallInteger, Table

from datastorage.models.base import metadata, stamp

term_statistics = Table(
    "term_statistics",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("documents", BigInteger, nullable=False),
    Column("audit_id_max", BigInteger, nullable=False),  # the newest incident that was there
    Column("terms", LargeBinary, nullable=False),  # int32, little-endian, ascending
    Column("frequencies", LargeBinary, nullable=False),  # int32, little-endian
    stamp("refreshed_at"),
    CheckConstraint("id = 1", name="one_row"),
    CheckConstraint("length(terms) = length(frequencies)", name="frequencies"),
)
