"""ai_analysis_audit: what agents concluded."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Double, Index, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB

from datastorage import limits
from datastorage.models.base import identity, index_ignoring_case, key, metadata, not_longer_than, stamp

ai_analysis_audit = Table(
    "ai_analysis_audit",
    metadata,
    identity(),
    Column("analysis_id", key(), nullable=False),
    Column("remediation_request_id", key(), nullable=False),
    Column("provider", key(limits.PROVIDER_CHARS_MAX), nullable=False),
    Column("model", key(), nullable=False),
    Column("confidence_score", Double, nullable=False),
    Column("tokens_used", BigInteger, nullable=False),
    Column("analysis_duration_ms", BigInteger, nullable=False),
    Column("root_cause", Text),
    Column("recommended_action", Text),
    Column("namespace", key()),
    Column("cluster_name", key()),
    Column("metadata", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    stamp("created_at"),
    UniqueConstraint("analysis_id"),
    CheckConstraint("confidence_score BETWEEN 0 AND 1", name="confidence_score"),
    CheckConstraint("tokens_used >= 0", name="tokens_used"),
    CheckConstraint("analysis_duration_ms >= 0", name="analysis_duration_ms"),
    CheckConstraint("jsonb_typeof(metadata) = 'object'", name="metadata"),
    not_longer_than("root_cause", limits.FREE_TEXT_BYTES_MAX),
    not_longer_than("recommended_action", limits.FREE_TEXT_BYTES_MAX),
)
_c = ai_analysis_audit.c
Index(
    "ix_ai_analysis_audit_remediation_request_id",
    _c.remediation_request_id,
    _c.created_at.desc(),
    _c.id.desc(),
)
Index("ix_ai_analysis_audit_namespace", _c.namespace, _c.created_at.desc(), _c.id.desc())
index_ignoring_case(_c.analysis_id)
Index("ix_ai_analysis_audit_created_at", _c.created_at.desc(), _c.id.desc())
