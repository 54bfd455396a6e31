"""execution_audit: steps that were carried out."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from datastorage import limits
from datastorage.models.base import TIME, identity, index_ignoring_case, key, metadata, not_longer_than, stamp

execution_audit = Table(
    "execution_audit",
    metadata,
    identity(),
    Column("execution_id", key(), nullable=False),
    Column("workflow_id", key(), nullable=False),
    Column("remediation_request_id", key()),
    Column("action_type", key(limits.ACTION_TYPE_CHARS_MAX), nullable=False),
    Column("target_resource", key(limits.TARGET_RESOURCE_CHARS_MAX), nullable=False),
    Column("target_kind", key(limits.TARGET_RESOURCE_CHARS_MAX), nullable=False),
    Column("target_namespace", key(limits.TARGET_RESOURCE_CHARS_MAX)),
    Column("target_name", key(limits.TARGET_RESOURCE_CHARS_MAX), nullable=False),
    Column("success", Boolean, nullable=False),
    Column("start_time", TIME, nullable=False),
    Column("end_time", TIME),
    Column("execution_time_ms", BigInteger, nullable=False),
    Column("error_message", Text),
    Column("namespace", key()),
    Column("cluster_name", key()),
    Column("metadata", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    stamp("created_at"),
    UniqueConstraint("execution_id"),
    CheckConstraint("execution_time_ms >= 0", name="execution_time_ms"),
    CheckConstraint("end_time >= start_time", name="end_time"),
    CheckConstraint("jsonb_typeof(metadata) = 'object'", name="metadata"),
    not_longer_than("error_message", limits.FREE_TEXT_BYTES_MAX),
)
_c = execution_audit.c
for _column in (_c.remediation_request_id, _c.workflow_id, _c.namespace):
    Index(f"ix_execution_audit_{_column.name}", _column, _c.start_time.desc(), _c.id.desc())
index_ignoring_case(_c.execution_id)
Index("ix_execution_audit_start_time", _c.start_time.desc(), _c.id.desc())
