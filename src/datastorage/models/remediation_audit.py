"""remediation_audit: one row per remediation request."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from datastorage import limits
from datastorage.domain.enums import Phase, Severity, Status
from datastorage.models.base import (
    TIME,
    Member,
    identity,
    index_ignoring_case,
    key,
    metadata,
    not_longer_than,
    one_of,
    stamp,
)

remediation_audit = Table(
    "remediation_audit",
    metadata,
    identity(),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("remediation_request_id", key(), nullable=False),
    Column("name", key(), nullable=False),
    Column("namespace", key(), nullable=False),
    Column("phase", Member(Phase), nullable=False),
    Column("status", Member(Status), nullable=False),
    Column("action_type", key(limits.ACTION_TYPE_CHARS_MAX), nullable=False),
    Column("action_parameters", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("start_time", TIME, nullable=False),
    Column("end_time", TIME),
    Column("duration_ms", BigInteger),
    Column("alert_fingerprint", key(), nullable=False),
    Column("severity", Member(Severity), nullable=False),
    Column("environment", key(limits.ENVIRONMENT_CHARS_MAX), nullable=False),
    Column("cluster_name", key(), nullable=False),
    Column("target_resource", key(limits.TARGET_RESOURCE_CHARS_MAX), nullable=False),
    Column("target_kind", key(limits.TARGET_RESOURCE_CHARS_MAX), nullable=False),
    Column("target_namespace", key(limits.TARGET_RESOURCE_CHARS_MAX)),
    Column("target_name", key(limits.TARGET_RESOURCE_CHARS_MAX), nullable=False),
    Column("error_message", Text),
    Column("resolution", Text),
    Column("metadata", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("content_hash", LargeBinary, nullable=False),  # SHA-256 of the text that is embedded
    stamp("created_at"),
    stamp("updated_at"),
    UniqueConstraint("remediation_request_id"),
    one_of("phase", Phase),
    one_of("status", Status),
    one_of("severity", Severity),
    CheckConstraint("version >= 1", name="version"),
    CheckConstraint("end_time >= start_time", name="end_time"),
    CheckConstraint("(duration_ms IS NULL) = (end_time IS NULL) AND duration_ms >= 0", name="duration_ms"),
    CheckConstraint("octet_length(content_hash) = 32", name="content_hash"),
    CheckConstraint("jsonb_typeof(metadata) = 'object'", name="metadata"),
    CheckConstraint("jsonb_typeof(action_parameters) = 'object'", name="action_parameters"),
    not_longer_than("error_message", limits.FREE_TEXT_BYTES_MAX),
    not_longer_than("resolution", limits.FREE_TEXT_BYTES_MAX),
)
_c = remediation_audit.c

for _column in (_c.namespace, _c.phase, _c.status, _c.alert_fingerprint, _c.target_resource):
    Index(f"ix_remediation_audit_{_column.name}", _column, _c.start_time.desc(), _c.id.desc())
Index("ix_remediation_audit_start_time", _c.start_time.desc(), _c.id.desc())
index_ignoring_case(_c.remediation_request_id)
index_ignoring_case(_c.alert_fingerprint)
Index("ix_remediation_audit_content_hash", _c.content_hash, _c.start_time.desc(), _c.id.desc())
Index(
    "ix_remediation_audit_metadata",
    _c.metadata,
    postgresql_using="gin",
    postgresql_ops={"metadata": "jsonb_path_ops"},
)
