"""incident_lexical: the words of each remediation, for full text and for the lexical leg of the search."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table
from sqlalchemy.dialects.postgresql import ARRAY

from datastorage.models.base import TIME, key, metadata
from datastorage.models.sparsevec import Sparsevec
from datastorage.search.lexical import DIMENSIONS

incident_lexical = Table(
    "incident_lexical",
    metadata,
    Column(
        "audit_id",
        BigInteger,
        ForeignKey("remediation_audit.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("namespace", key(), nullable=False),
    Column("cluster_name", key(), nullable=False),
    Column("start_time", TIME, nullable=False),
    Column("terms", ARRAY(Integer), nullable=False),
    Column("weights", Sparsevec(DIMENSIONS), nullable=False),
)

# A pending list of 1 MB: a larger one delays readers by 1 ms per thousand rows in it, a smaller one writers.
Index(
    "ix_incident_lexical_terms",
    incident_lexical.c.terms,
    postgresql_using="gin",
    postgresql_with={"fastupdate": "on", "gin_pending_list_limit": 1024},
)
